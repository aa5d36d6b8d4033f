#include "app/rival_watch.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

constexpr std::chrono::minutes kLookEvery{1};
constexpr int kMissedLooks = 2;

}  // namespace

void RivalWatch::note_written(std::uint64_t generation) {
    written_ = generation;
    missed_ = 0;
}

Result<RivalWatch::Standing> RivalWatch::look(std::stop_token stop) {
    const SteadyTime now = parts_.clock.steady();
    if (!written_ || (looked_ && now - *looked_ < kLookEvery)) return Standing::kUnchanged;
    looked_ = now;
    const auto found = parts_.writer.generation(std::move(stop));
    if (!found) return found.error();
    if (!*found || **found < *written_) {
        if (++missed_ < kMissedLooks) return Standing::kUnchanged;
        parts_.log->warn("ClickHouse has lost the rules of this daemon, written again generation={} own={}",
                         found->value_or(0), *written_);
        return Standing::kLost;
    }
    missed_ = 0;
    if (**found > *written_) {
        tell_second(**found);
    } else {
        parts_.conditions.clear(Condition::kSecondJudge,
                                "The rules of this daemon are in force on ClickHouse", &parts_.remembered);
    }
    return Standing::kUnchanged;
}

void RivalWatch::tell_second(std::uint64_t found) {
    if (!parts_.conditions.wrong(Condition::kSecondJudge)) {
        parts_.log->error("another daemon judges on the same ClickHouse, only one may generation={} own={}",
                          found, *written_);
    }
    parts_.conditions.raise(
        Condition::kSecondJudge,
        {.state = "second",
         .headline = "Another daemon judges on the same ClickHouse",
         .details = {"Only one may: both tell the same alerts, and only prefixes of the "
                     "other one's rules are counted.",
                     "Stop one of them, then restart the one that stays, so that its rules "
                     "are in force."},
         .tell = Tell::kLogAndSoc},
        &parts_.remembered);
    parts_.queued();
}

}  // namespace cam::app
