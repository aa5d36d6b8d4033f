#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cam/base/secret.h"
#include "cam/model/prefix.h"

namespace cam::app {

/// An address to listen on.
struct ListenAddress {
    std::string host;
    std::uint16_t port = 0;
    [[nodiscard]] bool loopback() const;
    [[nodiscard]] std::string text() const;
};

/// Everything settings.json says, checked, with defaults in place and paths resolved. docs/configuration.md
/// explains each; a value type.
struct Settings {
    struct Cloudflare {
        std::string account_id;
        Secret api_token;
        std::string api_url = "https://api.cloudflare.com/client/v4";
    } cloudflare;
    struct Telegram {
        Secret bot_token;
        std::string chat_id;
        std::optional<std::int64_t> message_thread_id;
        std::string api_url = "https://api.telegram.org";
    } telegram;
    struct Monitor {
        std::chrono::seconds poll_interval{300};
        std::chrono::minutes lookback{15};
        std::uint64_t min_packets = 1;
        std::uint64_t aggregate_above = 3;
        std::chrono::hours catch_up{24};
    } monitor;
    struct Prefixes {
        std::vector<Prefix> mine;
        std::vector<Prefix> cloudflare_anycast;
    } prefixes;
    struct GeoIp {
        std::vector<std::string> city;
        std::vector<std::string> asn;
    } geoip;
    struct Paths {
        std::string database = "db/magic_transit.db";
        std::string dashboard_prefs = "config/dashboard_prefs.json";
        std::string log_file = "logs/network-analytics-monitor.log";
    } paths;
    std::string organization = "GOLINE SOC";
    std::vector<std::pair<std::string, std::string>> services;  ///< label, systemd unit
    struct Api {
        bool enabled = true;
        ListenAddress listen{"127.0.0.1", 8090};
        std::optional<Secret> token;
    } api;
    struct Flow {
        bool enabled = false;
        std::vector<ListenAddress> listen;
        std::uint32_t workers = 0;
        std::uint64_t receive_buffer_bytes = 16'777'216;
    } flow;
    struct Traffic {
        enum class Store { kSqlite, kClickHouse };
        /// Only with kClickHouse: several daemons may collect, one judges and tells.
        enum class Role { kJudge, kCollector };
        /// GoFlow2's topic, which ClickHouse reads itself.
        struct Kafka {
            std::string brokers;  ///< empty: ClickHouse reads no topic
            std::string topic = "flows";
            std::string group = "cloudflare-analytics-monitor";
            std::uint32_t consumers = 1;
        };
        /// Where the own collector's records go instead of straight into ClickHouse.
        struct Producer {
            std::string brokers;  ///< empty: nothing is produced
            std::string topic = "flows";
            std::uint64_t records_per_message = 1;
            std::uint64_t queue_bytes = 268'435'456;
            bool has_tls = false;
            std::string ca_file;  ///< empty: the system's certificates
            std::string user;     ///< empty: no authentication
            std::optional<Secret> password;
        };
        struct ClickHouse {
            std::string url = "http://127.0.0.1:8123";
            std::string database = "flows";
            std::string user = "default";
            std::optional<Secret> password;
            std::string ca_file;  ///< empty: the system's certificates
            std::string cluster;  ///< empty: one server
            std::uint64_t batch_rows = 400'000;
            std::uint64_t buffer_bytes = 536'870'912;
            Kafka kafka;
        };
        Store store = Store::kSqlite;
        Role role = Role::kJudge;
        ClickHouse clickhouse;
        Producer kafka;

        [[nodiscard]] bool on_clickhouse() const { return store == Store::kClickHouse; }
        /// Collects for another daemon, which judges.
        [[nodiscard]] bool only_collects() const { return role == Role::kCollector; }
    } traffic;
};

/// One remark on the settings, for a person.
struct Finding {
    enum class Severity { kError, kWarning };
    Severity severity;
    std::string where;  ///< JSON path, such as `monitor.poll_interval_seconds`; empty: the file as a whole
    std::string what;   ///< what is wrong, what is expected; never a secret
};

/// What became of a settings file: all findings of one pass; `settings` only makes sense without an error
/// among them.
struct LoadedSettings {
    std::string file;
    Settings settings;
    std::vector<Finding> findings;
    [[nodiscard]] bool usable() const;
};

/// Which secrets the caller cannot do without.
enum class Needs { kEverything, kCloudflareOnly };

/// How the environment looks, so that tests can change it.
struct Environment {
    std::optional<std::string> cloudflare_api_token;
    std::optional<std::string> telegram_bot_token;
    std::optional<std::string> credentials_directory;
    static Environment of_process();
};

/// Reads and checks a settings file. Never throws; every problem is a finding.
[[nodiscard]] LoadedSettings load_settings(const std::string& file, const Environment& environment,
                                           Needs needs);
/// The same from text, for tests and fuzzing; `file` gives the folder for relative paths.
[[nodiscard]] LoadedSettings parse_settings(std::string_view text, const std::string& file,
                                            const Environment& environment, Needs needs);

/// The settings file to use: `given`, else the first that exists of
/// /etc/cloudflare-analytics-monitor/settings.json and config/settings.json under the working directory; the
/// former if none does.
[[nodiscard]] std::string settings_file(const std::optional<std::string>& given);

/// Every key that settings.json may have, as JSON paths (`monitor.poll_interval_seconds`).
[[nodiscard]] std::vector<std::string> option_paths();

/// `settings.json: error: monitor.x is …`: one finding as a line.
[[nodiscard]] std::string finding_line(const std::string& file, const Finding& finding);

}  // namespace cam::app
