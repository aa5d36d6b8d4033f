#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace cam::test {

/// The program as a user starts it: a child process with its output in files. Killed and reaped at the end.
class Process {
public:
    struct Options {
        std::vector<std::string> arguments;
        std::string folder;                    ///< working folder; output files lie here
        std::vector<std::string> environment;  ///< NAME=value, instead of or beside a small fixed one
        std::string program = CAM_BINARY;
    };
    explicit Process(const Options& options);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void signal(int number) const;
    /// The exit status, 128 + signal if a signal ended it; nullopt if it still runs after `patience`.
    std::optional<int> wait(std::chrono::milliseconds patience = std::chrono::seconds{60});
    [[nodiscard]] bool running();
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;
    /// True as soon as standard error holds `text`.
    bool wait_for_log(const std::string& text, std::chrono::milliseconds patience = std::chrono::seconds{60});

private:
    pid_t pid_ = 0;
    std::optional<int> status_;
    std::string out_file_;
    std::string err_file_;
};

/// Runs to the end.
struct Finished {
    int status;
    std::string out;
    std::string err;
};
Finished run(const Process::Options& options, std::chrono::milliseconds patience = std::chrono::seconds{60});

/// Asks `condition` every few milliseconds until it holds; false after `patience`.
template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = std::chrono::seconds{60});

/// A port of 127.0.0.1 that nobody listened on a moment ago.
std::uint16_t free_port();
std::string read_text(const std::string& path);
void pause(std::chrono::milliseconds duration);

template <typename Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        pause(std::chrono::milliseconds{10});
    }
    return true;
}

}  // namespace cam::test
