#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "cam/model/mitigation_event.h"

namespace cam::cloudflare {

/// Cuts a span of time into windows that Cloudflare answers whole: none wider than `widest`, and a window
/// whose answer reached the page limit is halved until each part is shorter than the limit or one second
/// wide. Windows come oldest first, without holes or overlaps, on whole seconds. Pure; one thread at a time.
class WindowPlan {
public:
    /// `from` is rounded down and `to` up to whole seconds.
    WindowPlan(const TimeWindow& span, std::chrono::seconds widest);

    /// The window to ask for now; nullopt when all is answered. Asking twice gives the same window.
    [[nodiscard]] std::optional<TimeWindow> next() const;
    /// The answer to next() was whole: go on behind it.
    void complete();
    /// The answer to next() was cut at the page limit, or refused as too heavy: ask for halves. False if
    /// next() is a single second, which cannot be halved; then complete() it and say that it is truncated.
    [[nodiscard]] bool halve();
    /// No later window may be wider than this (at least one second).
    void narrow(std::chrono::seconds widest);
    /// Later windows may be as wide as this again; halves that are still to ask stay halves.
    void widen(std::chrono::seconds widest);
    /// Everything before this instant is answered.
    [[nodiscard]] WallTime answered_to() const { return answered_to_; }

private:
    WallTime answered_to_;
    WallTime end_;
    std::chrono::seconds widest_;
    std::vector<WallTime> pending_ends_;  // ends of the halves still to ask, nearest last
};

}  // namespace cam::cloudflare
