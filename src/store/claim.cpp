#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <numeric>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "event_lookup.h"
#include "store_state.h"

namespace cam::store {
namespace {

// One statement for many rows saves a fifth of the time; more rows save nothing more.
constexpr std::size_t kRowsAtOnce = 20;
constexpr int kColumns = 23;
// From here on a claim gets memory and WAL to work in, both given back at its end.
constexpr std::size_t kBulk = 1000;

/// OR ROLLBACK: whatever fails undoes the claim anyway, and SQLite need not prepare to undo one statement.
std::string insert_statement(std::size_t rows) {
    std::string sql =
        "INSERT OR ROLLBACK INTO network_analytics_events (event_hash, attack_id, event_datetime, "
        "attack_vector, "
        "rule_name, rule_id, source_ip, source_port, destination_ip, destination_port, protocol, tcp_flags, "
        "colo_code, colo_country, packets, bits, outcome, mitigation_reason, notified_at, raw_data, "
        "source_asn, "
        "source_asn_name, source_country) VALUES ";
    for (std::size_t row = 0; row < rows; ++row) {
        sql += row == 0 ? "(?" : ", (?";
        for (int column = 1; column < kColumns; ++column) sql += ", ?";
        sql += ')';
    }
    return sql;
}

void bind_number(Query& query, int at, const std::optional<std::uint32_t>& value) {
    value ? query.number(at, *value) : query.nothing(at);
}

void bind_count(Query& query, int at, const std::optional<std::uint64_t>& value) {
    value ? query.count(at, *value) : query.nothing(at);
}

/// Binds views: the event, the hash and `notified_at` must stay until the statement has run.
void bind_event(Query& query, int row, const MitigationEvent& event, const HashText& hash,
                std::string_view notified_at) {
    const int at = row * kColumns;
    query.view(at + 1, std::string_view(hash.data(), hash.size()))
        .maybe_view(at + 2, event.attack_id)
        .maybe_view(at + 3, event.datetime)
        .maybe_view(at + 4, event.attack_vector)
        .maybe_view(at + 5, event.rule_name)
        .maybe_view(at + 6, event.rule_id)
        .maybe_view(at + 7, event.source_ip)
        .maybe_view(at + 9, event.destination_ip)
        .maybe_view(at + 11, event.protocol)
        .maybe_view(at + 12, event.tcp_flags)
        .maybe_view(at + 13, event.colo_code)
        .maybe_view(at + 14, event.colo_country)
        .maybe_view(at + 17, event.outcome)
        .maybe_view(at + 18, event.mitigation_reason)
        .view(at + 19, notified_at)
        .view(at + 20, event.raw)
        .maybe_view(at + 22, event.source_asn_name)
        .maybe_view(at + 23, event.source_country);
    bind_number(query, at + 8, event.source_port);
    bind_number(query, at + 10, event.destination_port);
    bind_count(query, at + 15, event.packets);
    bind_count(query, at + 16, event.bits);
    bind_number(query, at + 21, event.source_asn);
}

/// Writes the new ones among `events`, in their order. Used once, inside a transaction.
class EventWriter {
public:
    EventWriter(Database& database, std::span<const MitigationEvent> events, WallTime now)
        : database_(database), events_(events), notified_at_(sqlite_time(now)) {}

    Result<ClaimReport> write() {
        if (Status sifted = sift(); !sifted) return sifted.error();
        std::size_t written = 0;
        for (const std::size_t rows : {kRowsAtOnce, std::size_t{1}}) {
            Result<Query> insert = database_.query(insert_statement(rows));
            if (!insert) return insert.error();
            for (; written + rows <= report_.fresh.size(); written += rows) {
                if (Status inserted = run(*insert, written, rows); !inserted) return inserted.error();
            }
        }
        return std::move(report_);
    }

private:
    /// Finds out which events are new. Asks in the order of the hashes, so that neighbours in the index are
    /// looked up one after the other, and before anything is inserted.
    Status sift() {
        Result<EventLookup> lookup = EventLookup::prepare(database_);
        if (!lookup) return lookup.error();
        const EventHash* before = nullptr;
        for (const std::size_t position : by_hash()) {
            const EventHash& hash = events_[position].hash;
            const bool repeated = before != nullptr && *before == hash;
            before = &hash;
            const Result<bool> known = repeated ? Result<bool>{true} : lookup->knows(digits_of(hash));
            if (!known) return known.error();
            if (*known) {
                ++report_.duplicates;
            } else {
                report_.fresh.push_back(position);
            }
        }
        std::sort(report_.fresh.begin(), report_.fresh.end());
        return Done{};
    }

    /// The events' positions in the order of their hashes, those of equal ones in their own.
    [[nodiscard]] std::vector<std::size_t> by_hash() const {
        std::vector<std::size_t> order(events_.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const int compared =
                std::memcmp(events_[a].hash.data(), events_[b].hash.data(), sizeof(EventHash));
            return compared != 0 ? compared < 0 : a < b;
        });
        return order;
    }

    /// Inserts `rows` of the new events, from the one at `first`.
    Status run(Query& insert, std::size_t first, std::size_t rows) {
        std::array<HashText, kRowsAtOnce> hashes{};
        for (std::size_t row = 0; row < rows; ++row) {
            const MitigationEvent& event = events_[report_.fresh[first + row]];
            hashes[row] = digits_of(event.hash);
            bind_event(insert, static_cast<int>(row), event, hashes[row], notified_at_);
        }
        return insert.run();
    }

    Database& database_;
    std::span<const MitigationEvent> events_;
    std::string notified_at_;
    ClaimReport report_;
};

}  // namespace

Result<ClaimReport> SqliteStore::claim(
    std::span<const MitigationEvent> events, WallTime covered_to, WallTime now,
    const std::function<std::vector<Message>(const std::vector<std::size_t>&)>& compose) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    const Database::BulkRoom room(database,
                                  events.size() >= kBulk ? Database::Work::kBulk : Database::Work::kSmall);
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    Result<ClaimReport> report = EventWriter(database, events, now).write();
    if (!report) return report;
    if (!report->fresh.empty()) {
        std::vector<Message> messages;
        try {
            messages = compose(report->fresh);
        } catch (const std::exception& thrown) {
            return database.error(ErrorCode::kInternal,
                                  fmt::format("composing messages failed: {}", thrown.what()));
        }
        if (Status queued = insert_messages(database, messages, now); !queued) return queued.error();
        report->queued = messages.size();
    }
    if (Status kept = write_value(database, kClaimedTo, timestamp(covered_to)); !kept) return kept.error();
    if (Status committed = transaction->commit(); !committed) return committed.error();
    return report;
}

}  // namespace cam::store
