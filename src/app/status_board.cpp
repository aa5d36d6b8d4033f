#include "app/status_board.h"

#include <utility>

namespace cam::app {

void StatusBoard::note_poll(const PollReport& report, WallTime now) {
    polling_.with([&](PollStanding& polling) {
        switch (report.outcome) {
            case PollReport::Outcome::kDone:
                polling.outcome = "done";
                polling.last_ok_at = now;
                break;
            case PollReport::Outcome::kFailed:
                polling.outcome = "failed";
                polling.last_failure_at = now;
                polling.last_failure = report.why;
                break;
            case PollReport::Outcome::kCancelled:  // we stop, which says nothing of polling
                break;
        }
    });
}

void StatusBoard::note_advertisements(std::vector<PrefixAdvertisement> prefixes, WallTime now) {
    Advertisements told{.prefixes = std::move(prefixes), .checked_at = now};
    advertisements_.with([&](Advertisements& known) { std::swap(known, told); });
}

void StatusBoard::note_next_delivery(std::optional<WallTime> at) {
    next_delivery_.with([&](auto& known) { known = at; });
}

PollStanding StatusBoard::polling() const {
    PollStanding polling = polling_.with([](const PollStanding& known) { return known; });
    if (polling.outcome.empty()) polling.outcome = "none";
    return polling;
}

StatusBoard::Advertisements StatusBoard::advertisements() const {
    return advertisements_.with([](const Advertisements& known) { return known; });
}

std::optional<WallTime> StatusBoard::next_delivery() const {
    return next_delivery_.with([](const auto& known) { return known; });
}

}  // namespace cam::app
