#include "cam/base/log.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/null_sink.h>

#include "cam/base/unique_fd.h"

namespace cam {
namespace {

// RFC 3339 UTC; the journal adds its own time, and a line copied out of it keeps this one.
constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";

std::unique_ptr<spdlog::formatter> make_formatter() {
    return std::make_unique<spdlog::pattern_formatter>(kPattern, spdlog::pattern_time_type::utc);
}

/// All of `bytes`, or the errno of what went wrong.
int write_all(int fd, const char* bytes, std::size_t size) {
    while (size > 0) {
        const ssize_t wrote = ::write(fd, bytes, size);
        if (wrote < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        bytes += wrote;
        size -= static_cast<std::size_t>(wrote);
    }
    return 0;
}

/// Standard error. A reader that went away is nobody to tell, so failures are dropped.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        static_cast<void>(write_all(STDERR_FILENO, line.data(), line.size()));
    }
    void flush_() override {}
};

}  // namespace

std::string quote(std::string_view text, std::size_t most) {
    std::string out = "\"";
    const bool cut = text.size() > most;
    if (cut) {
        std::size_t end = most;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
            --end;  // not inside a character
        text = text.substr(0, end);
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7F) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned>(byte));
        } else {
            out += c;
        }
    }
    out += cut ? "…\"" : "\"";
    return out;
}

/// Appends to one file. While it cannot be written, lines are lost here (standard error has them) and each
/// tenth second at most the file is tried again.
class LogOutput::FileSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit FileSink(std::string path) : path_(std::move(path)) { open(); }

    void reopen(const std::string& path) {
        const std::lock_guard lock(mutex_);
        path_ = path;
        open();
    }
    std::string problem() {
        const std::lock_guard lock(mutex_);
        return problem_;
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (path_.empty()) return;
        if (!fd_.valid()) {
            if (message.time < retry_at_) return;
            open(message.time);
            if (!fd_.valid()) return;
        }
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        const int failure = write_all(fd_.get(), line.data(), line.size());
        if (failure != 0) {
            fail(failure, message.time);
        } else if (!problem_.empty()) {
            problem_.clear();
            tell(fmt::format("log file is written again file={}", quote(path_)));
        }
    }
    void flush_() override {}

private:
    void open(spdlog::log_clock::time_point now = {}) {
        fd_.close();
        if (path_.empty()) {
            problem_.clear();
            return;
        }
        fd_ = UniqueFd(
            ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640));
        if (!fd_.valid()) fail(errno, now);
    }
    void fail(int error, spdlog::log_clock::time_point now) {
        fd_.close();
        retry_at_ = now + std::chrono::seconds{10};
        const bool first = problem_.empty();
        problem_ = fmt::format("log file cannot be written file={} reason={}", quote(path_),
                               quote(std::generic_category().message(error)));
        if (first) tell(problem_ + "; going on with standard error only");
    }
    void tell(const std::string& what) {
        const std::string line = fmt::format("warning {}\n", what);
        static_cast<void>(write_all(STDERR_FILENO, line.data(), line.size()));
    }

    std::string path_;
    UniqueFd fd_;
    std::string problem_;
    spdlog::log_clock::time_point retry_at_;
};

std::shared_ptr<LogOutput> LogOutput::open(const std::string& file, spdlog::level::level_enum level) {
    auto output = std::shared_ptr<LogOutput>(new LogOutput());
    auto console = std::make_shared<StderrSink>();
    console->set_formatter(make_formatter());
    output->file_ = std::make_shared<FileSink>(file);
    output->file_->set_formatter(make_formatter());
    output->logger_ =
        std::make_shared<spdlog::logger>("cam", spdlog::sinks_init_list{console, output->file_});
    output->logger_->set_level(level);
    return output;
}

void LogOutput::reopen(const std::string& file) {
    file_->reopen(file);
}

std::string LogOutput::file_problem() const {
    return file_->problem();
}

Logger null_logger() {
    return std::make_shared<spdlog::logger>("null", std::make_shared<spdlog::sinks::null_sink_mt>());
}

}  // namespace cam
