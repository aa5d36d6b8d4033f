#include "app/arrival_watch.h"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/flow_exchange.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr minutes kLookEvery{1};
/// A longer time between two looks was no listening: ClickHouse did not answer.
constexpr minutes kLongestLook{2};
/// While the next minute to be judged lies further back, minutes are being caught up.
constexpr minutes kCaughtUp{15};
/// So far back senders are looked for, and up to a Stride more; longer than silence takes, and than what is
/// caught up.
constexpr minutes kWindow{30};
/// The window's begin moves in strides, shorter than silence takes: in between, the records of whoever sends
/// only grow.
using Stride = std::chrono::duration<minutes::rep, std::ratio<600>>;
constexpr std::size_t kMostSenders = 10'000;

}  // namespace

ArrivalWatch::ArrivalWatch(Parts parts)
    : parts_(std::move(parts)),
      teller_(parts_.conditions, parts_.remembered, parts_.metrics),
      exporters_(parts_.metrics.gauge(
          "cam_clickhouse_exporters",
          "Exporters that records of the last 30 to 40 minutes came of, by any collector")) {}

/// Nothing arrives at all: that is not known to be peace.
void ArrivalWatch::note_arrival(const MinuteFeed& feed, minutes silence,
                                const std::function<std::vector<std::string>()>& active) {
    if (!feed.is_silent()) {
        if (feed.newest())
            parts_.conditions.clear(Condition::kFlowSilence, "Flows arrive again", &parts_.remembered);
        return;
    }
    Trouble trouble{
        .state = "silent",
        .headline = "No flows arrive",
        .details = {feed.newest() ? fmt::format("the newest was received {}", european_time(*feed.newest()))
                                  : fmt::format("none for {}", duration_text(silence)),
                    "Traffic is unknown, not zero; what arrives late is judged then."},
        .tell = Tell::kLogAndSoc};
    for (std::string& line : active()) trouble.details.push_back(std::move(line));
    parts_.conditions.raise(Condition::kFlowSilence, trouble, &parts_.remembered);
    parts_.queued();
}

Status ArrivalWatch::look(const std::vector<Router>& routers, MinuteTime judged, std::stop_token stop) {
    const SteadyTime now = parts_.clock.steady();
    if (looked_ && now - *looked_ < kLookEvery) return Done{};
    const WallTime wall = parts_.clock.wall();
    milliseconds since = looked_ ? now - *looked_ : milliseconds{0};
    if (since > kLongestLook || wall - judged > kCaughtUp) since = milliseconds{0};
    looked_ = now;
    const MinuteTime from = std::chrono::floor<Stride>(wall - kWindow);
    auto senders = parts_.reader.senders(from, kMostSenders, std::move(stop));
    if (!senders) {
        // A look that failed once leaves what is shown; a half hour that is older is not the last one.
        if (parts_.board != nullptr && (!shown_ || now - *shown_ > kLongestLook))
            parts_.board->forget_in_clickhouse();
        return senders.error();
    }
    note({.senders = *senders, .from = from}, routers, since);
    tell(routers, std::move(*senders));
    return Done{};
}

/// `since` is how long was listened since the last look.
void ArrivalWatch::note(const Answer& answer, const std::vector<Router>& routers, milliseconds since) {
    const auto& senders = answer.senders;
    // That something of it has come is what counts, not the time that its collector wrote on it: late records
    // are no silence, and clocks may differ or be set back. The records of a silent router never grow, unless
    // our own clock was set back and the window with it.
    const bool is_comparable = answer.from >= heard_from_;
    const auto is_new = [&](const clickhouse::SenderProgress& one) {
        const auto before = heard_.find(one.exporter);
        return before == heard_.end() || before->second.newest < one.newest ||
               (is_comparable && before->second.records < one.records);
    };
    if (std::none_of(senders.begin(), senders.end(), is_new)) since = milliseconds{0};
    std::map<IpAddress, Heard> heard;
    for (const clickhouse::SenderProgress& one : senders) {
        const milliseconds quiet =
            is_new(one) ? milliseconds{0} : heard_.find(one.exporter)->second.quiet + since;
        heard.insert_or_assign(one.exporter,
                               Heard{.newest = one.newest, .records = one.records, .quiet = quiet});
    }
    // After an outage a router that was heard before it may still be missing from the answer.
    for (const Router& router : routers) {
        const auto before = heard_.find(router.address);
        if (before == heard_.end()) continue;
        heard.try_emplace(router.address,
                          Heard{.newest = before->second.newest, .quiet = before->second.quiet + since});
    }
    heard_ = std::move(heard);
    heard_from_ = answer.from;
    listened_ += since;
}

void ArrivalWatch::tell(const std::vector<Router>& routers, std::vector<clickhouse::SenderProgress> senders) {
    exporters_.set(static_cast<double>(senders.size()));
    const WallTime wall = parts_.clock.wall();
    HeardInClickHouse shown;
    // Nobody can be called silent before it was listened for long enough.
    if (listened_ >= kExporterSilence) {
        HeardAgo ago;
        for (const auto& [address, one] : heard_) ago.emplace(address, one.quiet);
        const std::vector<Router> silent = silent_routers(ago, routers, wall);
        teller_.tell(silent);
        for (const Router& router : silent) shown.silent.push_back(router_in_words(router));
        parts_.queued();
    }
    if (parts_.board == nullptr) return;
    for (clickhouse::SenderProgress& one : senders) one.newest = std::min(one.newest, wall);
    shown.senders = std::move(senders);
    parts_.board->show(std::move(shown));
    shown_ = parts_.clock.steady();
}

}  // namespace cam::app
