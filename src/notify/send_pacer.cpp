#include <algorithm>
#include <charconv>

#include "cam/notify/telegram.h"

namespace cam::notify {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRefill{1'000};  // one message a second
constexpr milliseconds kMinute{60'000};
constexpr std::size_t kMostPerMinute = 20;  // groups and channels
constexpr std::size_t kMostKept = 1'000;    // of other processes, too

bool is_private(std::string_view chat_id) {
    std::int64_t number = 0;
    const auto read = std::from_chars(chat_id.data(), chat_id.data() + chat_id.size(), number);
    return read.ec == std::errc() && read.ptr == chat_id.data() + chat_id.size() && number > 0;
}

}  // namespace

SendPacer::SendPacer(std::string_view chat_id) : group_(!is_private(chat_id)) {}

// `full_` is when the bucket will be full again: each message moves it on by one refill, and a message may go
// while at most kBurst - 1 refills are missing.
SteadyTime SendPacer::earliest(SteadyTime now) const {
    SteadyTime free = now;
    if (full_) free = std::max(free, *full_ - kRefill * (static_cast<int>(kBurst) - 1));
    if (group_ && recent_.size() >= kMostPerMinute) {
        const SteadyTime oldest = recent_[recent_.size() - kMostPerMinute];
        free = std::max(free, oldest + kMinute + milliseconds{1});  // both ends of a minute belong to it
    }
    return free;
}

void SendPacer::sent(SteadyTime when) {
    recent_.insert(std::upper_bound(recent_.begin(), recent_.end(), when), when);
    const SteadyTime newest = recent_.back();
    while (recent_.front() < newest - kMinute || recent_.size() > kMostKept) recent_.pop_front();
    // Others may have sent faster than we would; an empty bucket does not get emptier.
    full_ =
        std::min(std::max(full_.value_or(when), when) + kRefill, newest + kRefill * static_cast<int>(kBurst));
}

}  // namespace cam::notify
