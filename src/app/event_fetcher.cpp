#include "app/event_fetcher.h"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using cloudflare::EventPage;
using cloudflare::FailureKind;
using cloudflare::QueryFailure;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kQueryTotal{30};
constexpr seconds kLimitsTotal{10};
constexpr std::chrono::hours kLimitsLife{6};
// Cloudflare takes 300 GraphQL queries in five minutes per credential; some are left to other users of the
// token.
constexpr std::size_t kQueryBudget = 250;
constexpr std::chrono::minutes kBudgetSpan{5};
// For a 429 that does not say how long to wait.
constexpr seconds kRateLimitPause{5};
constexpr int kMaxAdaptations = 12;
// Windows are made no narrower than this because Cloudflare is slow or fails: then width is not the reason.
constexpr seconds kNarrowestCautious{60};
// So many polls in a row without any answer may have the width of the window as their reason.
constexpr int kFailuresOfWidth = 3;
// Waits are kept a little longer than asked: our clock is cut to milliseconds, and no two ways through the
// network take equally long.
constexpr milliseconds kSlack{50};
// A whole second of difference is what the Date header's resolution and the way of the answer can explain.
constexpr milliseconds kSkewNoise{5'000};

}  // namespace

EventFetcher::EventFetcher(Parts parts)
    : parts_(std::move(parts)),
      queries_(parts_.metrics.counter("cam_cloudflare_queries_total", "GraphQL queries sent to Cloudflare")),
      retries_(
          parts_.metrics.counter("cam_cloudflare_retries_total", "GraphQL queries that repeat a failed one")),
      budget_left_(parts_.metrics.gauge("cam_cloudflare_budget_left",
                                        "GraphQL queries that may still be sent in these five minutes")) {
    budget_left_.set(kQueryBudget);
}

void EventFetcher::refresh_limits(const Patience& patience) {
    const SteadyTime now = parts_.clock.steady();
    if (limits_asked_ && now - *limits_asked_ < kLimitsLife) return;
    if (within_budget(patience)) return;
    auto told = parts_.client.limits(kLimitsTotal, patience.stop);
    if (told) {
        limits_ = std::move(*told);
        limits_asked_ = now;
        parts_.log->info("account limits page={} duration_s={} retention_s={} fields={} enabled={}",
                         limits_.max_page_size, limits_.max_duration.count(), limits_.not_older_than.count(),
                         limits_.max_fields, limits_.enabled);
        return;
    }
    if (told.error().kind == FailureKind::kCancelled) return;
    if (told.error().retry_after) blocked_until_ = parts_.clock.steady() + *told.error().retry_after + kSlack;
    // Defaults that every account takes; asked again at the next poll if the cause may pass.
    if (cloudflare::permanent(told.error().kind)) limits_asked_ = now;
    parts_.log->warn("account limits unknown, using defaults kind={} detail={}", name(told.error().kind),
                     told.error().detail);
}

std::optional<QueryFailure> EventFetcher::within_budget(const Patience& patience) {
    while (true) {
        const SteadyTime now = parts_.clock.steady();
        while (!asked_.empty() && now - asked_.front() >= kBudgetSpan) asked_.pop_front();
        std::optional<SteadyTime> wait;
        if (asked_.size() >= kQueryBudget) wait = asked_.front() + kBudgetSpan;
        if (blocked_until_ && *blocked_until_ > now) wait = std::max(wait.value_or(now), *blocked_until_);
        if (!wait) {
            asked_.push_back(now);
            queries_.add();
            budget_left_.set(static_cast<double>(kQueryBudget - asked_.size()));
            return std::nullopt;
        }
        if (*wait > patience.until) {
            const auto left = std::chrono::ceil<seconds>(*wait - now);
            return QueryFailure{
                FailureKind::kRateLimited,
                fmt::format("not asked: Cloudflare's rate limit holds for {} more", duration_text(left)),
                left, 0};
        }
        if (!sleep_beating(parts_.clock, *wait, patience.stop, parts_.heartbeat)) {
            return QueryFailure{FailureKind::kCancelled, "asked to stop", std::nullopt, 0};
        }
    }
}

seconds EventFetcher::widest() const {
    return std::min(limits_.max_duration, cautious_.value_or(limits_.max_duration));
}

EventFetcher::Adapted EventFetcher::ask_for_less(const TimeWindow& window, cloudflare::WindowPlan& plan) {
    const auto width = std::chrono::floor<seconds>(window.length());
    if (width <= kNarrowestCautious) return Adapted::kNo;
    too_slow_ = width;
    cautious_ = std::max(kNarrowestCautious, width / 4);
    plan.narrow(*cautious_);
    parts_.log->warn("cloudflare was too slow, asking for less window_s={} now_s={}", width.count(),
                     cautious_->count());
    retries_.add();
    return Adapted::kHalved;
}

void EventFetcher::note_failure(const Failure& failure, const TimeWindow& window) {
    if (failure.kind != FailureKind::kTransient && failure.kind != FailureKind::kTimeout) return;
    if (++failed_fetches_ < kFailuresOfWidth) return;
    cautious_ = std::max(kNarrowestCautious, std::chrono::floor<seconds>(window.length()) / 4);
}

void EventFetcher::note_success(cloudflare::WindowPlan& plan) {
    failed_fetches_ = 0;
    if (!cautious_ || (too_slow_ && *cautious_ * 2 >= *too_slow_)) return;
    *cautious_ *= 2;
    if (*cautious_ >= limits_.max_duration) cautious_.reset();
    plan.widen(widest());
}

