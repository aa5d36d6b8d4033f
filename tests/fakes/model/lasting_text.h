#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace cam {

/// A text that stays until the program ends, for events that a test makes itself: their texts are views. Safe
/// from any thread.
inline std::string_view lasting(std::string text) {
    static std::mutex mutex;
    static std::deque<std::string> texts;
    const std::lock_guard lock(mutex);
    return texts.emplace_back(std::move(text));
}

}  // namespace cam
