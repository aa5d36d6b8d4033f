#include "app/rival_watch.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

constexpr std::chrono::minutes kLookEvery{1};

}  // namespace

Status RivalWatch::look() {
    const SteadyTime now = parts_.clock.steady();
    if (!written_ || (looked_ && now - *looked_ < kLookEvery)) return Done{};
    looked_ = now;
    const auto found = parts_.writer.generation();
    if (!found) return found.error();
    if (!*found || **found <= *written_) {
        parts_.conditions.clear(Condition::kSecondJudge,
                                "The rules of this daemon are in force on ClickHouse", &parts_.remembered);
        return Done{};
    }
    if (!parts_.conditions.wrong(Condition::kSecondJudge)) {
        parts_.log->error("another daemon judges on the same ClickHouse, only one may generation={} own={}",
                          **found, *written_);
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
    return Done{};
}

}  // namespace cam::app
