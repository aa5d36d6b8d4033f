#include "rules/zscore.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace cam::rules {
namespace {

using std::chrono::minutes;

constexpr unsigned kFewestBaselineMinutes = 30;
constexpr double kLeastBits = 1e6;      ///< mean of the baseline, bits/s
constexpr double kLeastPackets = 100;   ///< packets/s
constexpr double kSpreadOfFlat = 0.01;  ///< of the mean, for a baseline without any spread
constexpr float kNotKnown = std::numeric_limits<float>::quiet_NaN();

double z_threshold(Sensitivity sensitivity) {
    switch (sensitivity) {
        case Sensitivity::kLow:
            return 5;
        case Sensitivity::kMedium:
            return 4;
        case Sensitivity::kHigh:
            return 3;
    }
    return 5;
}

/// A minute's count as bits/s or packets/s.
double per_second(double count, ZscoreTarget target) {
    return target == ZscoreTarget::kBits ? count * 8 / 60 : count / 60;
}

ZscoreTarget target_of(const Rule& rule) {
    return rule.zscore_target.value_or(ZscoreTarget::kBits);
}

float level_of(const Sample& sample, const Rule& rule) {
    const Volume volume = sample.all();
    return static_cast<float>(target_of(rule) == ZscoreTarget::kPackets ? volume.packets : volume.bytes);
}

std::size_t slot(MinuteTime minute) {
    return static_cast<std::size_t>(minute.time_since_epoch().count()) % 256;
}

/// Known and not inside an alert: neither NaN nor with a sign.
bool is_normal(float level) {
    return std::bit_cast<std::uint32_t>(level) <=
           std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
}

double z_of(double level, const Baseline& baseline) {
    const double spread = baseline.spread > 0 ? baseline.spread : baseline.mean * kSpreadOfFlat;
    if (spread > 0) return (level - baseline.mean) / spread;
    return level > baseline.mean ? std::numeric_limits<double>::infinity() : 0;
}

}  // namespace

ZscorePast ZscorePast::copy() const {
    ZscorePast other;
    if (ring_) other.ring_ = std::make_unique<Ring>(*ring_);
    return other;
}

void ZscorePast::begin(const Moment& moment, const Sample& sample) {
    ring_ = std::make_unique<Ring>();
    ring_->levels.fill(kNotKnown);
    ring_->newest = moment.minute - minutes{1};
    for (MinuteTime minute = moment.minute - minutes{255}; minute < moment.minute; minute += minutes{1}) {
        if (minute >= sample.known_since && moment.collected.contains(minute))
            ring_->levels[slot(minute)] = 0;  // it had no traffic, or the ring would be there
    }
}

void ZscorePast::add(const Moment& moment, const Sample& sample, const Rule& rule, Belongs belongs) {
    const float level = level_of(sample, rule);
    if (!ring_) {
        if (!(level > 0)) return;
        begin(moment, sample);
    }
    const MinuteTime unseen = std::max(ring_->newest + minutes{1}, moment.minute - minutes{255});
    for (MinuteTime minute = unseen; minute < moment.minute; minute += minutes{1})
        ring_->levels[slot(minute)] = kNotKnown;
    ring_->newest = moment.minute;
    ring_->levels[slot(moment.minute)] = level;
    mark(moment.minute, belongs);
    if (level > 0) {
        ring_->last_traffic = moment.minute;
    } else if (moment.minute - ring_->last_traffic >= minutes{256}) {
        ring_.reset();
    }
}

void ZscorePast::mark(MinuteTime minute, Belongs belongs) {
    if (!ring_) return;
    float& level = ring_->levels[slot(minute)];
    level = std::copysign(level, belongs == Belongs::kToAlert ? -1.0F : 1.0F);
}

std::optional<double> ZscorePast::window_mean(const Moment& moment, const Sample& sample) const {
    if (!moment.window_start || sample.known_since > *moment.window_start) return std::nullopt;
    if (!ring_) return 0;
    double sum = 0;
    for (MinuteTime minute = *moment.window_start; minute <= moment.minute; minute += minutes{1}) {
        if (!moment.collected.contains(minute)) continue;
        const float level = ring_->levels[slot(minute)];
        if (std::isnan(level)) return std::nullopt;
        sum += std::abs(static_cast<double>(level));
    }
    return sum / kZscoreWindow;
}

std::optional<Baseline> ZscorePast::baseline(const Moment& moment, ZscoreTarget target) const {
    if (!ring_ || !moment.window_start) return std::nullopt;
    const MinuteTime from = *moment.window_start - kZscoreBaseline;
    std::array<float, 256> normal;
    unsigned count = 0;
    double sum = 0;
    for (std::size_t i = 0; i < kZscoreBaseline.count(); ++i) {
        const float level = ring_->levels[(slot(from) + i) % 256];
        const bool counts = is_normal(level);
        normal[count] = level;
        count += counts ? 1U : 0U;
        sum += counts ? static_cast<double>(level) : 0.0;
    }
    if (count < kFewestBaselineMinutes) return std::nullopt;
    const double mean = sum / count;
    double squares = 0;
    for (unsigned i = 0; i < count; ++i) {
        const double off = static_cast<double>(normal[i]) - mean;
        squares += off * off;
    }
    return Baseline{per_second(mean, target), per_second(std::sqrt(squares / count), target), count};
}

Finding ZscorePast::judge(const Moment& moment, const Sample& sample, const Rule& rule, Holding* holding) {
    add(moment, sample, rule, holding != nullptr ? Belongs::kToAlert : Belongs::kToNormal);
    Finding finding;
    if (!ring_ && holding == nullptr) return finding;
    const std::optional<double> count = window_mean(moment, sample);
    if (!count) return finding;
    const ZscoreTarget target = target_of(rule);
    const double level = per_second(*count, target);
    const double needed = z_threshold(rule.zscore_sensitivity.value_or(Sensitivity::kLow));
    const std::optional<Baseline> normal = baseline(moment, target);

    if (holding != nullptr) {
        if (normal) holding->baseline = normal;
        if (!holding->baseline || z_of(level, *holding->baseline) >= needed) return finding;
        finding.ended = moment.minute;
        mark(moment.minute, Belongs::kToNormal);
        return finding;
    }
    if (!normal || normal->mean < (target == ZscoreTarget::kBits ? kLeastBits : kLeastPackets))
        return finding;
    const double z = z_of(level, *normal);
    if (z < needed) return finding;
    mark(moment.minute, Belongs::kToAlert);
    finding.start = {{.metric = AlertMetric::kZscore,
                      .value = z,
                      .threshold = needed,
                      .baseline = normal->mean,
                      .spread = normal->spread,
                      .zscore_target = target},
                     moment.minute,
                     rate_of(sample.all())};
    return finding;
}

}  // namespace cam::rules
