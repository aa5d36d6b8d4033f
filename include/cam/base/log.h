#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "cam/base/clock.h"
#include "cam/base/guarded.h"
#include "cam/base/result.h"

namespace cam {

/// Everything a component may say. Lines are lower-case constant text with facts as key=value; see `quote`
/// for facts that came from outside. Safe from any thread.
using Logger = std::shared_ptr<spdlog::logger>;

/// `text` in double quotes, control bytes, quotes and backslashes escaped, cut at `most` bytes: a value from
/// outside can neither start a new log line nor fill the disk.
[[nodiscard]] std::string quote(std::string_view text, std::size_t most = 200);

/// Where lines go. A log file that cannot be written is reported once on standard error; the process goes on
/// without it and picks it up again when it can be written. Safe from any thread.
class LogOutput {
public:
    /// Lines go to standard error (systemd's journal) and, unless `file` is empty, to that file.
    static std::shared_ptr<LogOutput> open(const std::string& file, spdlog::level::level_enum level);

    [[nodiscard]] Logger logger() const { return logger_; }
    /// Closes the file and opens it anew at its name (after logrotate moved it). Also when it is another
    /// file.
    void reopen(const std::string& file);
    void set_level(spdlog::level::level_enum level) { logger_->set_level(level); }
    /// Why the log file cannot be written now; empty while it can.
    [[nodiscard]] std::string file_problem() const;

private:
    class FileSink;
    LogOutput() = default;
    std::shared_ptr<FileSink> file_;
    Logger logger_;
};

/// A logger that drops everything, for tests and tools.
[[nodiscard]] Logger null_logger();

}  // namespace cam
