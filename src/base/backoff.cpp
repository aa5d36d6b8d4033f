#include "cam/base/backoff.h"

#include <algorithm>

namespace cam {

Backoff::Backoff(Options options)
    : options_(options), random_(options.seed != 0 ? options.seed : std::random_device{}()) {}

std::chrono::milliseconds Backoff::next() {
    step_ = step_.count() == 0 ? options_.first : std::min(step_ * 2, options_.most);
    std::uniform_int_distribution<std::int64_t> draw(step_.count() / 2, step_.count());
    return std::chrono::milliseconds{draw(random_)};
}

}  // namespace cam
