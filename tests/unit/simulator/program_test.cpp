#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;

/// A started cam-simulator whose standard output and error are read together.
class Program {
public:
    explicit Program(std::vector<std::string> arguments) {
        std::array<int, 2> pipe{};
        if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
        arguments.insert(arguments.begin(), CAM_SIMULATOR_PROGRAM);
        std::vector<char*> argv;
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        posix_spawn_file_actions_t actions{};
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
        if (::posix_spawn(&process_, CAM_SIMULATOR_PROGRAM, &actions, nullptr, argv.data(), environ) != 0)
            process_ = -1;
        posix_spawn_file_actions_destroy(&actions);
        ::close(pipe[1]);
        output_ = pipe[0];
    }
    ~Program() {
        if (process_ > 0) {
            ::kill(process_, SIGKILL);
            static_cast<void>(wait());
        }
        ::close(output_);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    std::string read_line() {
        std::string line;
        char c = 0;
        pollfd readable{output_, POLLIN, 0};
        while (::poll(&readable, 1, 10000) > 0 && ::read(output_, &c, 1) == 1 && c != '\n') line += c;
        return line;
    }
    void end(int signal) { ::kill(process_, signal); }
    int wait() {
        int status = 0;
        ::waitpid(process_, &status, 0);
        process_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    pid_t process_ = -1;
    int output_ = -1;
};

TEST(ProgramTest, SaysWhereItListensAndEndsWithinASecondOfASignal) {
    const auto port_file =
        std::filesystem::temp_directory_path() / ("cam-simulator-port-" + std::to_string(::getpid()));
    Program program({"--scenario", CAM_SIMULATOR_DEMO, "--port-file", port_file.string(), "--show-messages"});
    const std::string line = program.read_line();
    EXPECT_NE(line.find("/client/v4"), std::string::npos) << line;
    std::string port;
    for (int i = 0; i < 500 && port.empty(); ++i) {
        std::ifstream in(port_file);
        if (!std::getline(in, port)) ::poll(nullptr, 0, 10);
    }
    EXPECT_NE(line.find(":" + port + "/telegram"), std::string::npos) << line;
    const auto begin = std::chrono::steady_clock::now();
    program.end(SIGTERM);
    EXPECT_EQ(program.wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    std::filesystem::remove(port_file);
}

TEST(ProgramTest, ExitsWithTwoOnWrongUsage) {
    EXPECT_EQ(Program({"--frobnicate"}).wait(), 2);
    EXPECT_EQ(Program({"--port"}).wait(), 2);
    EXPECT_EQ(Program({"--port", "70000"}).wait(), 2);
    Program unreadable({"--scenario", "/nonexistent.json"});
    EXPECT_EQ(unreadable.read_line(), "cam-simulator: /nonexistent.json: cannot be read");
    EXPECT_EQ(unreadable.wait(), 2);
}

}  // namespace
