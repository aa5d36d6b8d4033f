#include "app/poller.h"

#include <algorithm>
#include <iterator>

#include <malloc.h>

#include <spdlog/fmt/fmt.h>

#include "app/geo_refresh.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using cloudflare::QueryFailure;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Cloudflare's rows may appear some time after their own `datetime`. The lookback window covers that in
// normal operation; where the window begins at the last claimed instant, this much before it is asked again.
constexpr minutes kLateness{2};

milliseconds overlap(const Poller::Options& options) {
    return std::max<milliseconds>(kLateness, options.lookback - options.poll_interval);
}

}  // namespace

/// Events on their way into one transaction.
struct Poller::Batch {
    std::vector<MitigationEvent> events;
    std::optional<WallTime> answered_to;
};

milliseconds farthest_back(seconds poll_interval, minutes lookback, std::chrono::hours catch_up) {
    return std::max<milliseconds>({catch_up, lookback, poll_interval * 2 + kLateness});
}

std::optional<PollGap> poll_gap(std::optional<WallTime> claimed_to, WallTime now, seconds poll_interval,
                                minutes lookback, std::chrono::hours catch_up) {
    if (!claimed_to) return std::nullopt;
    const milliseconds length = now - *claimed_to;
    if (length <= std::max<milliseconds>(lookback, poll_interval + seconds{60})) return std::nullopt;
    const milliseconds covered = farthest_back(poll_interval, lookback, catch_up);
    return PollGap{length, std::max(*claimed_to, now - covered), std::max(milliseconds{0}, length - covered)};
}

