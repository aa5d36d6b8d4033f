#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace cam {

/// Exponential backoff with full jitter: the n-th wait is drawn evenly from [step/2, step], step doubling
/// from `first` up to `most`. One thread at a time.
class Backoff {
public:
    struct Options {
        std::chrono::milliseconds first{500};
        std::chrono::milliseconds most{30'000};
        std::uint64_t seed = 0;  ///< 0: from the machine's entropy
    };
    explicit Backoff(Options options);

    /// How long to wait before the next attempt; every call counts as one failure.
    std::chrono::milliseconds next();
    /// Forgets the failures: the other side answered.
    void reset() noexcept { step_ = std::chrono::milliseconds{0}; }

private:
    Options options_;
    std::chrono::milliseconds step_{0};
    std::mt19937_64 random_;
};

}  // namespace cam
