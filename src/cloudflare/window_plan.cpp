#include "cam/cloudflare/window_plan.h"

#include <algorithm>

#include "cam/base/check.h"

namespace cam::cloudflare {
namespace {

using std::chrono::seconds;

constexpr seconds kNarrowest{1};
constexpr seconds kWidest{std::chrono::years{100}};  // keeps the sums in range

}  // namespace

WindowPlan::WindowPlan(const TimeWindow& span, seconds widest)
    : answered_to_(std::chrono::floor<seconds>(span.from)),
      end_(std::chrono::ceil<seconds>(span.to)),
      widest_(std::clamp(widest, kNarrowest, kWidest)) {}

std::optional<TimeWindow> WindowPlan::next() const {
    const WallTime end = pending_ends_.empty() ? end_ : pending_ends_.back();
    if (answered_to_ >= end) return std::nullopt;
    return TimeWindow{answered_to_, std::min(end, answered_to_ + widest_)};
}

void WindowPlan::complete() {
    const std::optional<TimeWindow> window = next();
    check(window.has_value(), "WindowPlan::complete() without a window to answer");
    answered_to_ = window->to;
    if (!pending_ends_.empty() && pending_ends_.back() <= answered_to_) pending_ends_.pop_back();
}

bool WindowPlan::halve() {
    const std::optional<TimeWindow> window = next();
    check(window.has_value(), "WindowPlan::halve() without a window to halve");
    const auto half = std::chrono::duration_cast<seconds>(window->length()) / 2;
    if (half < kNarrowest) return false;
    if (pending_ends_.empty() || pending_ends_.back() != window->to) pending_ends_.push_back(window->to);
    pending_ends_.push_back(window->from + half);
    return true;
}

void WindowPlan::narrow(seconds widest) {
    widest_ = std::clamp(widest, kNarrowest, widest_);
}

void WindowPlan::widen(seconds widest) {
    widest_ = std::clamp(widest, widest_, kWidest);
}

}  // namespace cam::cloudflare