Poller::Poller(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      filter_(options_.filter),
      composer_(parts_.geo, options_.compose),
      teller_({parts_.fetcher, parts_.store, parts_.geo, parts_.conditions, parts_.clock, parts_.log,
               parts_.metrics},
              {.poll_interval = options_.poll_interval,
               .caught_up = farthest_back(options_.poll_interval, options_.lookback, options_.catch_up),
               .polls = options_.polls}) {}

PollReport Poller::poll(std::stop_token stop) {
    PollReport report;
    const EventFetcher::Patience patience{parts_.clock.steady() + options_.patience, stop};
    const rules::Scope whose = scope();
    std::optional<QueryFailure> failure;
    bool stored = true;
    // A second round only if the first answer shows that our clock is wrong: then the window was, too.
    for (int round = 0; round < 2; ++round) {
        const auto span = choose_span(stop, report);
        if (!span) {
            stored = false;
            break;
        }
        report.span = *span;
        const milliseconds skew = parts_.fetcher.skew();
        bool clock_wrong = false;
        bool answered = false;
        bool advanced = false;
        Batch batch;
        failure = parts_.fetcher.fetch(*span, patience, [&](EventFetcher::Piece&& piece) {
            answered = true;
            clock_wrong = round == 0 && !batch.answered_to &&
                          std::chrono::abs(parts_.fetcher.skew() - skew) > seconds{2};
            if (clock_wrong) return EventFetcher::Go::kStop;
            if (piece.truncated) report.truncated.push_back(*piece.truncated);
            batch.answered_to = piece.answered_to;
            // The first pieces are old time, asked again for rows that came late.
            advanced = !known_to_ || piece.answered_to > *known_to_;
            sift(std::move(piece.page), whose, batch, report);
            if (batch.events.size() < options_.max_claim) return EventFetcher::Go::kOn;
            stored = claim(batch, span->to, report);
            return stored ? EventFetcher::Go::kOn : EventFetcher::Go::kStop;
        });
        if (answered) teller_.note_clock();
        report.advanced = advanced;
        if (clock_wrong) {
            report = PollReport{};
            continue;
        }
        // What was answered before a failure is claimed all the same: progress never goes to waste.
        if (stored && batch.answered_to) stored = claim(batch, span->to, report);
        break;
    }
    if (!stored) report.outcome = PollReport::Outcome::kFailed;
    teller_.tell(report, failure, hole_);
    // A big answer is tens of megabytes; give them back instead of keeping them for the next attack.
    if (report.rows > 1'000) ::malloc_trim(0);
    return report;
}

/// How far events are claimed, as far as the database tells. Nothing without an error: it does not.
Result<std::optional<WallTime>> Poller::progress(PollReport& report) {
    auto claimed_to = parts_.store.claimed_to();
    progress_unknown_ = !claimed_to && claimed_to.error().code == ErrorCode::kInvalid;
    if (claimed_to) {
        parts_.conditions.clear(Condition::kProgress, "poll progress is known again", nullptr);
        return claimed_to;
    }
    if (progress_unknown_) {
        parts_.conditions.raise(
            Condition::kProgress,
            {.state = "unreadable",
             .headline = "Poll progress is unreadable: asking for all that may be missing",
             .details = {claimed_to.error().detail,
                         "what was told before is in the database and not told again"}},
            nullptr);
        return std::optional<WallTime>{};
    }
    parts_.log->error("poll failed: database cannot be read reason={}", quote(claimed_to.error().detail));
    report.why = fmt::format("database: {}", claimed_to.error().detail);
    parts_.conditions.raise(Condition::kDatabase,
                            {.state = "unreadable",
                             .headline = "Database cannot be read",
                             .details = {claimed_to.error().detail, "Polling goes on as soon as it answers."},
                             .tell = Tell::kLogAndSoc},
                            &parts_.store);
    return claimed_to;
}

std::optional<TimeWindow> Poller::choose_span(std::stop_token, PollReport& report) {
    const WallTime now = parts_.fetcher.now();
    const auto claimed_to = progress(report);
    if (!claimed_to) return std::nullopt;
    const WallTime oldest = now - parts_.fetcher.retention();
    WallTime from = std::max(now - options_.lookback, oldest);
    const WallTime earliest =
        std::max(now - farthest_back(options_.poll_interval, options_.lookback, options_.catch_up), oldest);
    const auto reach_back = [&](WallTime to) { from = std::min(from, std::max(to, earliest)); };
    if (progress_unknown_) {
        reach_back(earliest);
    } else if (*claimed_to) {
        if (**claimed_to > now + options_.lookback) {
            // Our clock was ahead when that was written, so nobody knows what is covered: ask for all we may.
            parts_.log->warn("stored progress lies in the future, catching up in full claimed_to={} now={}",
                             rfc3339(**claimed_to), rfc3339(now));
            reach_back(earliest);
        } else {
            reach_back(**claimed_to - overlap(options_));
        }
    }
    // The steady clock knows how long ago the last claim was even if somebody turned the wall clock
    // meanwhile.
    if (claimed_at_) reach_back(now - (parts_.clock.steady() - *claimed_at_) - overlap(options_));

    hole_ = *claimed_to && **claimed_to < from ? std::optional{TimeWindow{**claimed_to, from}} : std::nullopt;
    const auto gap = poll_gap(
        *claimed_to, now, options_.poll_interval, options_.lookback,
        std::min(options_.catch_up, std::chrono::floor<std::chrono::hours>(parts_.fetcher.retention())));
    if (gap && told_gap_ != *claimed_to) {
        told_gap_ = *claimed_to;
        parts_.log->info("catching up gap={} claimed_to={} from={} not_covered={}",
                         quote(duration_text(gap->length)), rfc3339(**claimed_to), rfc3339(from),
                         quote(duration_text(gap->not_covered)));
    }
    // As in claim(): progress beyond the span's end is a wrong clock's and will go back.
    known_to_ = *claimed_to && **claimed_to <= now ? *claimed_to : std::nullopt;
    return TimeWindow{from, now};
}

rules::Scope Poller::scope() {
    const auto only_mine = parts_.preferences.my_prefixes_only();
    if (only_mine) {
        parts_.conditions.clear(Condition::kPreferences, "preference file is readable again", nullptr);
        return *only_mine ? rules::Scope::kMine : rules::Scope::kMineAndCloudflare;
    }
    parts_.conditions.raise(
        Condition::kPreferences,
        {.state = only_mine.error().code == ErrorCode::kNotFound ? "missing" : "unreadable",
         .headline = "Preference file cannot be used: telling my prefixes only",
         .details = {fmt::format("{}: {}", parts_.preferences.path(), only_mine.error().detail),
                     "expected {\"my_prefixes_only\": true}"}},
        nullptr);
    return rules::Scope::kMine;
}

void Poller::sift(cloudflare::EventPage&& page, rules::Scope scope, Batch& batch, PollReport& report) {
    report.rows += page.rows;
    report.unreadable += page.unreadable;
    report.passed += page.not_dropped;
    report.outgoing += page.not_ingress;
    // Rows of one identity share a second, and pages are cut between seconds: they never lie on two pages.
    report.merged += rules::merge_same_identity(page.events);
    std::erase_if(page.events, [&](const MitigationEvent& event) {
        switch (filter_.judge(event, scope)) {
            case rules::Verdict::kNotify:
                return false;
            case rules::Verdict::kForeign:
                ++report.foreign;
                return true;
            case rules::Verdict::kBelowThreshold:
                ++report.below_threshold;
                return true;
        }
        return false;
    });
    // A few events must not keep the whole answer in memory until all of a long catch-up is claimed.
    if (page.events.size() * 2 < page.rows) store_apart(page.events);
    // Events are large: the usual poll has one page, which is taken over as it is.
    if (batch.events.empty()) {
        batch.events = std::move(page.events);
    } else {
        batch.events.insert(batch.events.end(), std::make_move_iterator(page.events.begin()),
                            std::make_move_iterator(page.events.end()));
    }
}

bool Poller::claim(Batch& batch, WallTime span_end, PollReport& report) {
    if (!claimed_once_ && parts_.before_first_claim) parts_.before_first_claim();
    claimed_once_ = true;
    if (!batch.events.empty()) {
        const auto geo = refresh_geo(parts_.geo, parts_.conditions, parts_.log).edition();
        geoip_ = geo ? std::optional{geo->type} : std::nullopt;
    }

    // Catching up asks again for what lies before the last claim; progress must not go back for that. It does
    // go back if it lies in the future, where only a wrong clock can have put it.
    WallTime covered_to = *batch.answered_to;
    if (auto before = parts_.store.claimed_to(); before && *before && **before <= span_end) {
        covered_to = std::max(covered_to, **before);
    }
    auto claimed = parts_.store.claim(batch.events, covered_to, parts_.clock.wall(), [&](const auto& fresh) {
        return composer_.compose(batch.events, fresh, geoip_);
    });
    if (!claimed) {
        report.why = fmt::format("database: {}", claimed.error().detail);
        const ErrorCode code = claimed.error().code;
        const bool can_queue = code != ErrorCode::kBusy && code != ErrorCode::kFull;
        parts_.log->error("claim failed events={} reason={}", batch.events.size(),
                          quote(claimed.error().detail));
        parts_.conditions.raise(
            Condition::kDatabase,
            {.state = claimed.error().code == ErrorCode::kFull ? "full" : "unwritable",
             .headline = "Database cannot be written",
             .details = {claimed.error().detail,
                         fmt::format("{} events wait at Cloudflare and are told once it can be.",
                                     batch.events.size())},
             .tell = Tell::kLogAndSoc},
            // Not into a database that has just refused for so long: past it.
            can_queue ? &parts_.store : nullptr);
        return false;
    }
    parts_.conditions.clear(Condition::kDatabase, "Database is written again", &parts_.store);
    report.fresh += claimed->fresh.size();
    report.duplicates += claimed->duplicates;
    report.queued += claimed->queued;
    claimed_at_ = parts_.clock.steady();
    if (claimed->queued > 0 && parts_.queued) parts_.queued();
    batch.events.clear();
    return true;
}

}  // namespace cam::app
