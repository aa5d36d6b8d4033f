#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cam/base/check.h"
#include "cam/model/alert.h"
#include "cam/model/rule.h"
#include "cam/model/traffic.h"

// Series of minutes with the alerts that contract section 6 and docs/rules.md give for them. Every way that
// minutes take to the evaluator (straight, through SQLite, through ClickHouse) must give the same alerts at
// the same minutes.
namespace cam::rules::test {

/// Minute 0 of every series.
inline MinuteTime series_start() {
    return MinuteTime{std::chrono::minutes{std::int64_t{29'000'000}}};
}

inline Prefix prefix(const std::string& text) {
    const std::optional<Prefix> parsed = Prefix::parse(text);
    check(parsed.has_value(), "a test's prefix is none");
    return *parsed;
}

/// `level` Mbit/s in packets of 750 bytes, as UDP.
inline ClassVolumes traffic_of(double level) {
    const auto bytes = static_cast<std::uint64_t>(std::llround(level * 7.5e6));
    ClassVolumes classes{};
    classes[static_cast<std::size_t>(TrafficClass::kAll)] = {bytes, bytes / 750, 60};
    classes[static_cast<std::size_t>(TrafficClass::kUdp)] = {bytes, bytes / 750, 60};
    return classes;
}

/// Reads `240x10 5x12.5`: so many minutes at so many Mbit/s.
inline std::vector<double> levels(const std::string& text) {
    std::istringstream words(text);
    std::vector<double> all;
    for (std::string word; words >> word;) {
        const std::size_t cross = word.find('x');
        check(cross != std::string::npos, "a test's series cannot be read");
        all.insert(all.end(), std::stoul(word.substr(0, cross)), std::stod(word.substr(cross + 1)));
    }
    return all;
}

struct ExpectedAlert {
    std::string rule_id;
    std::string prefix;        ///< its first
    int started;               ///< first minute that crossed
    int raised;                ///< the minute whose judgement raised it
    std::optional<int> ended;  ///< none: still active after the last minute
};

struct Series {
    std::string name;
    std::vector<Rule> rules;
    std::map<std::string, std::vector<double>> mbps_by_prefix;
    std::vector<std::pair<int, int>> gaps;  ///< [from, to): not collected
    std::vector<ExpectedAlert> alerts;

