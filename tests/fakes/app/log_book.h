#pragma once

#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include <spdlog/sinks/ostream_sink.h>

#include "cam/base/log.h"

namespace cam::app {

/// Keeps what is logged, a line each: `warning condition raised condition=…`. The logger is safe from any
/// thread; read while nobody writes.
class LogBook {
public:
    LogBook()
        : logger_(std::make_shared<spdlog::logger>(
              "book", std::make_shared<spdlog::sinks::ostream_sink_mt>(stream_))) {
        logger_->set_pattern("%l %v");
        logger_->set_level(spdlog::level::debug);
    }
    [[nodiscard]] const Logger& logger() const { return logger_; }
    [[nodiscard]] std::string text() const { return stream_.str(); }
    /// How many lines hold `part`.
    [[nodiscard]] std::size_t count(std::string_view part) const {
        std::istringstream lines(stream_.str());
        std::size_t found = 0;
        for (std::string line; std::getline(lines, line);)
            found += line.find(part) != std::string::npos ? 1 : 0;
        return found;
    }
    void forget() { stream_.str({}); }

private:
    std::ostringstream stream_;
    Logger logger_;
};

}  // namespace cam::app
