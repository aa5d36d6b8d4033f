#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "app/clickhouse_settings.h"
#include "app/flow_listening.h"
#include "app/modes.h"
#include "app/monitor_parts.h"
#include "app/preferences.h"
#include "cam/base/time_text.h"
#include "cam/base/unique_fd.h"

namespace cam::app {
namespace {

namespace fs = std::filesystem;

/// Prints one line per finding and remembers whether one was an error.
class Checklist {
public:
    void fine(const std::string& what) { print("ok", what); }
    void warning(const std::string& what) { print("warning", what); }
    void error(const std::string& what) {
        print("error", what);
        failed_ = true;
    }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    static void print(const char* severity, const std::string& what) {
        std::printf("%s: %s\n", severity, what.c_str());
    }
    bool failed_ = false;
};

/// Whether we could listen there now; empty: yes.
std::string listen_problem(const ListenAddress& at) {
    const bool v6 = at.host.find(':') != std::string::npos;
    const UniqueFd socket(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return std::generic_category().message(errno);
    const int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    int bound = 0;
    if (v6) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(at.port);
        ::inet_pton(AF_INET6, at.host.c_str(), &address.sin6_addr);
        bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(at.port);
        ::inet_pton(AF_INET, at.host.c_str(), &address.sin_addr);
        bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    return bound == 0 ? std::string{} : std::generic_category().message(errno);
}

void check_database(const Settings& settings, Checklist& list) {
    const std::string& path = settings.paths.database;
    auto store = store::SqliteStore::open(store_options(settings, store::Access::kReadOnly));
    if (!store && store.error().code == ErrorCode::kNotFound) {
        const fs::path folder = fs::path(path).parent_path();
        std::error_code ignored;
        if (fs::exists(folder, ignored) && ::access(folder.c_str(), W_OK) != 0) {
            return list.warning(
                fmt::format("database {}: does not exist, and this user may not create it", path));
        }
        return list.fine(fmt::format("database {}: does not exist yet, will be created", path));
    }
    if (!store) return list.error(fmt::format("database {}: {}", path, store.error().detail));
    if (const Status sound = (*store)->quick_check(); !sound) {
        return list.error(fmt::format("database {}: {}", path, sound.error().detail));
    }
    const auto history = (*store)->attack_history(SystemClock{}.wall());
    list.fine(fmt::format("database {}: sound, {} events", path, history ? history->mitigations : 0));
}

void check_geoip(const Settings& settings, Checklist& list) {
    enrich::GeoDatabases geo({.city = settings.geoip.city, .asn = settings.geoip.asn, .scratch_folder = ""});
    const enrich::GeoState state = geo.refresh();
    const auto show = [&](const char* kind, const std::optional<GeoEdition>& edition) {
        if (!edition) return;
        list.fine(fmt::format("geoip {}: {} ({}, built {})", kind, edition->path,
                              edition->type == GeoEdition::Type::kCommercial ? "Commercial" : "Free",
                              european_date(edition->built)));
    };
    show("city", state.city);
    show("asn", state.asn);
    for (const std::string& problem : state.problems) list.warning(fmt::format("geoip: {}", problem));
}

void check_files(const Settings& settings, Checklist& list) {
    const PreferenceFile preferences(settings.paths.dashboard_prefs);
    if (const auto toggle = preferences.my_prefixes_only(); toggle) {
        list.fine(fmt::format("dashboard_prefs {}: my_prefixes_only is {}", preferences.path(), *toggle));
    } else {
        list.warning(fmt::format("dashboard_prefs {}: {}; my_prefixes_only counts as true",
                                 preferences.path(), toggle.error().detail));
    }
    const std::string& log = settings.paths.log_file;
    if (log.empty()) return;
    const fs::path folder = fs::path(log).parent_path();
    std::error_code ignored;
    // The daemon makes the file, and its folder too.
    const fs::path nearest = fs::exists(log, ignored)      ? fs::path(log)
                             : fs::exists(folder, ignored) ? folder
                                                           : folder.parent_path();
    const bool writable = ::access(nearest.c_str(), W_OK) == 0;
    if (writable) {
        list.fine(fmt::format("log_file {}: can be written", log));
    } else {
        list.warning(
            fmt::format("log_file {}: this user cannot write it; the log goes to standard error", log));
    }
}

void check_api(const Settings& settings, Checklist& list) {
    const std::string problem = listen_problem(settings.api.listen);
    if (problem.empty()) {
        list.fine(fmt::format("api.listen {}: free", settings.api.listen.text()));
    } else {
        list.warning(fmt::format("api.listen {}: {} (the running daemon itself?)", settings.api.listen.text(),
                                 problem));
    }
}

void check_flow(const Settings& settings, Checklist& list) {
    for (const ListenAddress& address : settings.flow.listen) {
        Settings::Flow one = settings.flow;
        one.listen = {address};
        const auto receivers = net::UdpReceiver::open(receiver_options(one), 1);
        if (!receivers) {
            list.warning(fmt::format("flow.listen {}: {} (the running daemon itself?)", address.text(),
                                     receivers.error().detail));
            continue;
        }
        const std::size_t granted = receivers->front()->granted_buffer_bytes();
        if (granted < one.receive_buffer_bytes) {
            list.warning(fmt::format(
                "flow.listen {}: free, but the kernel grants a buffer of {} instead of {} bytes; raise "
                "net.core.rmem_max",
                address.text(), granted, one.receive_buffer_bytes));
        } else {
            list.fine(fmt::format("flow.listen {}: free", address.text()));
        }
    }
}

/// Reachable, user and password, version, schema: the first that is wrong ends it.
void check_clickhouse(const Settings& settings, Checklist& list) {
    const Settings::Traffic::ClickHouse& asked = settings.traffic.clickhouse;
    auto client = clickhouse::Client::open(clickhouse_options(asked, std::chrono::seconds{10}));
    if (!client) return list.error(fmt::format("traffic.clickhouse: {}", client.error().detail));
    const auto version = (*client)->version();
    if (!version) {
        // What may be different in a minute is no reason not to start.
        const ErrorCode code = version.error().code;
        const bool is_settled = code == ErrorCode::kRefused || code == ErrorCode::kInvalid;
        const std::string line = fmt::format("traffic.clickhouse: {}", version.error().detail);
        return is_settled ? list.error(line) : list.warning(line);
    }
    list.fine(
        fmt::format("traffic.clickhouse: ClickHouse {} answers, user {} is let in", *version, asked.user));
    clickhouse::Query query{.text =
                                fmt::format("SELECT max(version) FROM `{}`.schema_versions", asked.database)};
    query.database = "";
    auto schema = (*client)->run(query);
    const unsigned ours = clickhouse::schema_version();
    if (!schema) {
        const bool is_new = schema.error().code == ErrorCode::kNotFound;
        const std::string line = fmt::format(
            "traffic.clickhouse.database {}: {}", asked.database,
            is_new ? "has no tables yet; the daemon that judges makes them" : schema.error().detail);
        return is_new ? list.fine(line) : list.warning(line);
    }
    const unsigned found = static_cast<unsigned>(std::strtoul(schema->c_str(), nullptr, 10));
    if (found > ours) {
        return list.error(
            fmt::format("traffic.clickhouse.database {}: its tables are of version {}, made by a "
                        "newer program than this one, which knows {}",
                        asked.database, found, ours));
    }
    list.fine(fmt::format("traffic.clickhouse.database {}: tables of version {}, this program makes {}",
                          asked.database, found, ours));
}

}  // namespace

int run_check_config(const Invocation& asked) {
    const LoadedSettings loaded = settings_for(asked, Needs::kEverything);
    Checklist list;
    for (const Finding& finding : loaded.findings) {
        const std::string key = quote(finding.where);
        const std::string where = finding.where.empty() ? "the file" : key.substr(1, key.size() - 2);
        const std::string line = fmt::format("settings {}: {} {}", loaded.file, where, finding.what);
        finding.severity == Finding::Severity::kError ? list.error(line) : list.warning(line);
    }
    if (!list.failed()) {
        const Settings& settings = loaded.settings;
        list.fine(fmt::format("settings {}: {} own and {} Cloudflare prefixes", loaded.file,
                              settings.prefixes.mine.size(), settings.prefixes.cloudflare_anycast.size()));
        list.fine("secrets: Cloudflare and Telegram tokens are there");
        check_database(settings, list);
        check_geoip(settings, list);
        check_files(settings, list);
        if (settings.api.enabled) check_api(settings, list);
        if (settings.flow.enabled) check_flow(settings, list);
        if (settings.traffic.on_clickhouse()) check_clickhouse(settings, list);
    }
    return list.failed() ? kExitUsage : kExitDone;
}

}  // namespace cam::app
