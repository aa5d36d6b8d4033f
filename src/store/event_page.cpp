#include <array>
#include <string>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/store/sqlite_store.h"
#include "event_rows.h"
#include "store_state.h"

namespace cam::store {
namespace {

/// How many events a page looks at for filters that no index serves.
constexpr std::uint32_t kMostExamined = 100'000;

constexpr std::array<std::string_view, 23> kShownColumns{"id",
                                                         "event_hash",
                                                         "attack_id",
                                                         "event_datetime",
                                                         "attack_vector",
                                                         "rule_name",
                                                         "rule_id",
                                                         "source_ip",
                                                         "destination_ip",
                                                         "protocol",
                                                         "tcp_flags",
                                                         "colo_code",
                                                         "colo_country",
                                                         "outcome",
                                                         "mitigation_reason",
                                                         "notified_at",
                                                         "source_asn_name",
                                                         "source_country",
                                                         "source_port",
                                                         "destination_port",
                                                         "packets",
                                                         "bits",
                                                         "source_asn"};

StoredEvent event_at(const Query& row) {
    StoredEvent event;
    event.id = row.integer(0);
    event.event_hash = row.text(1).value_or("");
    int column = 2;
    for (std::optional<std::string>* text :
         {&event.attack_id, &event.event_datetime, &event.attack_vector, &event.rule_name, &event.rule_id,
          &event.source_ip, &event.destination_ip, &event.protocol, &event.tcp_flags, &event.colo_code,
          &event.colo_country, &event.outcome, &event.mitigation_reason, &event.notified_at,
          &event.source_asn_name, &event.source_country}) {
        *text = row.text(column++);
    }
    for (std::optional<std::int64_t>* number :
         {&event.source_port, &event.destination_port, &event.packets, &event.bits, &event.source_asn}) {
        *number = row.maybe_integer(column++);
    }
    return event;
}

constexpr int kVectorColumn = 4;
constexpr int kDestinationColumn = 8;

/// Columns that an older file lacks read as NULL.
std::string select_columns(const std::vector<TableColumn>& columns) {
    std::string sql;
    for (const std::string_view name : kShownColumns) {
        const bool there = columns.empty() || has_column(columns, name);
        const std::string_view missing = name == "id" ? "e.rowid" : "NULL";
        sql +=
            fmt::format("{}{}{}", sql.empty() ? "SELECT " : ", ", there ? "e." : "", there ? name : missing);
    }
    return sql;
}

enum class Part {
    kDated,    ///< by the index of event_datetime
    kUndated,  ///< events without one, which come last
    kChosen,   ///< those of one attack or source, by the index of that, then sorted
};

/// Parameters: 1 since, 2 until, 3 and 4 the position to go on from, 5 attack id, 6 source, 7 limit.
std::string conditions(const EventQuery& wanted, const std::optional<EventPosition>& after, Part part) {
    std::string sql = " WHERE 1";
    if (wanted.since) sql += " AND event_datetime >= ?1";
    if (wanted.until) sql += " AND event_datetime < ?2";
    if (wanted.attack_id) sql += " AND attack_id = ?5";
    if (wanted.source) sql += " AND source_ip = ?6";
    if (part == Part::kUndated) sql += " AND event_datetime IS NULL";
    if (part == Part::kDated) sql += " AND event_datetime IS NOT NULL";
    if (!after) return sql;
    if (!after->datetime) return sql += " AND event_datetime IS NULL AND rowid < ?4";
    if (part == Part::kDated) {
        return sql += " AND event_datetime <= ?3 AND (event_datetime < ?3 OR rowid < ?4)";
    }
    if (part == Part::kUndated) return sql;
    return sql +=
           " AND (event_datetime < ?3 OR (event_datetime = ?3 AND rowid < ?4) OR event_datetime IS NULL)";
}

std::string select_part(const std::vector<TableColumn>& columns, const EventQuery& wanted,
                        const std::optional<EventPosition>& after, Part part) {
    const std::string where = conditions(wanted, after, part);
    if (part == Part::kUndated) {
        return fmt::format("{} FROM network_analytics_events AS e{} ORDER BY rowid DESC LIMIT ?7",
                           select_columns(columns), where);
    }
    if (part == Part::kDated) {
        return fmt::format(
            "{} FROM network_analytics_events AS e{} ORDER BY event_datetime DESC, rowid DESC LIMIT ?7",
            select_columns(columns), where);
    }
    // Only positions are sorted, not whole rows with their JSON.
    return fmt::format(
        "{} FROM network_analytics_events AS e WHERE e.rowid IN (SELECT rowid FROM "
        "network_analytics_events{} "
        "ORDER BY event_datetime DESC, rowid DESC LIMIT ?7) ORDER BY e.event_datetime DESC, e.rowid DESC",
        select_columns(columns), where);
}

/// Fills a page, part after part.
class PageReader {
public:
    PageReader(Database& database, std::vector<TableColumn> columns, const EventQuery& wanted)
        : database_(database), columns_(std::move(columns)), wanted_(wanted) {}

