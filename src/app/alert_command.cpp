#include "app/alert_command.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "app/files.h"
#include "app/modes.h"
#include "app/monitor_parts.h"
#include "app/settings_reader.h"
#include "cam/base/log.h"
#include "cam/base/unique_fd.h"

namespace cam::app {
namespace {

using json = nlohmann::ordered_json;
using std::chrono::seconds;

constexpr const char* kTokenVariable = "CAM_API_TOKEN";
constexpr std::size_t kMostSettings = std::size_t{1024} * 1024;
constexpr std::size_t kMostAnswer = std::size_t{64} * 1024 * 1024;
// What a shell says of a command that it cannot run.
constexpr int kExitNotExecutable = 126;
constexpr int kExitCommandNotFound = 127;

int complain(int status, const std::string& what) {
    std::fprintf(stderr, "cloudflare-analytics-monitor alert: %s\n", what.c_str());
    return status;
}

/// An address to connect to: one that listens everywhere listens on loopback too.
ListenAddress reachable(ListenAddress address) {
    if (address.host == "0.0.0.0") address.host = "127.0.0.1";
    if (address.host == "::") address.host = "::1";
    return address;
}

/// The first message of an answer that is no success.
std::string message_of(const std::string& body) {
    const json answer = json::parse(body, nullptr, false);
    if (!answer.is_object() || !answer.contains("errors")) return {};
    const json& errors = answer.at("errors");
    const bool is_list = errors.is_array() && !errors.empty() && errors[0].is_object();
    if (!is_list || !errors[0].contains("message") || !errors[0]["message"].is_string()) return {};
    return ": " + quote(errors[0]["message"].get<std::string>());
}

/// Becomes the command, with `input` as its standard input: its exit status, and the signal that ends it, are
/// ours. Returns only if that fails. `input` lies in a file without a name, so that a command which reads
/// nothing blocks nobody.
int become(const std::vector<std::string>& command, const std::string& input) {
    const UniqueFd file{::memfd_create("alerts", MFD_CLOEXEC)};
    const auto failed = [](const char* what) {
        return complain(kExitFailed, fmt::format("{}: {}", what, std::generic_category().message(errno)));
    };
    if (!file.valid()) return failed("cannot make room for the alerts");
    for (std::size_t at = 0; at < input.size();) {
        const ssize_t written = ::write(file.get(), input.data() + at, input.size() - at);
        if (written < 0) return failed("cannot hand over the alerts");
        at += static_cast<std::size_t>(written);
    }
    if (::lseek(file.get(), 0, SEEK_SET) < 0 || ::dup2(file.get(), STDIN_FILENO) < 0)
        return failed("cannot hand over the alerts");
    std::signal(SIGPIPE, SIG_DFL);  // which main ignores; a command expects the default
    std::vector<std::string> copies = command;
    std::vector<char*> arguments;
    arguments.reserve(copies.size() + 1);
    for (std::string& argument : copies) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    const int why = errno;
    return complain(
        why == ENOENT ? kExitCommandNotFound : kExitNotExecutable,
        fmt::format("cannot run {}: {}", quote(command.front()), std::generic_category().message(why)));
}

}  // namespace

Result<AlertSource> alert_source(const Invocation& asked, const std::optional<std::string>& token,
                                 const Environment& environment) {
    AlertSource source;
    bool is_enabled = true;
    const std::string file = settings_file(asked.config);
    const Result<std::string> text = read_file(file, kMostSettings);
    if (!text && asked.config) {
        return Error{ErrorCode::kInvalid, fmt::format("{} cannot be read: {}", file, text.error().detail)};
    }
    if (text) {
        const LoadedSettings loaded = parse_settings(*text, file, environment, Needs::kCloudflareOnly);
        for (const Finding& finding : loaded.findings) {
            const bool counts = finding.where.empty() || finding.where.starts_with("api.");
            const bool is_replaced = token && finding.where == "api.token_file";
            if (counts && !is_replaced && finding.severity == Finding::Severity::kError)
                return Error{ErrorCode::kInvalid, finding_line(file, finding)};
        }
        source.address = loaded.settings.api.listen;
        source.token = loaded.settings.api.token;
        is_enabled = loaded.settings.api.enabled;
    } else {
        source.address = Settings{}.api.listen;
    }
    if (token) source.token = Secret{*token};
    if (asked.alert_api) {
        source.address = *parse_listen(*asked.alert_api);
    } else if (!is_enabled) {
        return Error{ErrorCode::kUnreachable,
                     fmt::format("the daemon has no API: api.enabled is false in {}", file)};
    }
    source.address = reachable(source.address);
    return source;
}

Result<std::string> active_alerts(net::HttpClient& http, const AlertSource& source) {
    const std::string where = source.address.text();
    net::HttpRequest request{.url = fmt::format("http://{}/alerts?active=true&limit=10000", where),
                             .way = net::Way::kDirect,
                             .total = seconds{20},
                             .connect = seconds{5},
                             .max_response_bytes = kMostAnswer};
    if (source.token)
        request.headers.emplace_back("Authorization", fmt::format("Bearer {}", source.token->reveal()));
    const Result<net::HttpResponse> response = http.perform(request);
    if (!response) {
        return Error{response.error().code,
                     fmt::format("no daemon answers at {}: {}; is it running, and with api.enabled true?",
                                 where, response.error().detail)};
    }
    if (response->status == 401) {
        return Error{
            ErrorCode::kRefused,
            fmt::format("the daemon at {} asks for the API's token: set {}, or run as somebody who can "
                        "read api.token_file",
                        where, kTokenVariable)};
    }
    if (response->status != 200) {
        return Error{ErrorCode::kRefused, fmt::format("the daemon at {} answers with status {}{}", where,
                                                      response->status, message_of(response->body))};
    }
    const json answer = json::parse(response->body, nullptr, false);
    if (!answer.is_object() || !answer.contains("result") || !answer.at("result").is_array()) {
        return Error{ErrorCode::kBroken, fmt::format("what answers at {} is not the daemon's API", where)};
    }
    const json& alerts = answer.at("result");
    if (alerts.empty()) return std::string{};
    return alerts.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

int run_alert(const Invocation& asked) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
    const char* token = std::getenv(kTokenVariable);
    const bool is_set = token != nullptr && *token != '\0';
    const auto source = alert_source(asked, is_set ? std::optional<std::string>{token} : std::nullopt,
                                     Environment::of_process());
    if (!source) {
        const bool is_off = source.error().code == ErrorCode::kUnreachable;
        return complain(is_off ? kExitUnreachable : kExitUsage, source.error().detail);
    }
    std::string alerts;
    {
        auto http = net::CurlHttpClient::create(user_agent());
        if (!http) return complain(kExitFailed, http.error().detail);
        Result<std::string> told = active_alerts(**http, source.value());
        if (!told) return complain(kExitUnreachable, told.error().detail);
        alerts = std::move(told).value();
    }
    if (alerts.empty()) return kExitDone;
    if (!asked.alert_command.empty()) return become(asked.alert_command, alerts);
    const bool is_written = std::fputs(alerts.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    if (is_written) return kExitDone;
    return complain(kExitFailed, fmt::format("cannot write to standard output: {}",
                                             std::generic_category().message(errno)));
}

}  // namespace cam::app
