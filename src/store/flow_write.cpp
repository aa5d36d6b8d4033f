#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"
#include "flow_schema.h"
#include "flow_store_state.h"

namespace cam::store {
namespace {

// From here on a minute gets memory and WAL to work in, both given back at its end.
constexpr std::size_t kBulk = 1000;

/// `bytes = min(bytes + excluded.bytes, 2^63-1)`: a sum that is no integer any more is a real number to
/// SQLite, and larger than that.
std::string add_up(std::string_view column) {
    return fmt::format("{0} = min({0} + excluded.{0}, 9223372036854775807)", column);
}

/// Adds to what is there: after a restart within the minute both parts count.
const std::string& minute_statement() {
    static const std::string statement = [] {
        std::string columns = "INSERT INTO flow_minutes (minute, prefix_id";
        std::string values = ") VALUES (?1, ?2";
        std::string sums;
        for (std::size_t i = 0; i < kTrafficClassCount; ++i) {
            for (const std::string_view property : kVolumeProperties) {
                const std::string column = volume_column(static_cast<TrafficClass>(i), property);
                columns += fmt::format(", {}", column);
                values += ", ?";
                sums += fmt::format("{}{}", sums.empty() ? "" : ", ", add_up(column));
            }
        }
        return columns + values + ") ON CONFLICT (minute, prefix_id) DO UPDATE SET " + sums;
    }();
    return statement;
}

const std::string& contributor_statement() {
    static const std::string statement = fmt::format(
        "INSERT INTO flow_contributors (minute, prefix_id, facet, key, bytes, packets, flows) VALUES (?1, "
        "?2, "
        "?3, ?4, ?5, ?6, ?7) ON CONFLICT (minute, prefix_id, facet, key) DO UPDATE SET {}, {}, {}",
        add_up("bytes"), add_up("packets"), add_up("flows"));
    return statement;
}

void bind_volume(Query& query, int at, const Volume& volume) {
    query.count(at, volume.bytes).count(at + 1, volume.packets).count(at + 2, volume.flows);
}

/// A flood of small packets is to be explained as well as one of large ones: a packet weighs as much as 512
/// bytes.
std::uint64_t weight(const Volume& volume) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 53U;
    return std::min(volume.bytes, kMost) + std::min(volume.packets, kMost) * 512;
}

/// Positions of the contributors that are kept: the heaviest, if they are too many.
std::vector<std::size_t> kept(std::span<const Contributor> contributors) {
    std::vector<std::size_t> positions(contributors.size());
    for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = i;
    if (positions.size() <= FlowStore::kContributorsPerMinute) return positions;
    std::nth_element(positions.begin(), positions.begin() + FlowStore::kContributorsPerMinute,
                     positions.end(), [&](std::size_t a, std::size_t b) {
                         return weight(contributors[a].volume) > weight(contributors[b].volume);
                     });
    positions.resize(FlowStore::kContributorsPerMinute);
    return positions;
}

/// What is to be written, in the order of the table, so that rows are appended.
using Numbered = std::pair<std::int64_t, std::size_t>;  // number of the prefix, position

/// Writes one minute. Used once, inside a transaction.
class MinuteWriter {
public:
    MinuteWriter(Database& database, PrefixIds& ids, MinuteTime minute)
        : database_(database), ids_(ids), minute_(minute) {}

    Status write_prefixes(std::span<const PrefixMinute> prefixes) {
        std::vector<Numbered> order;
        order.reserve(prefixes.size());
        for (std::size_t i = 0; i < prefixes.size(); ++i) {
            check(prefixes[i].minute == minute_, "the traffic is of another minute");
            const Result<std::int64_t> id = ids_.make(database_, prefixes[i].prefix);
            if (!id) return id.error();
            order.emplace_back(*id, i);
        }
        std::sort(order.begin(), order.end());
        Result<Query> insert = database_.query(minute_statement());
        if (!insert) return insert.error();
        insert->number(1, number_of(minute_));
        for (const auto& [id, position] : order) {
            insert->number(2, id);
            int at = 3;
            for (const Volume& volume : prefixes[position].classes) {
                bind_volume(*insert, at, volume);
                at += 3;
            }
            if (Status inserted = insert->run(); !inserted) return inserted;
        }
        return Done{};
    }

    Status write_contributors(std::span<const Contributor> contributors,
                              const std::vector<std::size_t>& positions) {
        std::vector<Numbered> order;
        order.reserve(positions.size());
        for (const std::size_t position : positions) {
            check(contributors[position].minute == minute_, "the contributor is of another minute");
            const Result<std::int64_t> id = ids_.make(database_, contributors[position].prefix);
            if (!id) return id.error();
            order.emplace_back(*id, position);
        }
        std::sort(order.begin(), order.end(), [&](const Numbered& a, const Numbered& b) {
            const Contributor& left = contributors[a.second];
            const Contributor& right = contributors[b.second];
            return std::tie(a.first, left.facet, left.key) < std::tie(b.first, right.facet, right.key);
        });
        Result<Query> insert = database_.query(contributor_statement());
        if (!insert) return insert.error();
        insert->number(1, number_of(minute_));
        for (const auto& [id, position] : order) {
            const Contributor& one = contributors[position];
            insert->number(2, id).number(3, static_cast<std::int64_t>(one.facet)).view(4, one.key);
            bind_volume(*insert, 5, one.volume);
            if (Status inserted = insert->run(); !inserted) return inserted;
        }
        return Done{};
    }

    /// Times outside of the minute are taken as its ends.
    Status mark_collected(WallTime from, WallTime to) {
        constexpr std::int64_t kMinute = 60'000;
        const auto within = [&](WallTime time) {
            return std::clamp<std::int64_t>((time - minute_).count(), 0, kMinute);
        };
        Result<Query> mark = database_.query(
            "INSERT INTO flow_collected_minutes (minute, from_ms, to_ms, covered_ms) VALUES (?1, ?2, ?3, "
            "max(?3 - ?2, 0)) ON CONFLICT (minute) DO UPDATE SET from_ms = min(from_ms, excluded.from_ms), "
            "to_ms = max(to_ms, excluded.to_ms), covered_ms = min(covered_ms + excluded.covered_ms, 60000)");
        if (!mark) return mark.error();
        return mark->number(1, number_of(minute_)).number(2, within(from)).number(3, within(to)).run();
    }

private:
    Database& database_;
    PrefixIds& ids_;
    MinuteTime minute_;
};

}  // namespace

Result<WriteReport> FlowStore::write_minute(const MinuteTraffic& traffic) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    const std::vector<std::size_t> positions = kept(traffic.contributors);
    const bool bulk = traffic.prefixes.size() + positions.size() >= kBulk;
    const Database::BulkRoom room(database, bulk ? Database::Work::kBulk : Database::Work::kSmall);
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    MinuteWriter writer(database, state_->prefixes, traffic.minute);
    Status written = writer.write_prefixes(traffic.prefixes);
    if (written) written = writer.write_contributors(traffic.contributors, positions);
    if (written) written = writer.mark_collected(traffic.from, traffic.to);
    if (written) written = transaction->commit();
    if (!written) {
        state_->prefixes.forget_new();
        return written.error();
    }
    state_->prefixes.settle();
    return WriteReport{.prefixes = traffic.prefixes.size(),
                       .contributors = positions.size(),
                       .contributors_left_out = traffic.contributors.size() - positions.size()};
}

}  // namespace cam::store
