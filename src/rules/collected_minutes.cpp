#include "rules/collected_minutes.h"

#include <algorithm>

namespace cam::rules {

using std::chrono::minutes;

void CollectedMinutes::add(MinuteTime minute) {
    if (!newest_ || minute - *newest_ >= minutes{kKept}) {
        collected_.reset();
    } else {
        for (MinuteTime m = *newest_ + minutes{1}; m < minute; m += minutes{1}) collected_.reset(slot(m));
    }
    if (newest_ && *newest_ - minute >= minutes{kKept}) return;
    collected_.set(slot(minute));
    newest_ = newest_ ? std::max(*newest_, minute) : minute;
}

bool CollectedMinutes::contains(MinuteTime minute) const {
    if (!newest_ || minute > *newest_ || *newest_ - minute >= minutes{kKept}) return false;
    return collected_.test(slot(minute));
}

std::optional<MinuteTime> CollectedMinutes::oldest_of_last(unsigned count, MinuteTime from) const {
    const MinuteTime end = from - minutes{count} - kMostSkipped;
    for (MinuteTime minute = from; minute > end; minute -= minutes{1}) {
        if (contains(minute) && --count == 0) return minute;
    }
    return std::nullopt;
}

unsigned CollectedMinutes::count(MinuteTime from, MinuteTime to) const {
    unsigned found = 0;
    for (MinuteTime minute = from; minute < to; minute += minutes{1}) found += contains(minute) ? 1 : 0;
    return found;
}

}  // namespace cam::rules
