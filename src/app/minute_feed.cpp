#include "app/minute_feed.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace cam::app {
namespace {

using std::chrono::minutes;

/// A source that sent nothing in so many minutes before the next one is not waited for.
constexpr minutes kLately{3};
/// So much of a minute must lack records, towards a minute without any, to be no whole minute.
constexpr std::chrono::seconds kEdge{10};
/// Minutes that others are beyond, kept in mind; beyond, the oldest are enough.
constexpr std::size_t kMostPassed = 4'096;

}  // namespace

MinuteFeed::MinuteFeed(clickhouse::MinuteReader& reader, Clock& clock, Options options)
    : reader_(reader), clock_(clock), options_(options), newest_changed_(clock.steady()) {}

void MinuteFeed::begin_at(MinuteTime first) {
    next_ = first;
    passed_.clear();
}

bool MinuteFeed::is_silent() const {
    return clock_.steady() - newest_changed_ >= options_.silence;
}

void MinuteFeed::note_progress(const std::vector<clickhouse::CollectorProgress>& sources) {
    const SteadyTime now = clock_.steady();
    std::optional<WallTime> newest;
    for (const clickhouse::CollectorProgress& source : sources)
        newest = std::max(newest.value_or(source.newest), source.newest);
    if (!newest) return;
    if (newest != newest_) newest_changed_ = now;
    newest_ = newest;
    // What a clock that is ahead says is not believed before ours says so.
    const WallTime beyond = std::min(*newest, clock_.wall()) - options_.settle;
    MinuteTime minute = passed_.empty() ? next_ : std::prev(passed_.end())->first + minutes{1};
    for (; minute + minutes{1} <= beyond && passed_.size() < kMostPassed; minute += minutes{1})
        passed_.emplace(minute, now);
}

bool MinuteFeed::is_complete(const std::vector<clickhouse::CollectorProgress>& sources) const {
    const auto passed = passed_.find(next_);
    if (passed == passed_.end()) return false;
    const bool all = std::all_of(sources.begin(), sources.end(), [&](const auto& source) {
        return source.newest >= next_ + minutes{1} + options_.settle;
    });
    const bool is_past = clock_.wall() - next_ > options_.reach;
    const auto patience = is_past ? std::chrono::seconds{options_.patience_with_the_past} : options_.patience;
    return all || clock_.steady() - passed->second >= patience;
}

Result<bool> MinuteFeed::is_whole(MinuteTime minute, const std::stop_token& stop) {
    const auto around = reader_.coverage(minute - minutes{1}, minute + minutes{2}, stop);
    if (!around) return around.error();
    const auto of = [&](MinuteTime wanted) {
        return std::find_if(around->begin(), around->end(),
                            [&](const auto& one) { return one.minute == wanted; });
    };
    const auto self = of(minute);
    if (self == around->end()) return false;
    const bool begins_late = of(minute - minutes{1}) == around->end() && self->oldest - minute >= kEdge;
    const bool ends_early =
        of(minute + minutes{1}) == around->end() && minute + minutes{1} - self->newest >= kEdge;
    return !begins_late && !ends_early;
}

Result<std::optional<MinuteFeed::Next>> MinuteFeed::next(std::stop_token stop) {
    if (clock_.wall() < next_ + minutes{1} + options_.settle) return std::optional<Next>{};
    const auto sources = reader_.progress(next_ - kLately, stop);
    if (!sources) {
        newest_changed_ = clock_.steady();  // nobody knows
        return sources.error();
    }
    note_progress(*sources);
    if (!is_complete(*sources)) return std::optional<Next>{};
    const auto whole = is_whole(next_, stop);
    if (!whole) return whole.error();
    auto minute = reader_.minute(next_, std::move(stop));
    if (!minute) return minute.error();
    std::sort(minute->prefixes.begin(), minute->prefixes.end(),
              [](const PrefixMinute& a, const PrefixMinute& b) { return a.prefix < b.prefix; });
    known_[next_] = minute->version.records;
    next_ += minutes{1};
    passed_.erase(passed_.begin(), passed_.lower_bound(next_));
    known_.erase(known_.begin(), known_.lower_bound(next_ - minutes{1} - options_.reach));
    return std::optional{Next{std::move(*minute), *whole}};
}

Result<std::vector<clickhouse::ReadMinute>> MinuteFeed::changed(std::stop_token stop) {
    std::vector<clickhouse::ReadMinute> out;
    const SteadyTime now = clock_.steady();
    if (known_.empty() || (looked_ && now - *looked_ < options_.look_every)) return out;
    const auto versions = reader_.minutes(known_.begin()->first, next_, stop);
    if (!versions) return versions.error();
    bool is_all = true;
    for (const clickhouse::MinuteVersion& version : *versions) {
        const auto known = known_.find(version.minute);
        if (known == known_.end() || known->second == version.records) continue;
        if (out.size() == options_.most_at_once) {
            is_all = false;  // the others at once, in the next round
            break;
        }
        auto minute = reader_.minute(version.minute, stop);
        if (!minute) return minute.error();
        std::sort(minute->prefixes.begin(), minute->prefixes.end(),
                  [](const PrefixMinute& a, const PrefixMinute& b) { return a.prefix < b.prefix; });
        out.push_back(std::move(*minute));
    }
    for (const clickhouse::ReadMinute& one : out) known_[one.version.minute] = one.version.records;
    if (is_all) looked_ = now;
    return out;
}

}  // namespace cam::app
