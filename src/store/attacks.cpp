#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "attack_groups.h"
#include "attack_rows.h"
#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "event_rows.h"
#include "store_state.h"

namespace cam::store {
namespace {

/// Newest first.
bool stands_before(const AttackGroup& a, const AttackGroup& b) {
    return std::tie(a.last(), a.id()) > std::tie(b.last(), b.id());
}

/// The groups in order, from the first that ended before the event of the cursor.
Result<std::vector<AttackGroup*>> ordered(Database& database, std::vector<AttackGroup>& groups,
                                          const std::optional<std::int64_t>& cursor) {
    std::vector<AttackGroup*> order;
    order.reserve(groups.size());
    for (AttackGroup& group : groups) order.push_back(&group);
    std::sort(order.begin(), order.end(),
              [](const AttackGroup* a, const AttackGroup* b) { return stands_before(*a, *b); });
    if (!cursor) return order;
    const Result<EventPosition> position = position_of(database, *cursor);
    if (!position) return position.error();
    const std::string last = position->datetime.value_or("");
    const auto same = std::find_if(order.begin(), order.end(), [&](const AttackGroup* group) {
        return group->newest_event() == *cursor;
    });
    // It goes on behind the attack itself, or, where that has grown meanwhile, behind where it stood.
    const auto from = same != order.end()
                          ? std::next(same)
                          : std::find_if(order.begin(), order.end(),
                                         [&](const AttackGroup* group) { return group->last() < last; });
    order.erase(order.begin(), from);
    return order;
}

/// Some properties of one attack's events.
struct Breakdowns {
    Tally countries, asns, addresses, targets, colos, ports;

    void add(const AttackRow& row) {
        countries.add(known(row.source_country), {}, row);
        asns.add(known(row.source_asn), known(row.source_asn_name), row);
        addresses.add(row.source, {}, row);
        targets.add(row.destination, {}, row);
        colos.add(known(row.colo_code), known(row.colo_country), row);
        if (row.destination_port.empty()) return;
        port.assign(known(row.protocol).empty() ? std::string_view{"?"} : row.protocol);
        port += '/';
        port += row.destination_port;
        ports.add(port, {}, row);
    }
    std::string port;
};

}  // namespace

Result<AttackPage> SqliteStore::attacks(const AttackQuery& query) {
    const Result<bool> there = state_->ready_to_read(kEventTable);
    if (!there) return there.error();
    AttackPage page;
    if (!*there) return page;
    AttackGroups all;
    const auto complete =
        each_row(*state_->database,
                 {.since = query.since, .until = query.until, .vector = query.vector, .prefix = query.prefix},
                 [&](const AttackRow& row) { all.add(row); });
    if (!complete) return complete.error();
    page.complete_since = *complete;
    page.total = all.groups().size();
    const auto order = ordered(*state_->database, all.groups(), query.cursor);
    if (!order) return order.error();
    const std::size_t shown = std::min<std::size_t>(order->size(), query.limit);
    for (std::size_t i = 0; i < shown; ++i) page.attacks.push_back((*order)[i]->attack());
    if (shown > 0 && shown < order->size()) page.next_cursor = page.attacks.back().newest_event;
    return page;
}

Result<AttackDetail> SqliteStore::attack(std::string_view attack_id) {
    const Result<bool> there = state_->ready_to_read(kEventTable);
    if (!there) return there.error();
    if (!*there) return Error{ErrorCode::kNotFound, "no event belongs to such an attack"};
    AttackGroup group{std::string(attack_id)};
    Breakdowns parts;
    const auto complete = each_row_of(*state_->database, attack_id, [&](const AttackRow& row) {
        group.add(row);
        parts.add(row);
    });
    if (!complete) return complete.error();
    return AttackDetail{.attack = group.attack(),
                        .countries = parts.countries.breakdown(Breakdown::kMost),
                        .asns = parts.asns.breakdown(Breakdown::kMost),
                        .addresses = parts.addresses.breakdown(Breakdown::kMost),
                        .targets = parts.targets.breakdown(Breakdown::kMost),
                        .colos = parts.colos.breakdown(Breakdown::kMost),
                        .ports = parts.ports.breakdown(Breakdown::kMost),
                        .complete_since = *complete};
}

Result<AttackMinutes> SqliteStore::attack_minutes(std::string_view attack_id,
                                                  const std::optional<Prefix>& prefix) {
    const Result<bool> there = state_->ready_to_read(kEventTable);
    if (!there) return there.error();
    if (!*there) return Error{ErrorCode::kNotFound, "no event belongs to such an attack"};
    AttackMinutes made;
    std::map<MinuteTime, DroppedVolume> minutes;
    const auto read = each_row_of(*state_->database, attack_id, [&](const AttackRow& row) {
        const auto target = IpAddress::parse(row.destination);
        if (prefix && !(target && prefix->contains(*target))) {
            ++made.elsewhere;
            return;
        }
        const auto time = parse_time(row.datetime);
        if (!time) {
            ++made.undated;
            return;
        }
        add(minutes[std::chrono::floor<std::chrono::minutes>(*time)], row);
    });
    if (!read) return read.error();
    for (const auto& [start, volume] : minutes) made.minutes.push_back({.start = start, .volume = volume});
    return made;
}

}  // namespace cam::store
