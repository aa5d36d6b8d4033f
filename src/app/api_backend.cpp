#include "app/api_backend.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "app/mitigation_views.h"
#include "app/monitor_status.h"
#include "app/preferences.h"
#include "app/rule_preview.h"
#include "app/traffic_view.h"
#include "app/with_history.h"
#include "cam/store/flow_store.h"

namespace cam::app {
namespace {

using Events = EventPool;
using Flows = FlowPool;

constexpr std::chrono::seconds kPreviewBudget{10};

void fill_preferences(const Surroundings& around, api::Backend& backend) {
    const PreferenceFile preferences(around.settings.paths.dashboard_prefs);
    backend.my_prefixes_only = [preferences]() -> Result<bool> {
        auto told = preferences.my_prefixes_only();
        // What a poll would do with a file that is not there.
        if (!told && told.error().code == ErrorCode::kNotFound) return true;
        return told;
    };
    backend.set_my_prefixes_only = [preferences, &events = around.events](bool on) {
        Status written = preferences.set_my_prefixes_only(on);
        if (written) events.preferences();
        return written;
    };
}

void fill_routers(Clock& clock, const std::shared_ptr<Flows>& flows, api::Backend& backend) {
    backend.routers = [flows](const ListQuery& asked) {
        return flows->with([&](store::FlowStore& store) { return store.routers(asked); });
    };
    backend.router = [flows](std::string_view id) {
        return flows->with([&](store::FlowStore& store) { return store.router(id); });
    };
    backend.create_router = [flows, &clock](const Router& router) {
        return flows->with(
            [&](store::FlowStore& store) { return store.create_router(router, clock.wall()); });
    };
    backend.update_router = [flows, &clock](const Router& router) {
        return flows->with(
            [&](store::FlowStore& store) { return store.update_router(router, clock.wall()); });
    };
    backend.remove_router = [flows](std::string_view id) {
        return flows->with([&](store::FlowStore& store) { return store.remove_router(id); });
    };
}

void fill_rules(Clock& clock, const std::shared_ptr<Flows>& flows, api::Backend& backend) {
    backend.rules = [flows](const ListQuery& asked) {
        return flows->with([&](store::FlowStore& store) { return store.rules(asked); });
    };
    backend.rule = [flows](std::string_view id) {
        return flows->with([&](store::FlowStore& store) { return store.rule(id); });
    };
    backend.create_rule = [flows, &clock](const Rule& rule) {
        return flows->with([&](store::FlowStore& store) { return store.create_rule(rule, clock.wall()); });
    };
    backend.update_rule = [flows, &clock](const Rule& rule) {
        return flows->with([&](store::FlowStore& store) { return store.update_rule(rule, clock.wall()); });
    };
    backend.remove_rule = [flows](std::string_view id) {
        return flows->with([&](store::FlowStore& store) { return store.remove_rule(id); });
    };
    backend.alerts = [flows](const AlertQuery& query) {
        return flows->with([&](store::FlowStore& store) { return store.alerts(query); });
    };
}

ExporterStatus status_of(const decode::ExporterReport& report, SteadyTime now, WallTime wall) {
    ExporterStatus status(report.exporter);
    if (report.datagrams > 0) status.last_seen = wall - (now - report.last_seen);
    status.templates = report.templates + report.options_templates;
    status.datagrams = report.datagrams;
    status.flow_records = report.flow_records;
    status.lost_datagrams = report.lost_datagrams;
    status.lost_records = report.lost_records;
    for (std::size_t i = 0; i < report.dropped.size(); ++i) {
        if (report.dropped[i] == 0) continue;
        status.dropped.emplace_back(name(static_cast<decode::DropReason>(i)), report.dropped[i]);
    }
    for (const decode::ExporterReport::Sampling& one : report.sampling) {
        status.sampling.push_back({.protocol = one.protocol,
                                   .domain = one.domain,
                                   .sampler = one.sampler,
                                   .rate = one.rate,
                                   .source = one.source});
    }
    for (std::size_t i = 0; i < report.protocols.size(); ++i) {
        if (report.protocols[i]) status.protocols.push_back(static_cast<ExportProtocol>(i));
    }
    return status;
}

/// Adds those whose flows came by other collectors: of them only that they were heard is known here.
void add_heard_elsewhere(const HeardInClickHouse& heard, std::vector<ExporterStatus>& exporters) {
    std::map<IpAddress, ExporterStatus*> known;
    for (ExporterStatus& one : exporters) known.emplace(one.exporter.address(), &one);
    std::vector<ExporterStatus> others;
    for (const clickhouse::SenderProgress& one : heard.senders) {
        const auto own = known.find(one.exporter);
        if (own != known.end()) {
            own->second->last_seen = std::max(own->second->last_seen.value_or(one.newest), one.newest);
            continue;
        }
        others.emplace_back(ExporterKey{one.exporter});
        others.back().last_seen = one.newest;
        others.back().flow_records = one.records;
    }
    exporters.insert(exporters.end(), std::make_move_iterator(others.begin()),
                     std::make_move_iterator(others.end()));
}

/// The exporters that were heard; where none told a rate, the operator's default is what counts.
Result<std::vector<ExporterStatus>> exporters(const Surroundings& around, Flows& flows) {
    const auto routers = flows.with([](store::FlowStore& store) { return store.routers(); });
    if (!routers) return routers.error();
    std::map<IpAddress, SamplingRate> defaults;
    for (const Router& router : *routers) {
        if (const auto rate = SamplingRate::one_in(router.default_sampling)) {
            defaults.insert_or_assign(router.address, *rate);
        }
    }
    std::vector<ExporterStatus> out;
    for (const decode::ExporterReport& report : around.flow_board.exporters()) {
        ExporterStatus status = status_of(report, around.clock.steady(), around.clock.wall());
        const auto fallback = defaults.find(report.exporter.address());
        for (ExporterStatus::Sampling& sampling : status.sampling) {
            if (sampling.source != SamplingSource::kNone || fallback == defaults.end()) continue;
            sampling.rate = fallback->second;
            sampling.source = SamplingSource::kRouterDefault;
        }
        out.push_back(std::move(status));
    }
    if (const auto heard = around.flow_board.in_clickhouse()) add_heard_elsewhere(*heard, out);
    return out;
}

/// At most one preview at a time; the others are told to come back.
class OnePreview {
public:
    explicit OnePreview(std::atomic<bool>& taken) : taken_(taken), is_mine_(!taken.exchange(true)) {}
    ~OnePreview() {
        if (is_mine_) taken_ = false;
    }
    OnePreview(const OnePreview&) = delete;
    OnePreview& operator=(const OnePreview&) = delete;
    [[nodiscard]] bool is_mine() const { return is_mine_; }

private:
    std::atomic<bool>& taken_;
    bool is_mine_;
};

void fill_traffic(const Surroundings& around, const std::shared_ptr<Flows>& flows, api::Backend& backend) {
    backend.now = [&clock = around.clock] { return clock.wall(); };
    backend.traffic = [&around, flows](const std::vector<Prefix>& prefixes, const api::TrafficRange& range) {
        return with_history(around, *flows, [&](store::FlowStore&, TrafficHistory& history) {
            return summed_series(history, prefixes, range);
        });
    };
    backend.traffic_minute = [&around, flows](std::optional<MinuteTime> minute) {
        return with_history(around, *flows, [&](store::FlowStore&, TrafficHistory& history) {
            return stored_minute(history, minute, around.clock.wall());
        });
    };
    backend.traffic_parts = [&around, flows](const Prefix& prefix, const api::TrafficRange& range,
                                             std::size_t most) {
        return with_history(around, *flows, [&](store::FlowStore&, TrafficHistory& history) {
            return traffic_parts(history, around.geo, prefix, range, most);
        });
    };
    backend.preview_rule = [&around, flows, taken = std::make_shared<std::atomic<bool>>(false)](
                               const Rule& rule, std::chrono::hours past) -> Result<api::RulePreview> {
        const OnePreview turn(*taken);
        if (!turn.is_mine()) return Error{ErrorCode::kBusy, "another preview is under way"};
        const auto to = std::chrono::floor<std::chrono::minutes>(around.clock.wall());
        return with_history(around, *flows, [&](store::FlowStore& store, TrafficHistory& history) {
            return preview_rule({.history = history, .alerts = store}, rule, to - past, to, around.clock,
                                kPreviewBudget);
        });
    };
}

}  // namespace

api::Backend api_backend(const Surroundings& around) {
    // Read-write, because SQLite shares its lock state within a process: a read-only reader would stand in
    // the way of our own writers.
    const auto options = store_options(around.settings, store::Access::kReadWrite);
    const auto events = std::make_shared<Events>(options);  // owned by the functions below
    const auto flows = std::make_shared<Flows>(options);
    api::Backend backend;
    fill_mitigation(around, events, flows, backend);
    backend.readiness = [&around] { return readiness(around); };
    backend.metrics_text = [&around] { return around.metrics.text(); };
    backend.exporters = [&around, flows] { return exporters(around, *flows); };
    fill_preferences(around, backend);
    fill_routers(around.clock, flows, backend);
    fill_rules(around.clock, flows, backend);
    fill_traffic(around, flows, backend);
    return backend;
}

}  // namespace cam::app
