#include "app/settings.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "app/files.h"
#include "app/flow_addresses.h"
#include "app/settings_reader.h"
#include "app/traffic_settings.h"
#include "cam/base/log.h"

namespace cam::app {
namespace {

// Ordered: services are shown in the order in which somebody wrote them.
using json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMaxSettingsBytes = 1024 * 1024;
constexpr std::size_t kMaxSecretBytes = 4096;
constexpr const char* kSystemFile = "/etc/cloudflare-analytics-monitor/settings.json";
constexpr const char* kLocalFile = "config/settings.json";
constexpr std::uint64_t kNoLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// Where relative paths start: above the settings file's config/ folder, else its own folder.
fs::path base_folder(const std::string& file) {
    const fs::path folder = fs::absolute(file).lexically_normal().parent_path();
    return folder.filename() == "config" ? folder.parent_path() : folder;
}

std::string resolved(const fs::path& base, const std::string& path) {
    return path.empty() ? path : (base / path).lexically_normal().string();
}

std::vector<Prefix> parsed(std::initializer_list<const char*> texts) {
    std::vector<Prefix> out;
    for (const char* text : texts) out.push_back(*Prefix::parse(text));
    return out;
}

Settings defaults() {
    Settings settings;
    settings.prefixes.mine = parsed({"185.54.80.0/22", "2a02:4460::/32"});
    settings.prefixes.cloudflare_anycast = parsed({"162.159.0.0/16", "172.64.0.0/13", "104.16.0.0/13"});
    for (const char* folder : {"/usr/share/GeoIP/", "/var/lib/GeoIP/"}) {
        for (const char* edition : {"GeoIP2-", "GeoLite2-"}) {
            settings.geoip.city.push_back(std::string{folder} + edition + "City.mmdb");
            settings.geoip.asn.push_back(std::string{folder} + edition + "ASN.mmdb");
        }
    }
    settings.services = {{"Webhook", "cloudflare-webhook"},
                         {"Autowithdraw", "cloudflare-autowithdraw"},
                         {"Dashboard", "cloudflare-dashboard"}};
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{2055, 4739, 6343}) {
        settings.flow.listen.push_back({"0.0.0.0", port});
    }
    return settings;
}

/// Somebody may have written the token where its file's name belongs: then it must not be shown.
bool looks_like_token(std::string_view written) {
    constexpr std::size_t kShortestToken = 20;
    return written.size() >= kShortestToken && written.find_first_of("/.") == std::string_view::npos;
}

/// Takes secrets from where they are kept: environment, then file, then the inline value.
class SecretSource {
public:
    SecretSource(SettingsReader& reader, const std::string& settings_file, const Environment& environment)
        : reader_(reader),
          base_(base_folder(settings_file)),
          settings_file_(fs::absolute(settings_file).lexically_normal()),
          environment_(environment) {}

    Secret take(const std::string& inline_path, const std::string& file_path,
                const std::optional<std::string>& from_environment) {
        std::string inline_value;
        std::string file;
        if (!inline_path.empty()) reader_.text(inline_path, inline_value);
        reader_.text(file_path, file);
        if (from_environment && !from_environment->empty())
            return checked(*from_environment, "the environment");
        if (!file.empty()) return from_file(file_path, file);
        if (!inline_value.empty()) warn_if_open(inline_path, settings_file_.string());
        return checked(inline_value, inline_path);
    }

private:
    Secret from_file(const std::string& path, const std::string& written) {
        const std::string file = expanded(written);
        Result<std::string> text = read_file(file, kMaxSecretBytes);
        if (!text) {
            reader_.error(path,
                          looks_like_token(written)
                              ? std::string{"names no file; if this is the token itself, write it into the "
                                            "key without _file"}
                              : fmt::format("cannot read {}: {}", quote(file), text.error().detail));
            return Secret{};
        }
        while (!text->empty() && std::string_view{" \t\r\n"}.find(text->back()) != std::string_view::npos) {
            text->pop_back();
        }
        if (text->empty())
            reader_.error(path, fmt::format("{} is empty; write the token into it", quote(file)));
        warn_if_open(path, file);
        return checked(*text, path);
    }
    void warn_if_open(const std::string& path, const std::string& file) {
        if (!everybody_can_read(file)) return;
        reader_.warning(
            path,
            fmt::format("lies in {}, which everybody on this machine can read; chmod o-r it", quote(file)));
    }
    /// `${CREDENTIALS_DIRECTORY}` is systemd's; a person at a shell has none and means the folder beside the
    /// settings.
    std::string expanded(const std::string& written) const {
        constexpr std::string_view kVariable = "${CREDENTIALS_DIRECTORY}";
        const std::size_t at = written.find(kVariable);
        if (at == std::string::npos) return resolved(base_, written);
        const std::string folder = environment_.credentials_directory.value_or(
            (settings_file_.parent_path() / "credentials").string());
        std::string out = written;
        return resolved(base_, out.replace(at, kVariable.size(), folder));
    }
    Secret checked(const std::string& value, const std::string& where) {
        const bool odd =
            std::any_of(value.begin(), value.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7F; });
        if (odd)
            reader_.error(where, "holds blanks or control characters inside the token; write the bare token");
        return odd ? Secret{} : Secret{value};
    }