    Result<EventPage> read() {
        if (wanted_.cursor) {
            Result<EventPosition> position = position_of(database_, *wanted_.cursor);
            if (!position) return position.error();
            after_ = std::move(*position);
        }
        const bool is_chosen = wanted_.attack_id || wanted_.source;
        const bool begins_undated = after_ && !after_->datetime;
        Result<bool> full = false;
        if (is_chosen) {
            full = read_part(Part::kChosen);
        } else {
            if (!begins_undated) full = read_part(Part::kDated);
            const bool may_be_undated = !wanted_.since && !wanted_.until;
            if (full && !*full && may_be_undated) full = read_part(Part::kUndated);
        }
        if (!full) return full.error();
        return std::move(page_);
    }

private:
    /// True: the page is full.
    Result<bool> read_part(Part part) {
        Result<Query> select = database_.query(select_part(columns_, wanted_, after_, part));
        if (!select) return select.error();
        bind(*select);
        for (;;) {
            const Result<bool> row = select->step();
            if (!row) return row.error();
            if (!*row) return false;
            if (examined_ == most()) {
                page_.next_cursor = last_;
                return true;
            }
            ++examined_;
            if (fits(*select)) {
                if (page_.events.size() == wanted_.limit) {
                    if (wanted_.limit > 0) page_.next_cursor = page_.events.back().id;
                    return true;
                }
                page_.events.push_back(event_at(*select));
            }
            last_ = select->integer(0);
        }
    }

    [[nodiscard]] bool is_filtered() const { return wanted_.vector || wanted_.prefix; }
    [[nodiscard]] std::uint64_t most() const {
        return is_filtered() ? kMostExamined : std::uint64_t{wanted_.limit} + 1;
    }

    [[nodiscard]] bool fits(const Query& row) const {
        if (wanted_.vector && (row.is_null(kVectorColumn) || row.peek(kVectorColumn) != *wanted_.vector)) {
            return false;
        }
        if (!wanted_.prefix) return true;
        const auto destination = IpAddress::parse(row.peek(kDestinationColumn));
        return destination && wanted_.prefix->contains(*destination);
    }

    void bind(Query& select) const {
        if (wanted_.since) select.text(1, first_datetime(*wanted_.since));
        if (wanted_.until) select.text(2, first_datetime(*wanted_.until));
        if (after_ && after_->datetime) select.view(3, *after_->datetime);
        if (after_) select.number(4, after_->id);
        if (wanted_.attack_id) select.view(5, *wanted_.attack_id);
        if (wanted_.source) select.view(6, *wanted_.source);
        select.number(7, static_cast<std::int64_t>(most()) + 1);
    }

    Database& database_;
    std::vector<TableColumn> columns_;
    const EventQuery& wanted_;
    std::optional<EventPosition> after_;
    EventPage page_;
    std::uint64_t examined_ = 0;
    std::optional<std::int64_t> last_;
};

}  // namespace

Result<EventPage> SqliteStore::event_page(const EventQuery& query) {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    std::vector<TableColumn> columns;
    if (state_->options.access == Access::kReadOnly) {
        Result<std::vector<TableColumn>> found = event_columns(*state_->database);
        if (!found) return found.error();
        if (found->empty()) return EventPage{};
        columns = std::move(*found);
    }
    return PageReader(*state_->database, std::move(columns), query).read();
}

Result<std::vector<StoredEvent>> SqliteStore::events(const EventQuery& query) {
    Result<EventPage> page = event_page(query);
    if (!page) return page.error();
    return std::move(page->events);
}

Result<EventDetail> SqliteStore::event(std::int64_t id) {
    const Result<bool> there = state_->ready_to_read(kEventTable);
    if (!there) return there.error();
    const Error missing{ErrorCode::kNotFound, fmt::format("no event has the id {}", id)};
    if (!*there) return missing;
    Result<std::vector<TableColumn>> columns = event_columns(*state_->database);
    if (!columns) return columns.error();
    Result<Query> select = state_->database->query(
        fmt::format("{}, {} FROM network_analytics_events AS e WHERE rowid = ?1", select_columns(*columns),
                    has_column(*columns, "raw_data") ? "e.raw_data" : "NULL"));
    if (!select) return select.error();
    const Result<bool> row = select->number(1, id).step();
    if (!row) return row.error();
    if (!*row) return missing;
    return EventDetail{.event = event_at(*select),
                       .raw_data = select->text(static_cast<int>(kShownColumns.size()))};
}

}  // namespace cam::store