    [[nodiscard]] int minutes() const {
        std::size_t most = 0;
        for (const auto& [_, series] : mbps_by_prefix) most = std::max(most, series.size());
        return static_cast<int>(most);
    }
    [[nodiscard]] bool is_collected(int minute) const {
        for (const auto& [from, to] : gaps) {
            if (minute >= from && minute < to) return false;
        }
        return true;
    }
    /// What was counted in that minute: prefixes with traffic only.
    [[nodiscard]] std::vector<PrefixMinute> traffic(int minute) const {
        std::vector<PrefixMinute> rows;
        for (const auto& [text, series] : mbps_by_prefix) {
            const auto at = static_cast<std::size_t>(minute);
            if (at >= series.size() || series[at] == 0) continue;
            rows.push_back(
                {prefix(text), series_start() + std::chrono::minutes{minute}, traffic_of(series[at])});
        }
        return rows;
    }
};

inline void PrintTo(const Series& series, std::ostream* out) {
    *out << series.name;
}

inline Rule threshold_rule(std::vector<std::string> prefixes, std::optional<std::uint64_t> bits,
                           std::optional<std::uint64_t> packets, int duration) {
    Rule rule;
    rule.id = "r1";
    rule.name = "edge";
    for (const std::string& text : prefixes) rule.prefixes.push_back(prefix(text));
    rule.type = RuleType::kThreshold;
    rule.bandwidth_threshold = bits;
    rule.packet_threshold = packets;
    rule.duration = std::chrono::minutes{duration};
    return rule;
}

inline Rule zscore_rule(std::vector<std::string> prefixes, Sensitivity sensitivity, ZscoreTarget target) {
    Rule rule = threshold_rule(std::move(prefixes), std::nullopt, std::nullopt, 1);
    rule.type = RuleType::kZscore;
    rule.zscore_sensitivity = sensitivity;
    rule.zscore_target = target;
    return rule;
}

inline Rule advanced_rule(std::vector<std::string> prefixes) {
    Rule rule = threshold_rule(std::move(prefixes), std::nullopt, std::nullopt, 1);
    rule.type = RuleType::kAdvancedDdos;
    return rule;
}

inline Rule with_id(Rule rule, const std::string& id) {
    rule.id = id;
    return rule;
}

inline Rule summed(Rule rule) {
    rule.scope = RuleScope::kAggregate;
    return rule;
}

inline std::vector<Series> threshold_series() {
    const std::string a = "192.0.2.0/24";
    const std::string b = "198.51.100.0/24";
    const std::string wide = "192.0.0.0/16";
    const std::optional<std::uint64_t> none;
    return {
        {"ReachesTheThresholdExactly",
         {threshold_rule({a}, 1'000'000'000, none, 1)},
         {{a, levels("3x999.99 1x1000 2x999.99")}},
         {},
         {{"r1", a, 3, 3, 4}}},
        {"StartsAtTheNthMinuteAndNotBefore",
         {threshold_rule({a}, 1'000'000'000, none, 5)},
         {{a, levels("3x100 4x1100 1x100 5x1100 1x1200 1x999")}},
         {},
         {{"r1", a, 8, 12, 14}}},
        {"CountsAMinuteWithoutTrafficAsZero",
         {threshold_rule({a}, 1'000'000'000, none, 3)},
         {{a, levels("2x1100 1x0 2x1100 1x0 3x1100 1x0 1x1100")}},
         {},
         {{"r1", a, 6, 8, 9}}},
        {"TakesEitherThreshold",
         {threshold_rule({a}, 1'000'000'000, 100'000, 2)},
         {{a, levels("2x1 2x600 2x599")}},
         {},
         {{"r1", a, 2, 3, 4}}},
        {"SkipsAMinuteThatWasNotCollected",
         {threshold_rule({a}, 1'000'000'000, none, 3)},
         {{a, levels("1x1 2x1100 1x1 1x1100 1x1")}},
         {{3, 4}},
         {{"r1", a, 1, 4, 5}}},
        {"AsksForTheMinutesAgainAfterALongGap",
         {threshold_rule({a}, 1'000'000'000, none, 3)},
         {{a, levels("1x1 2x1100 11x1 4x1100 1x1")}},
         {{3, 14}},
         {{"r1", a, 14, 16, 18}}},
        {"GoesOnOverAGap",
         {threshold_rule({a}, 1'000'000'000, none, 1)},
         {{a, levels("1x1 2x1100 30x1 2x1100 1x1")}},
         {{3, 33}},
         {{"r1", a, 1, 1, 35}}},
        {"JudgesEachPrefixAlone",
         {threshold_rule({a, b}, 1'000'000'000, none, 1)},
         {{a, levels("1x600 1x1100 1x600")}, {b, levels("1x600 1x600 1x1100")}},
         {},
         {{"r1", a, 1, 1, 2}, {"r1", b, 2, 2, std::nullopt}}},
        {"SumsThePrefixesOfAnAggregate",
         {summed(threshold_rule({a, b}, 1'000'000'000, none, 1))},
         {{a, levels("1x600 1x300 1x600")}, {b, levels("1x300 1x700 1x300")}},
         {},
         {{"r1", a, 1, 1, 2}}},
        {"CountsNoPacketTwiceInAnAggregate",
         {summed(threshold_rule({a, wide}, 1'000'000'000, none, 1))},
         {{a, levels("1x600 1x600")}, {wide, levels("1x600 1x1000")}},
         {},
         {{"r1", a, 1, 1, std::nullopt}}},
        {"JudgesOverlappingPrefixesAndRulesEach",
         {threshold_rule({a, wide}, 1'000'000'000, none, 1),
          with_id(threshold_rule({a}, 500'000'000, none, 2), "r2")},
         {{a, levels("1x10 2x700 1x10")}, {wide, levels("1x10 2x1000 1x10")}},
         {},
         {{"r1", wide, 1, 1, 3}, {"r2", a, 1, 2, 3}}},
        {"KnowsIpv6",
         {threshold_rule({"2001:db8::/32"}, 1'000'000'000, none, 1)},
         {{"2001:db8::/32", levels("1x10 1x1000 1x10")}},
         {},
         {{"r1", "2001:db8::/32", 1, 1, 2}}},
    };
}

inline std::vector<Series> zscore_series() {
    const std::string a = "192.0.2.0/24";
    const std::string b = "198.51.100.0/24";
    // A flat baseline counts with 1 % of its mean: from 100 Mbit/s z is 5 at a mean of 105 over five minutes.
    return {
        {"FlatBaselineCountsOnePercent",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("245x100 4x105 1x105 5x100")}},
         {},
         {{"r1", a, 249, 249, 252}}},
        {"SensitivityIsTheZOfTheAlert",
         {zscore_rule({a}, Sensitivity::kHigh, ZscoreTarget::kBits),
          with_id(zscore_rule({a}, Sensitivity::kMedium, ZscoreTarget::kBits), "r2"),
          with_id(zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits), "r3")},
         // Means over five: 101, 102, 103, 104, 104, 103. From minute 250 on the first 105 lies in the
         // baseline and gives it a spread of its own, 0.3, which is smaller than 1 %.
         {{a, levels("245x100 4x105 5x100")}},
         {},
         {{"r1", a, 247, 247, 252}, {"r2", a, 248, 248, 252}, {"r3", a, 250, 250, 251}}},
        {"IsSilentBeforeThirtyBaselineMinutes",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("29x100 5x900")}},  // minute 34 would be the first with 30
         {},
         {}},
        {"SpeaksFromThirtyBaselineMinutesOn",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("33x100 1x900 1x900")}},
         {},
         {{"r1", a, 34, 34, std::nullopt}}},
        {"IsSilentOverABaselineUnderOneMegabit",
         {zscore_rule({a, b}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("60x0.999 1x1000")}, {b, levels("60x1 1x1000")}},
         {},
         {{"r1", b, 60, 60, std::nullopt}}},
        {"IsSilentOverABaselineUnderAHundredPackets",  // 0.6 Mbit/s are 100 packets/s
         {zscore_rule({a, b}, Sensitivity::kLow, ZscoreTarget::kPackets)},
         {{a, levels("60x0.599 1x1000")}, {b, levels("60x0.6 1x1000")}},
         {},
         {{"r1", b, 60, 60, std::nullopt}}},
        {"AnAlertDoesNotPoisonItsBaseline",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         // Four hours of attack, then peace: the mean falls to the baseline only with the fifth minute.
         {{a, levels("250x100 300x1000 10x100")}},
         {},
         {{"r1", a, 250, 250, 554}}},
        {"SkipsAMinuteThatWasNotCollectedInZ",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("100x100 2x105 1x0 3x105 4x100")}},
         {{102, 103}},
         {{"r1", a, 105, 105, 107}}},
        {"HasNoWindowAfterALongGap",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("100x100 30x0 5x400")}},
         {{100, 130}},
         {{"r1", a, 134, 134, std::nullopt}}},
        {"ForgetsAfterFourHoursOfGap",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("100x100 240x0 20x400")}},
         {{100, 340}},
         {}},
        {"SumsThePrefixesOfAnAggregateInZ",
         {summed(zscore_rule({a, b}, Sensitivity::kLow, ZscoreTarget::kBits))},
         {{a, levels("50x60 5x10 5x65")}, {b, levels("50x40 5x90 5x40")}},
         {},
         {{"r1", a, 59, 59, std::nullopt}}},
        {"AQuietPrefixThatWakesIsSilent",
         {zscore_rule({a}, Sensitivity::kLow, ZscoreTarget::kBits)},
         {{a, levels("240x0 20x1000")}},
         {},
         // Five minutes of 1000 within 245 are a baseline mean over 1 Mbit/s only when they are in it: then z
         // is about 6.6 for the first of them.
         {{"r1", a, 245, 245, std::nullopt}}},
    };
}

/// Without a week ago. The traffic is UDP: 3 times the baseline, 200 Mbit/s and 20 kpps at least.
inline std::vector<Series> advanced_series() {
    const std::string a = "192.0.2.0/24";
    const std::string b = "198.51.100.0/24";
    return {
        {"RaisesAtThreeTimesTheBaseline",
         {advanced_rule({a})},
         {{a, levels("60x100 1x299 60x100 1x305 1x100 1x100 1x100 1x100")}},
         {},
         {{"r1", a, 121, 121, 122}}},
        {"IsSilentBelowTheFloor",
         {advanced_rule({a})},
         {{a, levels("60x1 5x115")}},  // 19 kpps
         {},
         {}},
        {"IsSilentBeforeThirtyMinutesOfPast",
         {advanced_rule({a, b})},
         {{a, levels("30x10 1x900")}, {b, levels("29x10 1x900")}},
         {},
         {{"r1", a, 30, 30, std::nullopt}}},
        {"HoldsUntilThreeQuietMinutes",  // quiet: under 70 % of 300 Mbit/s
         {advanced_rule({a})},
         {{a, levels("60x100 2x900 2x100 1x250 2x100 1x209 3x100 1x100")}},
         {},
         {{"r1", a, 60, 60, 65}}},
        {"TheAttackIsNoBaseline",
         {advanced_rule({a})},
         {{a, levels("60x100 180x1000 10x100 5x1000 5x100")}},
         {},
         {{"r1", a, 60, 60, 240}, {"r1", a, 250, 250, 255}}},
        {"SumsThePrefixesOfAnAggregateByClass",
         {summed(advanced_rule({a, b}))},
         {{a, levels("60x60 3x100 5x60")}, {b, levels("60x40 3x250 5x40")}},
         {},
         {{"r1", a, 60, 60, 63}}},
    };
}

}  // namespace cam::rules::test
