#include "integration/process.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cam::test {
namespace {

int next_number() {
    static std::atomic<int> count{0};
    return ++count;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

}  // namespace

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool found = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!found) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void pause(std::chrono::milliseconds duration) {
    std::this_thread::sleep_for(duration);
}

Process::Process(const Options& options) {
    const std::string stem = options.folder + "/process-" + std::to_string(next_number());
    out_file_ = stem + ".out";
    err_file_ = stem + ".err";
    std::vector<std::string> arguments = options.arguments;
    arguments.insert(arguments.begin(), options.program);
    std::vector<std::string> environment{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                         "LC_ALL=C.UTF-8", "HOME=/nonexistent",
                                         "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"};
    if (const char* tsan = std::getenv("TSAN_OPTIONS"))
        environment.push_back(std::string{"TSAN_OPTIONS="} + tsan);
    // In front: of two values of one name the first counts.
    environment.insert(environment.begin(), options.environment.begin(), options.environment.end());
    const std::vector<char*> argv = pointers(arguments);
    const std::vector<char*> envp = pointers(environment);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that dies leaves no daemon behind
        const int out = ::open(out_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const int err = ::open(err_file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const int in = ::open("/dev/null", O_RDONLY);
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(err, 2);
        ::close_range(3, ~0U, 0);
        if (::chdir(options.folder.c_str()) != 0) ::_exit(126);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
}

Process::~Process() {
    if (status_) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void Process::signal(int number) const {
    if (!status_) ::kill(pid_, number);
}

bool Process::running() {
    if (status_) return false;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return false;
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    if (!eventually([&] { return !running(); }, patience)) return std::nullopt;
    return status_;
}

std::string Process::out() const {
    return read_text(out_file_);
}
std::string Process::err() const {
    return read_text(err_file_);
}

bool Process::wait_for_log(const std::string& text, std::chrono::milliseconds patience) {
    return eventually([&] { return err().find(text) != std::string::npos; }, patience);
}

Finished run(const Process::Options& options, std::chrono::milliseconds patience) {
    Process process(options);
    const auto status = process.wait(patience);
    return {status.value_or(-1), process.out(), process.err()};
}

}  // namespace cam::test
