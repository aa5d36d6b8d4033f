#include "app/command_line.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

Farewell misuse(const std::string& what) {
    return {"", fmt::format("cloudflare-analytics-monitor: {}; see --help\n", what), 2};
}

/// The options and subcommands, and what the user made of them. Used once.
class CommandLine {
public:
    CommandLine() {
        app_.get_formatter()->column_width(32);
        app_.set_version_flag("--version", fmt::format("cloudflare-analytics-monitor {}", version()));
        app_.footer("Exit status: 0 done, 1 the work failed, 2 wrong usage or settings.");
        declare_options();
        declare_subcommands();
    }

    std::variant<Invocation, Farewell> parse(int argc, const char* const* argv) {
        try {
            std::vector<std::string> arguments = arguments_of(argc, argv, asked_.alert_command);
            std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
            app_.parse(std::move(arguments));
        } catch (const CLI::ParseError& stop) {
            if (stop.get_exit_code() != 0) return misuse(first_line(stop.what()));
            std::ostringstream out;
            std::ostringstream err;
            app_.exit(stop, out, err);
            return Farewell{out.str(), err.str(), 0};
        }
        if (const auto wrong = read_values()) return *wrong;
        if (const auto wrong = choose_mode()) return *wrong;
        return asked_;
    }

private:
    void declare_options() {
        CLI::Option* once = app_.add_flag("-1,--once", once_, "One poll, deliver what waits, leave");
        CLI::Option* test = app_.add_flag(
            "-t,--test", test_, "Dry run: print what would be sent and why; send and write nothing");
        CLI::Option* check = app_.add_flag("--check-config", check_config_,
                                           "Check settings, secrets, database, GeoIP and addresses");
        lookback_option_ = app_.add_option("-l,--lookback", lookback_, "Query window in minutes, 1 to 129600")
                               ->type_name("MIN");
        config_option_ =
            app_.add_option("-c,--config", config_,
                            "Settings file (default /etc/cloudflare-analytics-monitor/settings.json,\n"
                            "then config/settings.json under the working directory)")
                ->type_name("FILE");
        app_.add_option("--log-level", level_, "trace, debug, info, warn or error")->type_name("LEVEL");
        once->excludes(test)->excludes(check);
        test->excludes(check);
    }

    void declare_subcommands() {
        notify_ =
            app_.add_subcommand("notify", "Send one message of your own to the SOC, through the same outbox");
        notify_->add_option("text", asked_.notify_text, "What to say")->required()->type_name("TEXT");
        notify_->add_flag("--recovered", asked_.notify_recovered, "Good news: mark it so");
        notify_->fallthrough();
        alert_ = app_.add_subcommand("alert",
                                     "Ask the running daemon which rules are crossed now; exit 3: no answer");
        api_option_ = alert_
                          ->add_option("--api", asked_.alert_api,
                                       "The daemon's API instead of the settings' api.listen")
                          ->type_name("HOST:PORT");
        alert_->footer(
            "-- COMMAND ARG...  runs once, with the alerts on its standard input, if there are some");
        alert_->fallthrough();
        CLI::App* decode = app_.add_subcommand(
            "decode",
            "Print the flow records of a capture (pcap, pcapng) as JSON, as the collector would see them");
        decode->add_option("file", asked_.capture, "The capture; - is standard input")
            ->required()
            ->type_name("FILE");
        decode->add_flag("--summary", asked_.summary, "One object of totals instead");
    }

    std::optional<Farewell> read_values() {
        if (lookback_option_->count() > 0) {
            if (lookback_ < 1 || lookback_ > kMaxLookback) {
                return misuse(
                    fmt::format("--lookback is {}; expected minutes from 1 to {}", lookback_, kMaxLookback));
            }
            asked_.lookback = std::chrono::minutes{lookback_};
        }
        const std::map<std::string, spdlog::level::level_enum> levels{
            {"trace", spdlog::level::trace}, {"debug", spdlog::level::debug},  {"info", spdlog::level::info},
            {"warn", spdlog::level::warn},   {"warning", spdlog::level::warn}, {"error", spdlog::level::err}};
        const auto known = levels.find(level_);
        if (known == levels.end()) {
            return misuse(
                fmt::format("--log-level is '{}'; expected trace, debug, info, warn or error", level_));
        }
        asked_.log_level = known->second;
        if (config_option_->count() > 0) asked_.config = config_;
        if (!asked_.alert_command.empty() && !alert_->parsed()) {
            return misuse("only alert runs a command after --");
        }
        if (api_option_->count() > 0 && !parse_listen(*asked_.alert_api)) {
            return misuse(fmt::format("--api is {}; expected an address and a port, such as 127.0.0.1:8090",
                                      quote(*asked_.alert_api, 60)));
        }
        return std::nullopt;
    }

    std::optional<Farewell> choose_mode() {
        const auto subcommands = app_.get_subcommands();
        if (!subcommands.empty()) {
            if (once_ || test_ || check_config_ || subcommands.size() > 1) {
                return misuse(fmt::format("{} goes with no other mode", subcommands.front()->get_name()));
            }
            asked_.mode = notify_->parsed() ? Mode::kNotify : alert_->parsed() ? Mode::kAlert : Mode::kDecode;
        } else if (once_) {
            asked_.mode = Mode::kOnce;
        } else if (test_) {
            asked_.mode = Mode::kTest;
        } else if (check_config_) {
            asked_.mode = Mode::kCheckConfig;
        }
        return std::nullopt;
    }

    CLI::App app_{
        "Tells a SOC on Telegram what Cloudflare Magic Transit mitigates, and what crosses the rules on its "
        "flows.\n"
        "Without an option it runs as a daemon until SIGTERM; SIGHUP reads the settings again.",
        "cloudflare-analytics-monitor"};
    Invocation asked_;
    bool once_ = false;
    bool test_ = false;
    bool check_config_ = false;
    std::int64_t lookback_ = 0;
    std::string config_;
    std::string level_ = "info";
    CLI::Option* lookback_option_ = nullptr;  // CLI11 owns what these point to
    CLI::Option* config_option_ = nullptr;
    CLI::Option* api_option_ = nullptr;
    CLI::App* notify_ = nullptr;
    CLI::App* alert_ = nullptr;
};

}  // namespace

std::variant<Invocation, Farewell> parse_command_line(int argc, const char* const* argv) {
    return CommandLine().parse(argc, argv);
}

}  // namespace cam::app
