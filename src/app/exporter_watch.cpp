#include "app/exporter_watch.h"

#include <algorithm>
#include <utility>

namespace cam::app {
namespace {

constexpr std::chrono::seconds kLookEvery{5};
constexpr std::chrono::hours kKeepEvery{1};

}  // namespace

HeardAgo heard_ago(const std::vector<decode::ExporterReport>& exporters, SteadyTime now) {
    HeardAgo heard;
    for (const decode::ExporterReport& one : exporters) {
        if (one.datagrams == 0) continue;
        // More than one worker may know it, where the kernel spreads by port too.
        auto& ago = heard.try_emplace(one.exporter.address(), now - one.last_seen).first->second;
        ago = std::min(ago, now - one.last_seen);
    }
    return heard;
}

ExporterWatch::ExporterWatch(Parts parts)
    : parts_(std::move(parts)),
      metrics_(parts_.metrics),
      teller_(parts_.conditions, parts_.remembered, parts_.metrics),
      started_(parts_.clock.steady()) {}

void ExporterWatch::look(const FlowExchange& exchange, const std::vector<Router>& routers,
                         Database database) {
    const SteadyTime now = parts_.clock.steady();
    if (now - looked_ < kLookEvery) return;
    looked_ = now;
    const std::vector<decode::ExporterReport> exporters = exchange.exporters();
    metrics_.show(exporters);
    if (database == Database::kRefuses) return;
    if (now - kept_ >= kKeepEvery) keep_seen(exporters);
    if (now - started_ < kExporterSilence) return;
    teller_.tell(silent_routers(heard_ago(exporters, now), routers, parts_.clock.wall()));
}

/// What is saved of an exporter that still sends the same templates must not grow old.
void ExporterWatch::keep_seen(const std::vector<decode::ExporterReport>& exporters) {
    const SteadyTime now = kept_ = parts_.clock.steady();
    std::vector<ExporterKey> seen;
    for (const decode::ExporterReport& one : exporters) {
        if (one.datagrams > 0 && now - one.last_seen < kKeepEvery) seen.push_back(one.exporter);
    }
    const Status kept = parts_.store.keep_decoder_state(seen, parts_.clock.wall());
    if (!kept) parts_.log->warn("decoder state cannot be kept reason={}", quote(kept.error().detail));
}

}  // namespace cam::app
