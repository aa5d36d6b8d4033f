#include "app/monitor_status.h"

#include <set>
#include <utility>

#include "app/exporter_watch.h"
#include "cam/base/version.h"

namespace cam::app {
namespace {

constexpr std::chrono::hours kDay{24};
constexpr std::chrono::seconds kRemembered{15};
constexpr std::uint32_t kMostAlerts = 10'000;

}  // namespace

api::Readiness readiness(const Surroundings& around) {
    api::Readiness told{.ready = true, .reasons = around.conditions.problems()};
    const std::string poll = around.poll_problem.with([](const std::string& why) { return why; });
    if (!poll.empty()) told.reasons.insert(told.reasons.begin(), poll);
    told.ready = poll.empty() && !around.conditions.wrong(Condition::kDatabase) &&
                 !around.conditions.wrong(Condition::kFlowListener) &&
                 !around.conditions.wrong(Condition::kFlowStore) &&
                 !around.conditions.wrong(Condition::kSecondJudge);
    return told;
}

void StatusView::add_database(StorePool<store::SqliteStore>& events, MonitorStatus& status) const {
    const auto covered_to = events.with([](store::SqliteStore& store) { return store.claimed_to(); });
    if (covered_to) status.polling.covered_to = *covered_to;
    const auto outbox = events.with([](store::SqliteStore& store) { return store.outbox(); });
    if (!outbox) return;
    status.outbox = {
        .waiting = outbox->waiting, .oldest_at = outbox->oldest, .last_sent_at = outbox->last_delivered};
}

void StatusView::add_flow(StorePool<store::FlowStore>& flows, MonitorStatus& status) const {
    const Settings::Traffic& traffic = around_.settings.traffic;
    const bool judges_there = traffic.on_clickhouse() && !traffic.only_collects();
    status.flow.enabled = around_.settings.flow.enabled || judges_there;
    const auto alerts = flows.with([](store::FlowStore& store) {
        return store.alerts({.active = true, .rule_id = {}, .since = {}, .limit = kMostAlerts});
    });
    if (alerts) status.alerts_active = alerts->size();
    const auto last = flows.with(
        [&](store::FlowStore& store) { return judges_there ? store.judged_to() : store.last_collected(); });
    if (last) status.flow.last_minute = *last;
    if (!status.flow.enabled) return;
    const std::vector<decode::ExporterReport> exporters = around_.flow_board.exporters();
    std::set<ExporterKey> heard;
    for (const decode::ExporterReport& one : exporters) {
        if (one.datagrams > 0) heard.insert(one.exporter);
    }
    const auto elsewhere = around_.flow_board.in_clickhouse();
    if (elsewhere) {
        for (const auto& one : elsewhere->senders) heard.insert(ExporterKey{one.exporter});
    }
    status.flow.exporters = heard.size();
    if (judges_there) {
        if (elsewhere) status.flow.silent_exporters = elsewhere->silent;
        return;
    }
    // Nobody can be called silent by a daemon that has not listened for long enough.
    if (status.now - status.started_at < kExporterSilence) return;
    const auto routers = flows.with([](store::FlowStore& store) { return store.routers(); });
    if (!routers) return;
    const HeardAgo ago = heard_ago(exporters, around_.clock.steady());
    for (const Router& router : silent_routers(ago, *routers, around_.clock.wall()))
        status.flow.silent_exporters.push_back(router_in_words(router));
}

std::optional<std::uint64_t> StatusView::attacks_of_a_day(
    const std::function<Result<AttackPage>(WallTime since)>& group) {
    const SteadyTime now = around_.clock.steady();
    const auto known = counted_.with([](const auto& counted) { return counted; });
    if (known && now - known->at < kRemembered) return known->attacks;
    const Result<AttackPage> page = group(around_.clock.wall() - kDay);
    if (!page) return std::nullopt;
    counted_.with([&](auto& counted) { counted = Counted{.at = now, .attacks = page->total}; });
    return page->total;
}

MonitorStatus StatusView::status(StorePool<store::SqliteStore>& events, StorePool<store::FlowStore>& flows,
                                 const std::function<Result<AttackPage>(WallTime since)>& group) {
    MonitorStatus status;
    status.version = version();
    status.organization = around_.settings.organization;
    status.now = around_.clock.wall();
    status.started_at = around_.status_board.started_at();
    api::Readiness ready = readiness(around_);
    status.ready = ready.ready;
    status.reasons = std::move(ready.reasons);
    status.conditions = around_.conditions.raised();
    status.polling = around_.status_board.polling();
    status.polling.interval = around_.settings.monitor.poll_interval;
    add_database(events, status);
    const enrich::GeoState geo = around_.geo.in_use();
    status.city = geo.city;
    status.asn = geo.asn;
    add_flow(flows, status);
    StatusBoard::Advertisements told = around_.status_board.advertisements();
    status.prefixes = std::move(told.prefixes);
    status.prefixes_checked_at = told.checked_at;
    status.attacks_24h = attacks_of_a_day(group);
    return status;
}

}  // namespace cam::app