EventFetcher::Adapted EventFetcher::adapt(const Failure& failure, const TimeWindow& window,
                                          cloudflare::WindowPlan& plan) {
    const auto limit = failure.limit;
    switch (failure.kind) {
        case FailureKind::kTooWide:
            if (limit == 0) return plan.halve() ? Adapted::kHalved : Adapted::kNo;
            limits_.max_duration = seconds{limit};
            plan.narrow(limits_.max_duration);
            return Adapted::kHalved;
        case FailureKind::kPageTooLarge:
            if (limit == 0 || limit >= limits_.max_page_size) return Adapted::kNo;
            limits_.max_page_size = static_cast<std::uint32_t>(limit);
            return Adapted::kYes;
        case FailureKind::kTooManyFields:
            if (limit == 0) return Adapted::kNo;
            limits_.max_fields = static_cast<std::uint32_t>(limit);
            return Adapted::kYes;
        case FailureKind::kTooOld:
            if (limit == 0) return Adapted::kNo;
            limits_.not_older_than = seconds{limit};
            return Adapted::kTooOld;
        case FailureKind::kTimeout:
            return ask_for_less(window, plan);
        case FailureKind::kTransient:
        case FailureKind::kRateLimited:
        case FailureKind::kUnauthorized:
        case FailureKind::kForbidden:
        case FailureKind::kQueryRefused:
        case FailureKind::kUnknownAccount:
        case FailureKind::kNoData:
        case FailureKind::kCancelled:
            return Adapted::kNo;
    }
    return Adapted::kNo;
}

std::optional<QueryFailure> EventFetcher::wait_before_repeat(const Failure& failure, const Patience& patience,
                                                             Backoff& backoff) {
    if (failure.kind == FailureKind::kCancelled || cloudflare::permanent(failure.kind)) return failure;
    const SteadyTime now = parts_.clock.steady();
    milliseconds wait = backoff.next();
    if (failure.retry_after) {
        const milliseconds told = *failure.retry_after + kSlack;
        wait = std::max(wait, told);
        blocked_until_ = now + told;
    } else if (failure.kind == FailureKind::kRateLimited) {
        wait = std::max<milliseconds>(wait, kRateLimitPause);
    }
    if (now + wait > patience.until) return failure;
    parts_.log->warn("cloudflare query failed, trying again kind={} wait_ms={} detail={}", name(failure.kind),
                     wait.count(), failure.detail);
    retries_.add();
    if (sleep_beating(parts_.clock, now + wait, patience.stop, parts_.heartbeat)) return std::nullopt;
    return QueryFailure{FailureKind::kCancelled, "asked to stop", std::nullopt, 0};
}

Result<EventPage, QueryFailure> EventFetcher::ask(const TimeWindow& window, const Patience& patience,
                                                  cloudflare::WindowPlan& plan, Adapted& adapted) {
    Backoff backoff({.first = milliseconds{500}, .most = milliseconds{30'000}});
    adapted = Adapted::kNo;
    for (int adaptations = 0;;) {
        parts_.heartbeat.beat();
        if (auto refused = within_budget(patience)) return std::move(*refused);
        auto answer = parts_.client.events(window, {.limit = limits_.max_page_size,
                                                    .max_fields = limits_.max_fields,
                                                    .available_fields = limits_.available_fields,
                                                    .total = kQueryTotal,
                                                    .stop = patience.stop});
        if (answer) return answer;
        adapted = adaptations++ < kMaxAdaptations ? adapt(answer.error(), window, plan) : Adapted::kNo;
        if (adapted == Adapted::kYes) continue;
        if (adapted != Adapted::kNo) return answer;
        if (auto final = wait_before_repeat(answer.error(), patience, backoff)) return std::move(*final);
    }
}

void EventFetcher::note_skew(const EventPage& page) {
    const milliseconds told = page.clock_skew.value_or(milliseconds{0});
    skew_ = told > kSkewNoise || told < -kSkewNoise ? told : milliseconds{0};
}

std::optional<QueryFailure> EventFetcher::fetch(const TimeWindow& span, const Patience& patience,
                                                const std::function<Go(Piece&&)>& take) {
    refresh_limits(patience);
    if (!limits_.enabled) {
        limits_asked_.reset();  // it may be switched on: look again at the next poll
        return QueryFailure{FailureKind::kForbidden,
                            "the account's settings node says that the dataset is not enabled", std::nullopt,
                            0};
    }
    // A margin, because the limit is judged at Cloudflare when the query arrives.
    const auto oldest = [&] { return now() - limits_.not_older_than + seconds{60}; };
    too_slow_.reset();
    cloudflare::WindowPlan plan({std::max(span.from, oldest()), span.to}, widest());
    int too_old = 0;
    while (const auto window = plan.next()) {
        Adapted adapted = Adapted::kNo;
        auto answer = ask(*window, patience, plan, adapted);
        if (!answer) {
            // A slow answer costs much of the patience; other reasons to halve come at once.
            const bool in_time =
                answer.error().kind != FailureKind::kTimeout || parts_.clock.steady() < patience.until;
            if (adapted == Adapted::kHalved && in_time) continue;
            if (adapted == Adapted::kTooOld && ++too_old <= 3) {
                plan = cloudflare::WindowPlan({std::max(window->from, oldest()), span.to}, widest());
                continue;
            }
            note_failure(answer.error(), *window);
            return std::move(answer).error();
        }
        note_skew(*answer);
        Piece piece{std::move(*answer), {}, std::nullopt};
        if (piece.page.rows >= limits_.max_page_size) {
            if (plan.halve()) continue;
            piece.truncated = window->from;
        }
        plan.complete();
        note_success(plan);
        piece.answered_to = plan.answered_to();
        if (take(std::move(piece)) == Go::kStop) return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace cam::app