    SettingsReader& reader_;
    fs::path base_;
    fs::path settings_file_;
    const Environment& environment_;
};

void read_monitor(SettingsReader& reader, Settings::Monitor& monitor) {
    std::uint64_t poll = static_cast<std::uint64_t>(monitor.poll_interval.count());
    std::uint64_t lookback = static_cast<std::uint64_t>(monitor.lookback.count());
    std::uint64_t catch_up = static_cast<std::uint64_t>(monitor.catch_up.count());
    reader.number("monitor.poll_interval_seconds", 1, 86'400, poll);
    reader.number("monitor.lookback_minutes", 1, 129'600, lookback);
    reader.number("monitor.min_packets", 0, kNoLimit, monitor.min_packets);
    reader.number("monitor.aggregate_above", 0, kNoLimit, monitor.aggregate_above);
    reader.number("monitor.catch_up_hours", 0, 2'160, catch_up);
    monitor.poll_interval = std::chrono::seconds{poll};
    monitor.lookback = std::chrono::minutes{lookback};
    monitor.catch_up = std::chrono::hours{catch_up};
}

void read_api(SettingsReader& reader, SecretSource& secrets, Settings::Api& api) {
    reader.flag("api.enabled", api.enabled);
    reader.listen("api.listen", api.listen);
    constexpr std::size_t kShortestToken = 20;
    Secret token = secrets.take("", "api.token_file", std::nullopt);
    if (!token.empty() && token.reveal().size() < kShortestToken) {
        reader.warning("api.token_file",
                       fmt::format("holds a token of fewer than {} characters, which can be guessed; write a "
                                   "random one (openssl rand -hex 32)",
                                   kShortestToken));
    }
    if (!token.empty()) api.token = std::move(token);
    if (api.enabled && !api.token && !api.listen.loopback()) {
        reader.error("api.listen",
                     fmt::format("is {}, which others can reach, but there is no token; set api.token_file "
                                 "or listen on 127.0.0.1",
                                 api.listen.text()));
    }
}

void read_flow(SettingsReader& reader, SecretSource& secrets, Settings& settings) {
    reader.flag("flow.enabled", settings.flow.enabled);
    reader.listen_list("flow.listen", settings.flow.listen);
    std::uint64_t workers = settings.flow.workers;
    reader.number("flow.workers", 0, 256, workers);
    settings.flow.workers = static_cast<std::uint32_t>(workers);
    reader.number("flow.receive_buffer_bytes", 4'096, 1ULL << 31U, settings.flow.receive_buffer_bytes);
    if (settings.flow.enabled) check_flow_listen(reader, settings.flow.listen);
    read_traffic(reader, settings);
    Settings::Traffic::ClickHouse& clickhouse = settings.traffic.clickhouse;
    Secret password = secrets.take("", "traffic.clickhouse.password_file", std::nullopt);
    if (!password.empty()) clickhouse.password = std::move(password);
    Secret producer_password = secrets.take("", "traffic.kafka.password_file", std::nullopt);
    if (!producer_password.empty()) settings.traffic.kafka.password = std::move(producer_password);
}

void read_all(SettingsReader& reader, const std::string& file, const Environment& environment,
              Settings& settings) {
    const fs::path base = base_folder(file);
    SecretSource secrets(reader, file, environment);

    reader.text("cloudflare.account_id", settings.cloudflare.account_id);
    settings.cloudflare.api_token =
        secrets.take("cloudflare.api_token", "cloudflare.api_token_file", environment.cloudflare_api_token);
    reader.url("cloudflare.api_url", settings.cloudflare.api_url);
    settings.telegram.bot_token =
        secrets.take("telegram.bot_token", "telegram.bot_token_file", environment.telegram_bot_token);
    reader.text_or_integer("telegram.chat_id", settings.telegram.chat_id);
    reader.optional_integer("telegram.message_thread_id", settings.telegram.message_thread_id);
    reader.url("telegram.api_url", settings.telegram.api_url);
    read_monitor(reader, settings.monitor);
    reader.prefixes("prefixes.mine", settings.prefixes.mine);
    reader.prefixes("prefixes.cloudflare_anycast", settings.prefixes.cloudflare_anycast);
    reader.texts("geoip.city", settings.geoip.city);
    reader.texts("geoip.asn", settings.geoip.asn);
    for (std::string& path : settings.geoip.city) path = resolved(base, path);
    for (std::string& path : settings.geoip.asn) path = resolved(base, path);
    reader.text("paths.database", settings.paths.database);
    reader.text("paths.dashboard_prefs", settings.paths.dashboard_prefs);
    reader.text("paths.log_file", settings.paths.log_file);
    settings.paths.database = resolved(base, settings.paths.database);
    settings.paths.dashboard_prefs = resolved(base, settings.paths.dashboard_prefs);
    settings.paths.log_file = resolved(base, settings.paths.log_file);
    reader.text("organization", settings.organization);
    reader.text_map("services", settings.services);
    read_api(reader, secrets, settings.api);
    read_flow(reader, secrets, settings);
    settings.traffic.clickhouse.ca_file = resolved(base, settings.traffic.clickhouse.ca_file);
    settings.traffic.kafka.ca_file = resolved(base, settings.traffic.kafka.ca_file);
    reader.note_unknown_keys();
}

bool has_error_at(const std::vector<Finding>& findings, std::string_view prefix) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
        return finding.severity == Finding::Severity::kError && finding.where.rfind(prefix, 0) == 0;
    });
}

/// A chat's id is a number, a channel's or public group's name begins with @; Telegram knows nothing else.
bool looks_like_chat(std::string_view id) {
    if (id.starts_with('@')) return id.size() > 1 && id.find_first_of(" \t\r\n") == std::string_view::npos;
    if (id.starts_with('-')) id.remove_prefix(1);
    return !id.empty() && id.find_first_not_of("0123456789") == std::string_view::npos;
}

/// What must be there for the work that is asked.
void require(SettingsReader& reader, const std::vector<Finding>& findings, const Settings& settings,
             Needs needs) {
    const auto missing = [&](bool absent, const char* path, const char* what, Needs needed_for) {
        if (!absent || has_error_at(findings, path)) return;
        const bool collects = settings.traffic.only_collects() && needed_for == Needs::kCloudflareOnly;
        if (collects && needs == Needs::kEverything) return;  // nobody asks Cloudflare then
        if (needs == Needs::kCloudflareOnly && needed_for == Needs::kEverything) {
            reader.warning(path, what);
        } else {
            reader.error(path, what);
        }
    };
    missing(settings.cloudflare.account_id.empty(), "cloudflare.account_id",
            "is missing; write the account's id (dashboard: Account Home, Copy account ID)",
            Needs::kCloudflareOnly);
    missing(settings.cloudflare.api_token.empty(), "cloudflare.api_token",
            "is missing; set api_token, api_token_file or CLOUDFLARE_API_TOKEN (permission Account "
            "Analytics: Read)",
            Needs::kCloudflareOnly);
    missing(settings.telegram.bot_token.empty(), "telegram.bot_token",
            "is missing; set bot_token, bot_token_file or TELEGRAM_BOT_TOKEN (from @BotFather)",
            Needs::kEverything);
    missing(settings.telegram.chat_id.empty(), "telegram.chat_id",
            "is missing; write the chat's id (a group's is negative) or @channel", Needs::kEverything);
    if (!settings.telegram.chat_id.empty() && !looks_like_chat(settings.telegram.chat_id)) {
        reader.warning("telegram.chat_id",
                       "is neither a whole number nor @name; Telegram will not find that chat");
    }
    if (settings.paths.database.empty() && !has_error_at(findings, "paths.database"))
        reader.error("paths.database", "is empty; write the database's path");
    const bool asks_cloudflare = needs == Needs::kCloudflareOnly || !settings.traffic.only_collects();
    if (asks_cloudflare && settings.prefixes.mine.empty() && !has_error_at(findings, "prefixes.mine")) {
        reader.error("prefixes.mine",
                     "is empty, so no event would ever be told; write your prefixes, such as "
                     "[\"185.54.80.0/22\", \"2a02:4460::/32\"]");
    }
}

std::string place_in(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, std::min(byte == 0 ? 0 : byte - 1, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t start = before.rfind('\n');
    const std::size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
    return fmt::format("line {}, column {}", line, column);
}

std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): read before any thread exists
    return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

}  // namespace

