#include "app/poll_teller.h"

#include <algorithm>
#include <array>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using cloudflare::FailureKind;
using cloudflare::QueryFailure;
using std::chrono::milliseconds;
using std::chrono::minutes;

// How long Cloudflare may fail in ways that pass before the SOC is told that it is blind.
constexpr minutes kBlindness{15};
constexpr std::chrono::hours kKeepDelivered{24 * 90};

constexpr std::array kPollOutcomes{"done", "failed", "cancelled"};
constexpr std::array kEventResults{"claimed", "duplicate", "filtered", "below_threshold",
                                   "merged",  "passed",    "outgoing", "unreadable"};

Counter& poll_counter(MetricRegistry& metrics, const char* outcome) {
    return metrics.counter("cam_polls_total", "Polls of Cloudflare by how they ended",
                           {{"outcome", outcome}});
}

Counter& event_counter(MetricRegistry& metrics, const char* result) {
    return metrics.counter("cam_events_total", "Mitigation events seen, by what was done with them",
                           {{"result", result}});
}

std::string window_text(const PollReport& report) {
    return fmt::format("{}/{}", rfc3339(report.span.from), rfc3339(report.span.to));
}

}  // namespace

PollTeller::PollTeller(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {
    for (const char* outcome : kPollOutcomes) poll_counter(parts_.metrics, outcome);
    for (const char* result : kEventResults) event_counter(parts_.metrics, result);
}

void PollTeller::tell(PollReport& report, const std::optional<QueryFailure>& failure,
                      const std::optional<TimeWindow>& hole) {
    if (failure) {
        report.outcome = failure->kind == FailureKind::kCancelled ? PollReport::Outcome::kCancelled
                                                                  : PollReport::Outcome::kFailed;
        report.why = failure->detail;
    }
    count(report);
    if (failure && failure->kind != FailureKind::kCancelled) {
        tell_failure(report, *failure);
    } else if (report.outcome == PollReport::Outcome::kDone) {
        tell_success(report, hole);
    }
    tell_truncated(report);
    if (report.outcome == PollReport::Outcome::kDone) {
        static_cast<void>(parts_.store.prune_delivered(parts_.clock.wall() - kKeepDelivered));
    }
}

void PollTeller::tell_failure(const PollReport& report, const QueryFailure& failure) {
    const std::string window = window_text(report);
    switch (failure.kind) {
        case FailureKind::kUnknownAccount:
            parts_.log->error("poll failed: cloudflare does not know the account window={} detail={}", window,
                              failure.detail);
            break;
        case FailureKind::kNoData:
            parts_.log->error("poll failed: cloudflare answered without data window={} detail={}", window,
                              failure.detail);
            break;
        case FailureKind::kTransient:
        case FailureKind::kRateLimited:
        case FailureKind::kUnauthorized:
        case FailureKind::kForbidden:
        case FailureKind::kQueryRefused:
        case FailureKind::kTooOld:
        case FailureKind::kTooWide:
        case FailureKind::kPageTooLarge:
        case FailureKind::kTooManyFields:
        case FailureKind::kTimeout:
        case FailureKind::kCancelled:
            parts_.log->error("poll failed: cloudflare query failed kind={} window={} detail={}",
                              name(failure.kind), window, failure.detail);
            break;
    }
    tell_blindness(report, failure);
}

void PollTeller::tell_success(const PollReport& report, const std::optional<TimeWindow>& hole) {
    failing_since_.reset();
    parts_.conditions.clear(
        Condition::kCloudflare,
        hole ? fmt::format("Cloudflare answers again. Not asked any more: {} to {}",
                           european_time(hole->from), european_time(hole->to))
             : std::string{"Cloudflare answers again. What happened meanwhile is caught up"},
        &parts_.store);
    if (report.rows == 0) {
        parts_.log->info("poll completed: no mitigation events window={}", window_text(report));
        return;
    }
    parts_.log->info(
        "poll completed window={} rows={} new={} duplicate={} foreign={} below_threshold={} merged={} "
        "passed={} outgoing={} unreadable={} messages={}",
        window_text(report), report.rows, report.fresh, report.duplicates, report.foreign,
        report.below_threshold, report.merged, report.passed, report.outgoing, report.unreadable,
        report.queued);
}

void PollTeller::tell_truncated(const PollReport& report) {
    if (report.truncated.empty()) {
        if (report.outcome != PollReport::Outcome::kDone) return;
        parts_.conditions.clear(Condition::kTruncated, "Cloudflare's answers are whole again", &parts_.store);
        return;
    }
    parts_.conditions.raise(
        Condition::kTruncated,
        {.state = "truncated",
         .headline = "Cloudflare's answer was cut",
         .details = {fmt::format("{} second(s) hold more events than one answer may carry, the first at {}.",
                                 report.truncated.size(), european_time(report.truncated.front())),
                     "What the answers held is stored and told; the rest of those seconds is not."},
         .tell = Tell::kLogAndSoc},
        &parts_.store);
}

milliseconds PollTeller::blind_for() {
    const SteadyTime now = parts_.clock.steady();
    if (!failing_since_) failing_since_ = now;
    const milliseconds here = now - *failing_since_;
    // Where a daemon was stopped for hours, or still catches up, the age of the last claim is no outage.
    if (options_.polls == Polls::kMany) return here;
    const auto claimed_to = parts_.store.claimed_to();
    if (!claimed_to || !*claimed_to) return here;
    return std::max<milliseconds>(here, parts_.fetcher.now() - **claimed_to - options_.poll_interval);
}

void PollTeller::tell_blindness(const PollReport& report, const QueryFailure& failure) {
    const bool permanent = cloudflare::permanent(failure.kind);
    if (!permanent && report.advanced) {  // it answers, although not everything yet: nobody is blind
        failing_since_.reset();
        return;
    }
    const auto blindness = std::max<milliseconds>(kBlindness, options_.poll_interval * 2);
    if (!permanent && blind_for() < blindness) return;
    // Every kind of passing failure is one state: an outage that changes its face is still one outage.
    const std::string state = permanent ? name(failure.kind) : "unreachable";
    parts_.conditions.raise(
        Condition::kCloudflare,
        {.state = state,
         .headline = permanent ? fmt::format("Cloudflare refuses the query ({})", name(failure.kind))
                               : std::string{"Cloudflare does not answer"},
         .details = {failure.detail,
                     "No mitigation event can be seen until this is mended. This is not peace.",
                     fmt::format("What happens meanwhile is caught up, for {} at most.",
                                 duration_text(options_.caught_up))},
         .tell = Tell::kLogAndSoc},
        &parts_.store);
}

void PollTeller::note_clock() {
    const milliseconds skew = parts_.fetcher.skew();
    if (skew >= minutes{2} || skew <= -minutes{2}) {
        parts_.conditions.raise(
            Condition::kClock,
            {.state = "wrong",
             .headline = "This machine's clock is wrong",
             .details = {fmt::format("It is {} {} Cloudflare's; windows follow Cloudflare's clock.",
                                     duration_text(skew < milliseconds{0} ? -skew : skew),
                                     skew < milliseconds{0} ? "ahead of" : "behind")},
             .tell = Tell::kLogAndSoc},
            &parts_.store);
    } else {
        parts_.conditions.clear(Condition::kClock, "This machine's clock is right again", &parts_.store);
    }
}

void PollTeller::count(const PollReport& report) {
    const auto events = [&](const char* result) -> Counter& { return event_counter(parts_.metrics, result); };
    poll_counter(parts_.metrics, kPollOutcomes[static_cast<std::size_t>(report.outcome)]).add();
    events("claimed").add(report.fresh);
    events("duplicate").add(report.duplicates);
    events("filtered").add(report.foreign);
    events("below_threshold").add(report.below_threshold);
    events("merged").add(report.merged);
    events("passed").add(report.passed);
    events("outgoing").add(report.outgoing);
    events("unreadable").add(report.unreadable);
    parts_.metrics.gauge("cam_geoip_failed_lookups", "Look-ups that met a damaged record of a GeoIP database")
        .set(static_cast<double>(parts_.geo.failed_lookups()));
    parts_.metrics
        .counter("cam_polls_truncated_seconds_total", "Seconds with more events than one answer carries")
        .add(report.truncated.size());
    if (report.outcome == PollReport::Outcome::kDone) {
        parts_.metrics
            .gauge("cam_poll_last_success_timestamp_seconds",
                   "When the last successful poll ended, seconds since 1970")
            .set(static_cast<double>(parts_.clock.wall().time_since_epoch().count()) / 1000.0);
    }
}

}  // namespace cam::app
