#include "app/service_states.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cam/base/clock.h"
#include "cam/base/unique_fd.h"

extern char** environ;

namespace cam::app {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxAnswer = 64 * 1024;

/// A child that is killed and reaped when we are done with it.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }

private:
    pid_t pid_;
};

/// Our environment without what a child need not know.
std::vector<char*> child_environment() {
    std::vector<char*> kept;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        const bool secret =
            text.rfind("CLOUDFLARE_API_TOKEN=", 0) == 0 || text.rfind("TELEGRAM_BOT_TOKEN=", 0) == 0;
        if (!secret) kept.push_back(*entry);
    }
    kept.push_back(nullptr);
    return kept;
}

/// What the command prints on standard output until it closes it or the deadline passes.
std::string output_of(const std::vector<std::string>& arguments, SteadyTime deadline, const Clock& clock) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    const UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, writing.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);  // ours blocks what a child must be able to receive
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    const int failed =
        ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), child_environment().data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed != 0) return {};
    const Child child(pid);
    writing.close();

    std::string text;
    while (text.size() < kMaxAnswer) {
        const auto left = deadline - clock.steady();
        if (left <= milliseconds{0}) return text;
        pollfd ready{reading.get(), POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
        std::array<char, 1024> buffer{};
        const ssize_t got = ::read(reading.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
}

ServiceState parsed(std::string_view line) {
    if (line == "active" || line == "reloading") return ServiceState::kActive;
    if (line == "inactive" || line == "failed" || line == "activating" || line == "deactivating") {
        return ServiceState::kInactive;
    }
    return ServiceState::kUnknown;
}

}  // namespace

std::vector<ServiceReport> service_states(const std::vector<std::pair<std::string, std::string>>& services,
                                          milliseconds budget) {
    const SystemClock clock;
    std::vector<std::string> command{"systemctl", "is-active", "--"};
    std::vector<ServiceReport> reports;
    for (const auto& [label, unit] : services) {
        command.push_back(unit);
        reports.push_back({label, ServiceState::kUnknown});
    }
    if (services.empty()) return reports;
    const std::string answer = output_of(command, clock.steady() + budget, clock);
    std::size_t begin = 0;
    for (ServiceReport& report : reports) {
        const std::size_t end = answer.find('\n', begin);
        if (end == std::string::npos) break;
        report.state = parsed(std::string_view{answer}.substr(begin, end - begin));
        begin = end + 1;
    }
    return reports;
}

}  // namespace cam::app
