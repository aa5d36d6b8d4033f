#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <spdlog/common.h>

namespace cam::app {

enum class Mode { kDaemon, kOnce, kTest, kCheckConfig, kNotify, kAlert, kDecode };

/// What the user asked for.
struct Invocation {
    Mode mode = Mode::kDaemon;
    std::optional<std::string> config;
    std::optional<std::chrono::minutes> lookback;
    spdlog::level::level_enum log_level = spdlog::level::info;
    std::string notify_text;
    bool notify_recovered = false;
    std::optional<std::string> alert_api;    ///< `host:port` of the daemon to ask
    std::vector<std::string> alert_command;  ///< what gets the alerts; empty: standard output
    std::string capture;                     ///< of kDecode; `-` is standard input
    bool summary = false;                    ///< totals instead of records
};

/// The program is done already (help, version, wrong usage): print and leave with `status`.
struct Farewell {
    std::string out;
    std::string err;
    int status = 0;
};

/// Called by the name `alert`, the program is its own command `alert`.
[[nodiscard]] std::variant<Invocation, Farewell> parse_command_line(int argc, const char* const* argv);

}  // namespace cam::app