bool ListenAddress::loopback() const {
    const auto address = IpAddress::parse(host);
    static const Prefix kLoopback4 = *Prefix::parse("127.0.0.0/8");
    static const Prefix kLoopback6 = *Prefix::parse("::1/128");
    return address && (kLoopback4.contains(*address) || kLoopback6.contains(*address));
}

std::string ListenAddress::text() const {
    return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                               : fmt::format("[{}]:{}", host, port);
}

bool LoadedSettings::usable() const {
    return std::none_of(findings.begin(), findings.end(),
                        [](const Finding& finding) { return finding.severity == Finding::Severity::kError; });
}

Environment Environment::of_process() {
    return {variable("CLOUDFLARE_API_TOKEN"), variable("TELEGRAM_BOT_TOKEN"),
            variable("CREDENTIALS_DIRECTORY")};
}

LoadedSettings parse_settings(std::string_view text, const std::string& file, const Environment& environment,
                              Needs needs) {
    LoadedSettings loaded;
    loaded.file = file;
    loaded.settings = defaults();
    const auto refuse = [&](std::string what) {
        loaded.findings.push_back({Finding::Severity::kError, "", std::move(what)});
        return loaded;
    };
    try {
        // Depth is bounded before the recursive parser and destructor see it.
        const json document = json::parse(text, [](int depth, json::parse_event_t, json&) {
            if (depth > 32) throw std::length_error("nested deeper than 32 levels");
            return true;
        });
        if (!document.is_object())
            return refuse("is no JSON object; expected {\"cloudflare\": …, \"telegram\": …}");
        SettingsReader reader(document, loaded.findings);
        read_all(reader, file, environment, loaded.settings);
        require(reader, loaded.findings, loaded.settings, needs);
    } catch (const json::parse_error& failure) {
        return refuse(fmt::format("is not valid JSON at {}; check quotes, commas and braces there",
                                  place_in(text, failure.byte)));
    } catch (const std::exception& failure) {
        return refuse(fmt::format("cannot be used: {}", failure.what()));
    }
    return loaded;
}

