#include "app/exporter_watch.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {
namespace {

constexpr std::chrono::seconds kLookEvery{5};
constexpr std::chrono::hours kKeepEvery{1};

std::string told_in_words(const Router& router) {
    return fmt::format("{} ({})", router.name, router.address.text());
}

}  // namespace

std::vector<Router> silent_routers(const std::vector<decode::ExporterReport>& exporters,
                                   const std::vector<Router>& routers, const Clock& clock) {
    const SteadyTime now = clock.steady();
    std::map<IpAddress, SteadyTime> seen;
    for (const decode::ExporterReport& one : exporters) {
        if (one.datagrams == 0) continue;
        // More than one worker may know it, where the kernel spreads by port too.
        SteadyTime& last = seen.try_emplace(one.exporter.address(), one.last_seen).first->second;
        last = std::max(last, one.last_seen);
    }
    std::vector<Router> silent;
    for (const Router& router : routers) {
        if (router.created_at + kExporterSilence > clock.wall()) continue;
        const auto found = seen.find(router.address);
        if (found == seen.end() || now - found->second > kExporterSilence) silent.push_back(router);
    }
    return silent;
}

ExporterWatch::ExporterWatch(Parts parts)
    : parts_(std::move(parts)), metrics_(parts_.metrics), started_(parts_.clock.steady()) {}

void ExporterWatch::look(const FlowExchange& exchange, const std::vector<Router>& routers,
                         Database database) {
    const SteadyTime now = parts_.clock.steady();
    if (now - looked_ < kLookEvery) return;
    looked_ = now;
    const std::vector<decode::ExporterReport> exporters = exchange.exporters();
    metrics_.show(exporters);
    if (database == Database::kRefuses) return;
    if (now - kept_ >= kKeepEvery) keep_seen(exporters);
    if (now - started_ >= kExporterSilence) look_for_silence(exporters, routers);
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

void ExporterWatch::look_for_silence(const std::vector<decode::ExporterReport>& exporters,
                                     const std::vector<Router>& routers) {
    std::vector<std::string> silent;
    for (const Router& router : silent_routers(exporters, routers, parts_.clock)) {
        silent.push_back(told_in_words(router));
    }
    if (silent.empty()) {
        parts_.conditions.clear(Condition::kFlowExporters, "All routers send flows again",
                                &parts_.remembered);
        return;
    }
    Trouble trouble{.state = fmt::format("silent: {}", fmt::join(silent, ", ")),
                    .headline = silent.size() == 1 ? "A router sends no flows"
                                                   : fmt::format("{} routers send no flows", silent.size()),
                    .details = silent,
                    .tell = Tell::kLogAndSoc};
    trouble.details.push_back(
        fmt::format("for more than {}; its traffic is unknown, not zero", duration_text(kExporterSilence)));
    parts_.conditions.raise(Condition::kFlowExporters, trouble, &parts_.remembered);
}

}  // namespace cam::app
