#include "app/mitigation_views.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/both_sides.h"
#include "app/monitor_status.h"
#include "app/with_history.h"

namespace cam::app {
namespace {

using std::chrono::seconds;

constexpr std::chrono::hours kDefaultTimeline{24};
constexpr std::int64_t kDefaultSteps = 300;
constexpr std::array kSteps{seconds{60}, seconds{300}, seconds{900}, seconds{3'600}, seconds{21'600}};

/// Grouping reads many events: one caller at a time, so that memory and time stay bounded whoever asks. Held
/// while the database is read, on purpose.
class GroupingGate {
public:
    template <typename Work>
    auto one_at_a_time(Work&& work) -> decltype(work()) {
        const std::lock_guard lock(mutex_);
        return std::forward<Work>(work)();
    }

private:
    std::mutex mutex_;
};

/// What the functions of the backend own together.
struct Views {
    Views(const Surroundings& surroundings, std::shared_ptr<EventPool> event_pool,
          std::shared_ptr<FlowPool> flow_pool)
        : around(surroundings), events(std::move(event_pool)), flows(std::move(flow_pool)), status(around) {}

    /// Runs with a connection of its own, alone.
    template <typename Work>
    auto grouped(Work&& work) {
        return gate.one_at_a_time([&] { return events->with(std::forward<Work>(work)); });
    }
    [[nodiscard]] bool is_active(const Attack& attack) const {
        // An event may be seen a poll late, and Cloudflare tells it some minutes late.
        const auto late = 2 * around.settings.monitor.poll_interval + std::chrono::minutes{5};
        return attack.last_seen && around.clock.wall() - *attack.last_seen <= late;
    }

