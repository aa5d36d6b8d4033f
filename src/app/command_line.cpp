#include "app/command_line.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <CLI/CLI.hpp>

#include "app/settings_reader.h"
#include "cam/base/log.h"
#include "cam/base/version.h"

namespace cam::app {
namespace {

constexpr std::int64_t kMaxLookback = 129'600;  // the 90 days that Cloudflare keeps

/// What CLI11 parses: the arguments, of which the program's name may be one. What follows `--` after `alert`
/// is another program's: it goes to `command` as it stands, since CLI11 would take `[a,b]` apart.
std::vector<std::string> arguments_of(int argc, const char* const* argv, std::vector<std::string>& command) {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    const std::string_view path = argc > 0 ? argv[0] : "";
    if (path.substr(path.rfind('/') + 1) == "alert") arguments.insert(arguments.begin(), "alert");
    const auto alert = std::find(arguments.begin(), arguments.end(), "alert");
    const auto mark = std::find(alert, arguments.end(), "--");
    if (mark == arguments.end()) return arguments;
    command.assign(mark + 1, arguments.end());
    arguments.erase(mark, arguments.end());
    return arguments;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

}  // namespace

std::variant<Invocation, Farewell> parse_command_line(int argc, const char* const* argv) {
    Invocation asked;
    bool once = false;
    bool test = false;
    bool check_config = false;
    std::int64_t lookback = 0;
    std::string config;
    std::string level = "info";
    const std::map<std::string, spdlog::level::level_enum> levels{
        {"trace", spdlog::level::trace}, {"debug", spdlog::level::debug},  {"info", spdlog::level::info},
        {"warn", spdlog::level::warn},   {"warning", spdlog::level::warn}, {"error", spdlog::level::err}};

    CLI::App app{
        "Tells a SOC on Telegram what Cloudflare Magic Transit mitigates.\n"
        "Without an option it runs as a daemon until SIGTERM; SIGHUP reads the settings again.",
        "cloudflare-analytics-monitor"};
    app.get_formatter()->column_width(32);
    app.set_version_flag("--version", fmt::format("cloudflare-analytics-monitor {}", version()));
    CLI::Option* once_option = app.add_flag("-1,--once", once, "One poll, deliver what waits, leave");
    CLI::Option* test_option =
        app.add_flag("-t,--test", test, "Dry run: print what would be sent and why; send and write nothing");
    CLI::Option* check_option = app.add_flag("--check-config", check_config,
                                             "Check settings, secrets, database, GeoIP and addresses");
    CLI::Option* lookback_option =
        app.add_option("-l,--lookback", lookback, "Query window in minutes, 1 to 129600")->type_name("MIN");
    CLI::Option* config_option =
        app.add_option("-c,--config", config,
                       "Settings file (default /etc/cloudflare-analytics-monitor/settings.json,\n"
                       "then config/settings.json under the working directory)")
            ->type_name("FILE");
    app.add_option("--log-level", level, "trace, debug, info, warn or error")->type_name("LEVEL");
    once_option->excludes(test_option)->excludes(check_option);
    test_option->excludes(check_option);
    CLI::App* notify =
        app.add_subcommand("notify", "Send one message of your own to the SOC, through the same outbox");
    notify->add_option("text", asked.notify_text, "What to say")->required()->type_name("TEXT");
    notify->add_flag("--recovered", asked.notify_recovered, "Good news: mark it so");
    notify->fallthrough();
    CLI::App* alert =
        app.add_subcommand("alert", "Ask the running daemon which rules are crossed now; exit 3: no answer");
    CLI::Option* api_option =
        alert->add_option("--api", asked.alert_api, "The daemon's API instead of the settings' api.listen")
            ->type_name("HOST:PORT");
    alert->footer("-- COMMAND ARG...  runs once, with the alerts on its standard input, if there are some");
    alert->fallthrough();
    app.footer("Exit status: 0 done, 1 the work failed, 2 wrong usage or settings.");

    const auto misuse = [](const std::string& what) {
        return Farewell{"", fmt::format("cloudflare-analytics-monitor: {}; see --help\n", what), 2};
    };
    try {
        std::vector<std::string> arguments = arguments_of(argc, argv, asked.alert_command);
        std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
        app.parse(std::move(arguments));
    } catch (const CLI::ParseError& stop) {
        if (stop.get_exit_code() != 0) return misuse(first_line(stop.what()));
        std::ostringstream out;
        std::ostringstream err;
        app.exit(stop, out, err);
        return Farewell{out.str(), err.str(), 0};
    }
    if (lookback_option->count() > 0) {
        if (lookback < 1 || lookback > kMaxLookback) {
            return misuse(
                fmt::format("--lookback is {}; expected minutes from 1 to {}", lookback, kMaxLookback));
        }
        asked.lookback = std::chrono::minutes{lookback};
    }
    const auto known = levels.find(level);
    if (known == levels.end()) {
        return misuse(fmt::format("--log-level is '{}'; expected trace, debug, info, warn or error", level));
    }
    asked.log_level = known->second;
    if (config_option->count() > 0) asked.config = config;
    if (!asked.alert_command.empty() && !alert->parsed()) return misuse("only alert runs a command after --");
    if (notify->parsed() || alert->parsed()) {
        if (once || test || check_config || (notify->parsed() && alert->parsed()))
            return misuse("notify and alert go with no other mode");
        if (api_option->count() > 0 && !parse_listen(*asked.alert_api)) {
            return misuse(fmt::format("--api is {}; expected an address and a port, such as 127.0.0.1:8090",
                                      quote(*asked.alert_api, 60)));
        }
        asked.mode = notify->parsed() ? Mode::kNotify : Mode::kAlert;
    } else if (once) {
        asked.mode = Mode::kOnce;
    } else if (test) {
        asked.mode = Mode::kTest;
    } else if (check_config) {
        asked.mode = Mode::kCheckConfig;
    }
    return asked;
}

}  // namespace cam::app
