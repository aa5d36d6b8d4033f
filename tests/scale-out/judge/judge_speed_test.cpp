// Fifty thousand prefixes a minute.

#include <iostream>

#include "judge_fixture.h"

namespace cam::app {
namespace {

class HeavyJudgeTest : public JudgeTest {};

/// All three types of rules, every prefix with six classes of traffic: read, judged and recorded in under
/// five seconds.
TEST_F(HeavyJudgeTest, AMinuteOfFiftyThousandPrefixesTakesLessThanFiveSeconds) {
    constexpr std::uint32_t kPrefixes = 50'000;
    Rule rule;
    for (std::uint32_t i = 0; i < kPrefixes; ++i)
        rule.prefixes.push_back(
            prefix("10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ".0/24"));
    for (const RuleType type : {RuleType::kThreshold, RuleType::kZscore, RuleType::kAdvancedDdos}) {
        rule.type = type;
        rule.name = name(type);
        rule.bandwidth_threshold.reset();
        rule.zscore_sensitivity.reset();
        rule.zscore_target.reset();
        if (type == RuleType::kThreshold) rule.bandwidth_threshold = 1'000'000'000;
        if (type == RuleType::kZscore) {
            rule.zscore_sensitivity = Sensitivity::kLow;
            rule.zscore_target = ZscoreTarget::kBits;
        }
        ASSERT_TRUE(operators().create_rule(rule, clock_.wall()));
    }
    start();
    turn_minute();
    std::chrono::milliseconds longest{0};
    for (int minute = 0; minute < 3; ++minute) {
        for (const Prefix& one : rule.prefixes) {
            for (const std::uint8_t protocol : {std::uint8_t{17}, std::uint8_t{1}, std::uint8_t{47},
                                                std::uint8_t{50}, std::uint8_t{6}, std::uint8_t{132}}) {
                FlowRecord made = record(one.address().text(), 1'000 + protocol, 10);
                made.protocol = protocol;
                receive(now() + 5s, made);
            }
        }
        receive(now() + 1min + 2s, record("203.0.113.9", 40, 1));
        write();
        clock_.advance(now() + 1min + 3s - clock_.wall());
        const SystemClock real;
        const SteadyTime before = real.steady();
        step();
        longest = std::max(longest, real.steady() - before);
        std::cout << "minute of " << kPrefixes << " prefixes, 150,000 targets, read, judged and recorded in "
                  << (real.steady() - before).count() << " ms\n";
    }
    EXPECT_EQ(windows("judged"), 3U) << book_.text();
    EXPECT_LT(longest, 5s);
}

/// What is asked once a minute about silent routers.
TEST_F(HeavyJudgeTest, WhoWasHeardIsAnsweredWithinASecondForAThousandRoutersByFourCollectors) {
    start();
    const auto to = std::to_string(std::chrono::seconds{now().time_since_epoch()}.count());
    ask("INSERT INTO flows.collector_minutes (minute, collector, sampler_address, records, newest, oldest) "
        "SELECT toDateTime(" +
        to +
        ") - 60 * (number % 30) AS at, concat('kafka:flows/', toString(intDiv(number, 30) % 4)), "
        "toIPv6(concat('2001:db8::', hex(intDiv(number, 120)))), 1, toDateTime64(at, 3), "
        "toDateTime64(at, 3) FROM numbers(120000)");
    clickhouse::MinuteReader reader(*life_.client);
    const SystemClock real;
    for (int i = 0; i < 3; ++i) {
        const SteadyTime before = real.steady();
        const auto senders = must(reader.senders(now() - 30min, 10'000, {}));
        const auto taken = real.steady() - before;
        EXPECT_EQ(senders.size(), 1'000U);
        std::cout << "1,000 routers by 4 collectors over half an hour in " << taken.count() << " ms\n";
        EXPECT_LT(taken, 1s);
    }
}

}  // namespace
}  // namespace cam::app
