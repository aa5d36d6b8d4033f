#include "app/rule_preview.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "app/traffic_view.h"
#include "cam/rules/evaluator.h"

namespace cam::app {
namespace {

using std::chrono::minutes;

constexpr minutes kWeek{7 * 24 * 60};
constexpr minutes kAround{2};
constexpr minutes kPiece{10'000};
constexpr std::size_t kMostAlerts = 200;
constexpr std::uint32_t kMostKnownAlerts = 10'000;
/// A day: with fewer minutes the highest of a thousand is no more than the highest.
constexpr std::size_t kFewestMinutes = 24 * 60;
constexpr double kMargin = 1.5;
constexpr double kUsual = 0.999;

/// The stored minutes of the rule's prefixes.
struct Past {
    MinuteTime from;
    std::vector<CollectedMinute> collected;                   ///< oldest first
    std::map<MinuteTime, std::vector<PrefixMinute>> traffic;  ///< those with traffic
    std::vector<Prefix> silent;                               ///< never had any
};

Result<Past> read_past(TrafficHistory& history, const Rule& rule, MinuteTime from, MinuteTime to,
                       const Clock& clock, SteadyTime deadline) {
    Past past{.from = from, .collected = {}, .traffic = {}, .silent = {}};
    auto collected = history.collected_minutes(from, to);
    if (!collected) return collected.error();
    past.collected = std::move(*collected);
    for (const Prefix& prefix : rule.prefixes) {
        bool is_silent = true;
        for (MinuteTime start = from; start < to; start += kPiece) {
            if (clock.steady() >= deadline) {
                return Error{ErrorCode::kInvalid,
                             "days: the preview takes too long; ask for fewer days or fewer prefixes"};
            }
            const auto points = history.series(prefix, start, std::min(start + kPiece, to), minutes{1});
            if (!points) return points.error();
            for (const TrafficPoint& point : *points) {
                if (point.sum[0].empty()) continue;
                is_silent = false;
                past.traffic[point.start].push_back(
                    {.prefix = prefix, .minute = point.start, .classes = point.sum});
            }
        }
        if (is_silent) past.silent.push_back(prefix);
    }
    return past;
}

std::span<const PrefixMinute> traffic_at(const Past& past, MinuteTime minute) {
    const auto found = past.traffic.find(minute);
    return found == past.traffic.end() ? std::span<const PrefixMinute>{} : found->second;
}

/// As the flow judge looks a week back: the same minute and two on each side.
std::vector<PrefixMinute> week_before(const Past& past, MinuteTime minute) {
    std::vector<PrefixMinute> found;
    const MinuteTime then = minute - kWeek;
    for (auto at = past.traffic.lower_bound(then - kAround);
         at != past.traffic.end() && at->first <= then + kAround; ++at) {
        found.insert(found.end(), at->second.begin(), at->second.end());
    }
    return found;
}

/// Takes alerts in as the evaluator tells them.
class AlertList {
public:
    void take(rules::AlertChange change, rules::Evaluator& evaluator) {
        if (change.kind == rules::AlertChange::Kind::kStarted) {
            change.alert.id = fmt::format("{}", alerts_.size());
            evaluator.adopt(change.alert);
            alerts_.push_back(std::move(change.alert));
            return;
        }
        const auto number = std::stoul(change.alert.id);
        alerts_.at(number) = std::move(change.alert);
    }
    /// Newest first, bounded.
    void give(api::RulePreview& preview) && {
        std::reverse(alerts_.begin(), alerts_.end());
        preview.alerts_left_out = alerts_.size() - std::min(alerts_.size(), kMostAlerts);
        alerts_.resize(alerts_.size() - preview.alerts_left_out);
        for (Alert& alert : alerts_) {
            alert.id.clear();
            alert.rule_id.clear();
        }
        preview.alerts = std::move(alerts_);
    }

private:
    std::vector<Alert> alerts_;
};

void judge(const Rule& rule, const Past& past, MinuteTime from, MinuteTime to, api::RulePreview& preview) {
    rules::Evaluator evaluator;
    AlertList alerts;
    static_cast<void>(evaluator.set_rules({rule}, from));
    const MinuteTime warm_from = from - evaluator.past_needed();
    for (const CollectedMinute& collected : past.collected) {
        if (!collected.whole() || collected.minute < warm_from) continue;
        const auto traffic = traffic_at(past, collected.minute);
        if (collected.minute < from) {
            evaluator.warm_up(collected.minute, traffic);
            continue;
        }
        std::vector<PrefixMinute> week_ago;
        if (rule.type == RuleType::kAdvancedDdos) week_ago = week_before(past, collected.minute);
        ++preview.minutes_judged;
        for (rules::AlertChange& change : evaluator.judge(collected.minute, traffic, week_ago)) {
            alerts.take(std::move(change), evaluator);
        }
    }
    preview.from = from;
    preview.to = to;
    std::move(alerts).give(preview);
}

/// The value that all but one in a thousand stay at or below (nearest rank).
std::uint64_t usual_most(std::vector<std::uint64_t> values) {
    const auto rank = static_cast<std::size_t>(std::ceil(kUsual * static_cast<double>(values.size())));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// Up to two significant digits: nobody types 1,372,119,034.
std::uint64_t rounded_up(double value) {
    if (value <= 100) return static_cast<std::uint64_t>(std::max(1.0, std::ceil(value)));
    const double unit = std::pow(10.0, std::floor(std::log10(value)) - 1);
    return static_cast<std::uint64_t>(std::ceil(value / unit) * unit);
}

/// Bytes and packets of each minute that is no attack as far as is known.
struct Usual {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::size_t minutes = 0;
};

using Minutes = std::vector<MinuteTime>;

/// Whole minutes of the range outside of stored alerts on any of the prefixes.
Result<Minutes> quiet_minutes(store::FlowStore& store, const Rule& rule, const Past& past, MinuteTime from) {
    const auto known = store.alerts({.active = {}, .rule_id = {}, .since = {}, .limit = kMostKnownAlerts});
    if (!known) return known.error();
    std::vector<const Alert*> attacks;
    for (const Alert& alert : *known) {
        const bool is_ours =
            std::any_of(alert.prefixes.begin(), alert.prefixes.end(), [&](const Prefix& prefix) {
                return std::find(rule.prefixes.begin(), rule.prefixes.end(), prefix) != rule.prefixes.end();
            });
        if (is_ours) attacks.push_back(&alert);
    }
    Minutes quiet;
    for (const CollectedMinute& collected : past.collected) {
        if (!collected.whole() || collected.minute < from) continue;
        const bool is_attack = std::any_of(attacks.begin(), attacks.end(), [&](const Alert* alert) {
            return collected.minute >= alert->started_at &&
                   (!alert->ended_at || collected.minute < *alert->ended_at);
        });
        if (!is_attack) quiet.push_back(collected.minute);
    }
    return quiet;
}

Usual usual_of(const Past& past, const Minutes& quiet, const std::vector<Prefix>& target) {
    std::vector<std::uint64_t> bytes;
    std::vector<std::uint64_t> packets;
    bytes.reserve(quiet.size());
    packets.reserve(quiet.size());
    for (const MinuteTime minute : quiet) {
        Volume sum;
        for (const PrefixMinute& one : traffic_at(past, minute)) {
            if (std::find(target.begin(), target.end(), one.prefix) != target.end()) sum += one.all();
        }
        bytes.push_back(sum.bytes);
        packets.push_back(sum.packets);
    }
    return {.bytes = usual_most(std::move(bytes)),
            .packets = usual_most(std::move(packets)),
            .minutes = quiet.size()};
}

Status suggest(store::FlowStore& store, const Rule& rule, const Past& past, MinuteTime from,
               api::RulePreview::Suggestion& suggestion) {
    const auto quiet = quiet_minutes(store, rule, past, from);
    if (!quiet) return quiet.error();
    if (quiet->size() < kFewestMinutes) {
        suggestion.reasoning = fmt::format(
            "Only {} whole minutes outside of alerts are stored; a day of them ({}) is needed to tell what "
            "is usual.",
            quiet->size(), kFewestMinutes);
        return Done{};
    }
    std::vector<std::vector<Prefix>> targets;
    if (rule.scope == RuleScope::kAggregate) {
        targets.push_back(outermost(rule.prefixes));
    } else {
        for (const Prefix& prefix : rule.prefixes) targets.push_back({prefix});
    }
    Usual most{.minutes = quiet->size()};
    for (const std::vector<Prefix>& target : targets) {
        const Usual one = usual_of(past, *quiet, target);
        most.bytes = std::max(most.bytes, one.bytes);
        most.packets = std::max(most.packets, one.packets);
    }
    if (most.packets == 0) {
        suggestion.reasoning = "There was no traffic to tell what is usual.";
        return Done{};
    }
    const Volume usual{.bytes = most.bytes, .packets = most.packets, .flows = 0};
    suggestion.bits_per_second = rounded_up(usual.bits_per_second() * kMargin);
    suggestion.packets_per_second = rounded_up(usual.packets_per_second() * kMargin);
    suggestion.reasoning = fmt::format(
        "Of {} whole minutes outside of alerts 99.9 % were at or below {:.0f} bits/s and {:.0f} packets/s{}; "
        "half as much again, rounded up to two digits.",
        most.minutes, usual.bits_per_second(), usual.packets_per_second(),
        targets.size() > 1 ? " (the busiest prefix)" : "");
    return Done{};
}

}  // namespace

Result<api::RulePreview> preview_rule(const PreviewSources& sources, Rule rule, MinuteTime from,
                                      MinuteTime to, const Clock& clock, std::chrono::milliseconds budget) {
    rule.id = "preview";
    rule.updated_at = from;  // as if it was made then: what it needs of the past is warmed up
    rules::Evaluator measure;
    static_cast<void>(measure.set_rules({rule}, from));
    minutes before = measure.past_needed();
    if (rule.type == RuleType::kAdvancedDdos) before = std::max(before, kWeek + kAround);
    const auto prefixes = static_cast<std::int64_t>(rule.prefixes.size());
    if (prefixes * (to - from + before).count() > kMostMinutesRead) {
        return Error{ErrorCode::kInvalid,
                     fmt::format("days: for {} prefixes the preview can go back {} minutes at most", prefixes,
                                 std::max<std::int64_t>(kMostMinutesRead / prefixes - before.count(), 0))};
    }
    const auto past = read_past(sources.history, rule, from - before, to, clock, clock.steady() + budget);
    if (!past) return past.error();
    api::RulePreview preview{
        .from = from, .to = to, .alerts = {}, .without_traffic = past->silent, .suggestion = {}};
    judge(rule, *past, from, to, preview);
    if (const Status suggested = suggest(sources.alerts, rule, *past, from, preview.suggestion); !suggested) {
        return suggested.error();
    }
    return preview;
}

}  // namespace cam::app