LoadedSettings load_settings(const std::string& file, const Environment& environment, Needs needs) {
    Result<std::string> text = read_file(file, kMaxSettingsBytes);
    if (text) return parse_settings(*text, file, environment, needs);
    LoadedSettings loaded;
    loaded.file = file;
    loaded.findings.push_back(
        {Finding::Severity::kError, "",
         fmt::format("cannot be read: {}; give another with --config FILE", text.error().detail)});
    return loaded;
}

std::string settings_file(const std::optional<std::string>& given) {
    if (given) return *given;
    std::error_code ignored;
    if (!fs::exists(kSystemFile, ignored) && fs::exists(kLocalFile, ignored)) return kLocalFile;
    return kSystemFile;
}

std::vector<std::string> option_paths() {
    const json empty = json::object();
    std::vector<Finding> findings;
    SettingsReader reader(empty, findings);
    Settings settings;
    read_all(reader, "settings.json", Environment{}, settings);
    return reader.asked();
}

std::string finding_line(const std::string& file, const Finding& finding) {
    const char* severity = finding.severity == Finding::Severity::kError ? "error" : "warning";
    if (finding.where.empty()) return fmt::format("{}: {}: the file {}", file, severity, finding.what);
    // A key of the file is text from outside like its values: no line breaks, no colours.
    const std::string where = quote(finding.where);
    return fmt::format("{}: {}: {} {}", file, severity, where.substr(1, where.size() - 2), finding.what);
}

}  // namespace cam::app
