#include "rules/threshold.h"

#include <algorithm>
#include <limits>

namespace cam::rules {
namespace {

/// A minute's count that stands for so much per second: per_second * Up / Down, rounded up. In integers,
/// since the n-th minute must not depend on the last bit of a double. nullopt: more than can be counted.
template <std::uint64_t Up, std::uint64_t Down>
std::optional<std::uint64_t> minute_count(std::uint64_t per_second) {
    const std::uint64_t whole = per_second / Down;
    if (whole > (std::numeric_limits<std::uint64_t>::max() - Up) / Up) return std::nullopt;
    return whole * Up + (per_second % Down * Up + Down - 1) / Down;
}

bool reaches_bandwidth(std::uint64_t bytes, std::optional<std::uint64_t> bits_per_second) {
    if (!bits_per_second) return false;
    const auto needed = minute_count<15, 2>(*bits_per_second);  // 60 s / 8 bits
    return needed && bytes >= *needed;
}

bool reaches_packets(std::uint64_t packets, std::optional<std::uint64_t> packets_per_second) {
    if (!packets_per_second) return false;
    const auto needed = minute_count<60, 1>(*packets_per_second);
    return needed && packets >= *needed;
}

std::uint8_t counted(std::uint8_t minutes, bool one_more) {
    if (!one_more) return 0;
    return static_cast<std::uint8_t>(std::min<int>(minutes + 1, std::numeric_limits<std::uint8_t>::max()));
}

}  // namespace

void ThresholdPast::add(const Moment& /*moment*/, const Sample& sample, const Rule& rule) {
    const Volume volume = sample.all();
    bandwidth_minutes_ =
        counted(bandwidth_minutes_, reaches_bandwidth(volume.bytes, rule.bandwidth_threshold));
    packet_minutes_ = counted(packet_minutes_, reaches_packets(volume.packets, rule.packet_threshold));
    if (bandwidth_minutes_ == 0 && packet_minutes_ == 0) {
        peak_ = {};
        return;
    }
    raise(peak_, rate_of(volume));
}

Finding ThresholdPast::judge(const Moment& moment, const Sample& sample, const Rule& rule,
                             const Holding* holding) {
    add(moment, sample, rule);
    Finding finding;
    if (holding != nullptr) {
        if (bandwidth_minutes_ == 0 && packet_minutes_ == 0) finding.ended = moment.minute;
        return finding;
    }
    const auto long_enough = [&](std::uint8_t minutes) { return minutes >= rule.duration.count(); };
    if (!moment.window_start) return finding;
    const Volume volume = sample.all();
    Crossing crossing;
    if (long_enough(bandwidth_minutes_)) {
        crossing = {.metric = AlertMetric::kBitsPerSecond,
                    .value = volume.bits_per_second(),
                    .threshold = static_cast<double>(*rule.bandwidth_threshold)};
    } else if (long_enough(packet_minutes_)) {
        crossing = {.metric = AlertMetric::kPacketsPerSecond,
                    .value = volume.packets_per_second(),
                    .threshold = static_cast<double>(*rule.packet_threshold)};
    } else {
        return finding;
    }
    finding.start = {crossing, *moment.window_start, peak_};
    return finding;
}

}  // namespace cam::rules
