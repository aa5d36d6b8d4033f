#include "rules/advanced_ddos.h"

#include <algorithm>
#include <cmath>

namespace cam::rules {
namespace {

using std::chrono::minutes;

constexpr unsigned kFewestMinutes = 30;      ///< of past, before anything is judged
constexpr unsigned kHour = 60;               ///< minutes that weigh in the recent mean
constexpr unsigned kDay = 1440;              ///< and in the daily one
constexpr unsigned kFewestDayMinutes = 720;  ///< before the daily mean alone can raise an alert
constexpr double kRatio = 3;                 ///< of the highest baseline
constexpr double kSpreads = 6;               ///< beyond it; a mean distance is 0.8 standard deviations
constexpr double kRampRatio = 6;     ///< of the daily and the weekly baseline, whatever the last hour was
constexpr double kClearShare = 0.7;  ///< of the threshold: below it is quiet

/// Below these nothing is an attack, however quiet the prefix is otherwise.
struct Floor {
    double bits;
    double packets;
    double flows;
};
constexpr std::array<Floor, kTrafficClassCount> kFloors{{
    {500e6, 50e3, 10e3},  // all
    {500e6, 50e3, 10e3},  // tcp
    {10e6, 10e3, 5e3},    // tcp_syn
    {50e6, 30e3, 10e3},   // tcp_ack
    {10e6, 10e3, 5e3},    // tcp_rst
    {200e6, 20e3, 5e3},   // udp
    {20e6, 5e3, 2e3},     // icmp
    {100e6, 10e3, 2e3},   // gre
    {100e6, 10e3, 2e3},   // esp
    {50e6, 5e3, 2e3},     // other
}};

constexpr std::array kMetrics{AlertMetric::kBitsPerSecond, AlertMetric::kPacketsPerSecond,
                              AlertMetric::kFlowsPerSecond};

std::array<double, 3> rates(const Volume& volume) {
    return {volume.bits_per_second(), volume.packets_per_second(), volume.flows_per_second()};
}

std::array<double, 3> floors(std::size_t traffic_class) {
    const Floor& floor = kFloors[traffic_class];
    return {floor.bits, floor.packets, floor.flows};
}

/// What the traffic is of the threshold that an alert began with: all there is to go by after a restart
/// without a past.
double share_of(const Crossing& crossing, const ClassVolumes& classes) {
    const std::array<double, 3> rate = rates(classes[static_cast<std::size_t>(crossing.traffic_class)]);
    for (std::size_t m = 0; m < kMetrics.size(); ++m) {
        if (kMetrics[m] == crossing.metric && crossing.threshold > 0) return rate[m] / crossing.threshold;
    }
    return 0;
}

}  // namespace

/// The class and metric that reach the largest share of their threshold.
struct AdvancedPast::Judged {
    double share = 0;
    Crossing crossing;
};

AdvancedPast AdvancedPast::copy() const {
    AdvancedPast other;
    if (past_) other.past_ = std::make_unique<Past>(*past_);
    return other;
}

void AdvancedPast::begin(const Moment& moment, const Sample& sample) {
    past_ = std::make_unique<Past>();
    past_->newest = moment.minute - minutes{1};
    const MinuteTime from = std::max(sample.known_since, moment.minute - kAdvancedPast);
    past_->minutes = static_cast<std::uint16_t>(moment.collected.count(from, moment.minute));
}

void AdvancedPast::learn(const Moment& moment, const ClassVolumes& classes) {
    if (moment.minute - past_->newest > kAdvancedPast) *past_ = Past{};
    past_->newest = moment.minute;
    const unsigned count = past_->minutes + 1U;
    const auto hour = 1 / static_cast<float>(std::min(count, kHour));
    const auto day = 1 / static_cast<float>(std::min(count, kDay));
    for (std::size_t c = 0; c < kTrafficClassCount; ++c) {
        const std::array<double, 3> rate = rates(classes[c]);
        for (std::size_t m = 0; m < rate.size(); ++m) {
            Level& level = past_->classes[c][m];
            const auto now = static_cast<float>(rate[m]);
            level.spread += hour * (std::abs(now - level.hour) - level.spread);
            level.hour += hour * (now - level.hour);
            level.day += day * (now - level.day);
        }
    }
    past_->minutes = static_cast<std::uint16_t>(std::min(count, kDay));
}

void AdvancedPast::add(const Moment& moment, const Sample& sample, Belongs belongs) {
    if (!past_) {
        if (sample.all().empty()) return;
        begin(moment, sample);
    }
    if (belongs == Belongs::kToAlert) {
        past_->newest = moment.minute;
        return;
    }
    static constexpr ClassVolumes kNothing{};
    learn(moment, sample.classes == nullptr ? kNothing : *sample.classes);
}

AdvancedPast::Judged AdvancedPast::strongest(const ClassVolumes& classes,
                                             const ClassVolumes* week_ago) const {
    Judged best;
    for (std::size_t c = 0; c < kTrafficClassCount; ++c) {
        const std::array<double, 3> rate = rates(classes[c]);
        const std::array<double, 3> week =
            week_ago == nullptr ? std::array<double, 3>{} : rates((*week_ago)[c]);
        const std::array<double, 3> least = floors(c);
        for (std::size_t m = 0; m < rate.size(); ++m) {
            const Level& level = past_->classes[c][m];
            const double long_term = std::max<double>(level.day, week[m]);
            const double expected = std::max<double>(level.hour, long_term);
            double threshold =
                std::max(kRatio * expected, expected + kSpreads * static_cast<double>(level.spread));
            if (week_ago != nullptr && past_->minutes >= kFewestDayMinutes)
                threshold = std::min(threshold, kRampRatio * long_term);
            threshold = std::max(threshold, least[m]);
            // A later class is the narrower one: it is named where both go equally far.
            if (const double share = rate[m] / threshold; share > 0 && share >= best.share) {
                best.share = share;
                best.crossing = {.metric = kMetrics[m],
                                 .value = rate[m],
                                 .threshold = threshold,
                                 .traffic_class = static_cast<TrafficClass>(c),
                                 .baseline = expected,
                                 .spread = std::nullopt,
                                 .zscore_target = std::nullopt};
            }
        }
    }
    return best;
}

Finding AdvancedPast::judge(const Moment& moment, const Sample& sample, Holding* holding) {
    Finding finding;
    Judged judged;
    const bool forgotten = past_ && moment.minute - past_->newest > kAdvancedPast;
    if (!past_ && !sample.all().empty()) begin(moment, sample);
    const bool ready = past_ && !forgotten && past_->minutes >= kFewestMinutes;
    if (sample.classes != nullptr && ready) judged = strongest(*sample.classes, sample.week_ago);
    if (sample.classes != nullptr && !ready && holding != nullptr)
        judged.share = share_of(holding->crossing, *sample.classes);

    if (holding == nullptr) {
        const bool starts = ready && judged.share >= 1;
        add(moment, sample, starts ? Belongs::kToAlert : Belongs::kToNormal);
        if (starts) finding.start = {judged.crossing, moment.minute, rate_of(sample.all())};
        return finding;
    }
    add(moment, sample, holding->learns ? Belongs::kToNormal : Belongs::kToAlert);
    if (judged.share >= kClearShare) {
        holding->quiet_minutes = 0;
        holding->quiet_since.reset();
        return finding;
    }
    if (!holding->quiet_since) holding->quiet_since = moment.minute;
    if (++holding->quiet_minutes >= kQuietMinutes) finding.ended = holding->quiet_since;
    return finding;
}

}  // namespace cam::rules
