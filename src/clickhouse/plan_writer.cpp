#include "cam/clickhouse/plan_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <spdlog/fmt/fmt.h>

#include "clickhouse/schema_template.h"
#include "clickhouse/url_text.h"

namespace cam::clickhouse {
namespace {

constexpr std::size_t kMostPrefixes = 1'000'000;

/// FNV-1a with a last mixing (the finalizer of SplitMix64), so that neighbours lie far apart.
std::uint64_t mixed(std::uint64_t hash) {
    hash ^= hash >> 30U;
    hash *= 0xbf58476d1ce4e5b9U;
    hash ^= hash >> 27U;
    hash *= 0x94d049bb133111ebU;
    return hash ^ hash >> 31U;
}

std::string whole_address(const IpAddress& address) {
    return fmt::format("{}/{}", address.text(), address.width());
}

/// Sorted, a prefix before those within it, without doubles.
std::vector<Prefix> sorted(std::vector<Prefix> prefixes) {
    std::sort(prefixes.begin(), prefixes.end());
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    return prefixes;
}

/// Rows of `plan_prefixes`: each prefix with the ids of all that cover it, the shortest first.
std::string prefix_rows(const std::vector<Prefix>& prefixes, std::uint64_t generation) {
    std::string out;
    std::vector<Prefix> covering;
    for (const Prefix& prefix : prefixes) {
        while (!covering.empty() && (!covering.back().contains(prefix.address()) ||
                                     covering.back().address().family() != prefix.address().family())) {
            covering.pop_back();
        }
        covering.push_back(prefix);
        out += fmt::format("{}\t{}\t[", generation, prefix.text());
        for (const Prefix& one : covering) {
            if (out.back() != '[') out += ',';
            out += fmt::format("{}", prefix_id(one));
        }
        out += "]\n";
    }
    return out;
}

std::string name_rows(const std::vector<Prefix>& prefixes) {
    std::string out;
    for (const Prefix& prefix : prefixes) {
        out += fmt::format("{}\t{}\t{}\t{}\n", prefix_id(prefix), prefix.text(), prefix.address().text(),
                           prefix.length());
    }
    return out;
}

std::string router_rows(const std::vector<Router>& routers, std::uint64_t generation) {
    std::map<IpAddress, const Router*> last;
    for (const Router& router : routers) last.insert_or_assign(router.address, &router);
    std::string out;
    for (const auto& [address, router] : last) {
        out += fmt::format("{}\t{}\t{}\t{}\n", generation, whole_address(address),
                           escaped_parameter(router->name), router->default_sampling);
    }
    return out;
}

bool share_an_id(const std::vector<Prefix>& prefixes) {
    std::vector<std::uint64_t> ids;
    ids.reserve(prefixes.size());
    for (const Prefix& prefix : prefixes) ids.push_back(prefix_id(prefix));
    std::sort(ids.begin(), ids.end());
    return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

}  // namespace

std::uint64_t prefix_id(const Prefix& prefix) {
    const auto& bytes = prefix.address().bytes();
    if (prefix.address().family() == IpAddress::Family::kV4) {
        std::uint64_t number = prefix.length() + 1;  // never 0, also of 0.0.0.0/0
        for (std::size_t i = 0; i < 4; ++i) number = number << 8U | bytes.at(i);
        return number;
    }
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto take = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
    for (const std::uint8_t byte : bytes) take(byte);
    take(static_cast<std::uint8_t>(prefix.length()));
    return mixed(hash) | std::uint64_t{1} << 63U;
}

PlanWriter::PlanWriter(Client& client, std::string cluster) : client_(client), cluster_(std::move(cluster)) {}

Result<std::optional<std::uint64_t>> PlanWriter::generation(std::stop_token stop) {
    const Result<std::string> answer =
        client_.run({.text = "SELECT max(generation) FROM plans", .stop = std::move(stop)});
    if (!answer) return answer.error();
    std::uint64_t found = 0;
    const auto [end, fault] = std::from_chars(answer->data(), answer->data() + answer->size(), found);
    if (fault != std::errc{}) return Error{ErrorCode::kBroken, "ClickHouse's plan generation is no number"};
    if (found == 0) return std::optional<std::uint64_t>{};
    return std::optional{found};
}

Result<std::vector<Prefix>> PlanWriter::prefixes(std::uint64_t generation, std::stop_token stop) {
    const Result<std::string> answer = client_.run(
        {.text = fmt::format("SELECT prefix FROM plan_prefixes WHERE generation = {} ORDER BY prefix FORMAT "
                             "TabSeparatedRaw",
                             generation),
         .stop = std::move(stop)});
    if (!answer) return answer.error();
    std::vector<Prefix> out;
    std::string_view rest = *answer;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (const auto prefix = Prefix::parse(line)) out.push_back(*prefix);
    }
    return out;
}

Status PlanWriter::insert(const Plan& plan, std::uint64_t generation, WallTime now,
                          const std::stop_token& stop) {
    const std::vector<Prefix> prefixes = sorted(plan.prefixes);
    if (prefixes.size() > kMostPrefixes) {
        return Error{ErrorCode::kInvalid, fmt::format("more than {} prefixes", kMostPrefixes)};
    }
    if (share_an_id(prefixes)) return Error{ErrorCode::kInvalid, "two prefixes of the rules share an id"};
    struct Rows {
        const char* table;
        std::string rows;
    };
    // `plans` comes last: from then on the generation holds.
    const std::array<Rows, 4> all{
        Rows{"prefixes (prefix_id, prefix, address, length)", name_rows(prefixes)},
        Rows{"plan_prefixes (generation, prefix, prefix_ids)", prefix_rows(prefixes, generation)},
        Rows{"plan_routers (generation, address, name, default_sampling)",
             router_rows(plan.routers, generation)},
        Rows{"plans (generation, written_at, prefixes, routers)",
             fmt::format("{}\t{}.{:03}\t{}\t{}\n", generation, now.time_since_epoch().count() / 1000,
                         now.time_since_epoch().count() % 1000, prefixes.size(), plan.routers.size())}};
    for (const Rows& rows : all) {
        if (rows.rows.empty()) continue;
        Query query{.text = fmt::format("INSERT INTO {} FORMAT TabSeparated", rows.table)};
        query.settings = {{"async_insert", "0"}, {"max_insert_block_size", "1048576"}};
        query.data = rows.rows;
        query.stop = stop;
        const Result<std::string> done = client_.run(query);
        if (!done) return done.error();
    }
    return Done{};
}

Status PlanWriter::reload(const std::stop_token& stop) {
    const std::string everywhere =
        cluster_.empty() ? "" : fmt::format(" ON CLUSTER {}", string_literal(cluster_));
    std::vector<std::string> statements;
    if (!cluster_.empty()) {  // a dictionary reads its own server's replica
        for (const char* table : {"prefixes", "plan_prefixes", "plan_routers", "plans"}) {
            statements.push_back(
                fmt::format("SYSTEM SYNC REPLICA{} {}.{}", everywhere, client_.database(), table));
        }
    }
    for (const char* dictionary : {"prefix_names", "router_settings", "prefix_sets"}) {
        statements.push_back(
            fmt::format("SYSTEM RELOAD DICTIONARY{} {}.{}", everywhere, client_.database(), dictionary));
    }
    for (std::string& statement : statements) {
        const Result<std::string> done = client_.run({.text = std::move(statement), .stop = stop});
        if (!done) return done.error();
    }
    return Done{};
}

Status PlanWriter::remove_before(std::uint64_t generation, const std::stop_token& stop) {
    const std::string everywhere =
        cluster_.empty() ? "" : fmt::format(" ON CLUSTER {}", string_literal(cluster_));
    for (const char* table : {"plan_prefixes", "plan_routers"}) {
        const Result<std::string> old =
            client_.run({.text = fmt::format(
                             "SELECT DISTINCT partition FROM system.parts WHERE database = {} AND table = {} "
                             "AND active AND toUInt64(partition) < {} LIMIT 100",
                             string_literal(client_.database()), string_literal(table), generation),
                         .stop = stop});
        if (!old) return old.error();
        std::string_view rest = *old;
        while (!rest.empty()) {
            const std::string_view partition = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), partition.size() + 1));
            const Result<std::string> gone = client_.run(
                {.text = fmt::format("ALTER TABLE {}{} DROP PARTITION {}", table, everywhere, partition),
                 .stop = stop});
            if (!gone) return gone.error();
        }
    }
    return Done{};
}

Result<std::uint64_t> PlanWriter::write(const Plan& plan, WallTime now, std::stop_token stop) {
    const Result<std::optional<std::uint64_t>> last = generation(stop);
    if (!last) return last.error();
    const auto by_clock =
        static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 1));
    const std::uint64_t next = std::max({by_clock, last->value_or(0) + 1, written_ + 1});
    if (Status written = insert(plan, next, now, stop); !written) return std::move(written).error();
    written_ = next;
    if (Status loaded = reload(stop); !loaded) return std::move(loaded).error();
    // The one before stays for servers that have not reloaded yet. What cannot be removed now goes next time.
    if (*last) static_cast<void>(remove_before(**last, stop));
    return next;
}

}  // namespace cam::clickhouse