    const Surroundings& around;
    std::shared_ptr<EventPool> events;  // with the other functions of the backend
    std::shared_ptr<FlowPool> flows;    // likewise
    GroupingGate gate;
    StatusView status;
};

Result<AttackPage> attacks(Views& views, const AttackQuery& query) {
    auto page = views.grouped([&](store::SqliteStore& store) { return store.attacks(query); });
    if (!page) return page;
    for (Attack& attack : page->attacks) attack.active = views.is_active(attack);
    return page;
}

Result<AttackDetail> attack(Views& views, std::string_view id) {
    auto detail = views.grouped([&](store::SqliteStore& store) { return store.attack(id); });
    if (detail) detail->attack.active = views.is_active(detail->attack);
    return detail;
}

Result<AttackTimeline> timeline(Views& views, const TimelineRequest& asked) {
    TimelineQuery query;
    query.until = asked.until.value_or(views.around.clock.wall());
    query.since = asked.since.value_or(query.until - kDefaultTimeline);
    if (query.since > query.until) return Error{ErrorCode::kInvalid, "since: it lies after until"};
    const auto length = query.until - query.since;
    query.step = kSteps.back();
    for (const seconds step : kSteps) {
        if (length / step > kDefaultSteps) continue;
        query.step = step;
        break;
    }
    if (length / query.step > kDefaultSteps) {
        query.step = std::chrono::ceil<std::chrono::days>(length / kDefaultSteps);
    }
    query.step = asked.step.value_or(query.step);
    query.vector = asked.vector;
    query.prefix = asked.prefix;
    return views.grouped([&](store::SqliteStore& store) { return store.attack_timeline(query); });
}

/// The longest prefix of which anything is known in these minutes, and what.
struct Seen {
    std::optional<WatchedPrefix> watched;
    std::vector<ArrivedMinute> arrived;
};

Result<Seen> see(TrafficHistory& history, const std::vector<WatchedPrefix>& candidates,
                 const AttackSpan& span) {
    for (const WatchedPrefix& watched : candidates) {
        auto arrived = arrived_minutes(history, watched, span.usual_from, span.first);
        if (!arrived) return arrived.error();
        const auto during = arrived_minutes(history, watched, std::max(span.from, span.first), span.to);
        if (!during) return during.error();
        arrived->insert(arrived->end(), during->begin(), during->end());
        const bool is_known = std::any_of(arrived->begin(), arrived->end(), [&](const ArrivedMinute& minute) {
            return minute.rate && minute.start >= span.from;
        });
        if (is_known || !watched.rule_ids.empty()) return Seen{watched, std::move(*arrived)};
    }
    return Seen{};
}

void note(BothSides& both, const std::string& sentence) {
    both.note += (both.note.empty() ? "" : " ") + sentence;
}

void note_what_is_missing(const AttackSpan& span, const store::AttackMinutes& dropped, BothSides& both) {
    if (span.is_cut) note(both, "The attack is longer than a day: its last day is shown.");
    if (dropped.elsewhere > 0) {
        note(both, fmt::format("{} events to targets outside of {} are left out.", dropped.elsewhere,
                               both.prefix ? both.prefix->text() : ""));
    }
    const auto unknown = std::count_if(both.minutes.begin(), both.minutes.end(),
                                       [](const BothSides::Minute& minute) { return !minute.arrived; });
    if (both.prefix && unknown > 0) {
        note(both,
             fmt::format("In {} of {} minutes it is unknown what arrived: the collector did not run, or "
                         "no rule watched the prefix yet.",
                         unknown, both.minutes.size()));
    }
    if (!both.prefix) return;
    if (both.usual_bits_per_second) {
        note(both,
             "What arrived includes usual traffic; the leaked share counts what is above the mean of the "
             "hour before.");
    } else {
        note(both, "Too little is known of the hour before to tell usual traffic from leaked.");
    }
}

Result<BothSides> both_sides(Views& views, std::string_view id) {
    const auto detail = attack(views, id);
    if (!detail) return detail.error();
    BothSides both;
    const auto span = attack_span(detail->attack, views.around.clock.wall());
    if (!span) {
        both.note = "The events of this attack have no time that can be read.";
        return both;
    }
    const auto& targets = detail->attack.targets;
    const auto target = targets.empty() ? std::nullopt : IpAddress::parse(targets.front());
    Result<Seen> seen = Seen{};
    if (target) {
        seen = with_history(views.around, *views.flows,
                            [&](store::FlowStore& flows, TrafficHistory& history) -> Result<Seen> {
                                const auto candidates = watched_prefixes(flows, *target);
                                if (!candidates) return candidates.error();
                                return see(history, *candidates, *span);
                            });
    }
    if (!seen) return seen.error();
    if (seen->watched) {
        both.prefix = seen->watched->prefix;
        both.rule_ids = seen->watched->rule_ids;
    }
    const auto dropped =
        views.grouped([&](store::SqliteStore& store) { return store.attack_minutes(id, both.prefix); });
    if (!dropped) return dropped.error();
    compare(*span, *dropped, seen->arrived, both);
    if (!both.prefix) {
        note(both, target ? fmt::format("No rule watches a prefix that covers {}, so it is unknown what "
                                        "arrived. Make a rule to know it next time.",
                                        target->text())
                          : "The attack has no target that is an address.");
    }
    if (!views.around.settings.flow.enabled) {
        note(both, "The flow monitor is off (flow.enabled).");
    }
    note_what_is_missing(*span, *dropped, both);
    return both;
}

Result<DeliveryPage> deliveries(Views& views, const DeliveryQuery& query) {
    auto page = views.events->with([&](store::SqliteStore& store) { return store.deliveries(query); });
    if (!page || query.state.value_or(DeliveryState::kWaiting) != DeliveryState::kWaiting) return page;
    const auto next = views.around.status_board.next_delivery();
    if (!next) return page;
    const auto first = views.events->with([](store::SqliteStore& store) { return store.next_message(); });
    if (!first || !*first) return page;
    for (Delivery& delivery : page->deliveries) {
        if (delivery.id == (*first)->id) delivery.next_attempt_at = next;
    }
    return page;
}

}  // namespace

void fill_mitigation(const Surroundings& around, const std::shared_ptr<EventPool>& events,
                     const std::shared_ptr<FlowPool>& flows, api::Backend& backend) {
    const auto views = std::make_shared<Views>(around, events, flows);  // owned by the functions below
    backend.events = [events](const EventQuery& query) {
        return events->with([&](store::SqliteStore& store) { return store.event_page(query); });
    };
    backend.event = [events](std::int64_t id) {
        return events->with([&](store::SqliteStore& store) { return store.event(id); });
    };
    backend.attacks = [views](const AttackQuery& query) { return attacks(*views, query); };
    backend.attack = [views](std::string_view id) { return attack(*views, id); };
    backend.attack_timeline = [views](const TimelineRequest& asked) { return timeline(*views, asked); };
    backend.both_sides = [views](std::string_view id) { return both_sides(*views, id); };
    backend.deliveries = [views](const DeliveryQuery& query) { return deliveries(*views, query); };
    backend.status = [views] {
        return Result{views->status.status(*views->events, *views->flows, [&](WallTime since) {
            return views->grouped(
                [&](store::SqliteStore& store) { return store.attacks({.since = since, .limit = 1}); });
        })};
    };
}

}  // namespace cam::app
