// What is stored is what was sent, to the byte: every protocol, number of workers, restarts, overlapping
// prefixes.

#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include "flow_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kPrefixes[] = {"185.54.80.0/22", "185.54.82.0/24", "185.54.82.4/32",
                                     "0.0.0.0/0",      "2a02:4460::/32", "2a02:4460:1::/48"};

/// Adds up, without any of the program's code but for the question which prefix holds an address.
class Ledger {
public:
    void note(const Flow& flow, FlowFormat format, std::uint64_t sampling) {
        const bool is_v6 = flow.destination.is_v6();
        if (is_v6 && format == FlowFormat::kNetflow5) return;
        const auto& bytes = flow.destination.bytes;
        const IpAddress address = is_v6 ? IpAddress::v6(copied<16>(bytes)) : IpAddress::v4(copied<4>(bytes));
        for (const char* text : kPrefixes) {
            if (!Prefix::parse(text)->contains(address)) continue;
            Volume& sum = sums_[text];
            sum.bytes += flow.bytes * sampling;
            sum.packets += flow.packets * sampling;
            sum.flows += (format == FlowFormat::kSflow5 ? flow.packets : 1) * sampling;
        }
    }
    [[nodiscard]] Volume of(const char* prefix) const {
        const auto found = sums_.find(prefix);
        return found == sums_.end() ? Volume{} : found->second;
    }

private:
    template <std::size_t kSize>
    static std::array<std::uint8_t, kSize> copied(const std::vector<std::uint8_t>& bytes) {
        std::array<std::uint8_t, kSize> out{};
        std::copy(bytes.begin(), bytes.end(), out.begin());
        return out;
    }
    std::map<std::string, Volume> sums_;
};

class FlowCountingTest : public FlowTest {
protected:
    void SetUp() override {
        add(rule("all", {std::begin(kPrefixes), std::end(kPrefixes)}, 1'000'000'000'000));
    }
    /// Each router sends some flows of its own making, to addresses within and outside the prefixes.
    void send_from_all(FlowFormat format) {
        for (int router = 1; router <= 6; ++router) {
            const auto sampling = static_cast<std::uint32_t>(router == 1 ? 1 : router * 37);
            std::vector<Flow> flows;
            for (int i = 0; i < 40; ++i) {
                flows.push_back(any_flow());
                ledger_.note(flows.back(), format, sampling);
            }
            send("127.0.0." + std::to_string(10 * (static_cast<int>(format) + 1) + router), format, sampling,
                 flows);
        }
    }
    Flow any_flow() {
        static constexpr const char* kDestinations[] = {"185.54.82.4", "185.54.82.5",  "185.54.80.1",
                                                        "192.0.2.1",   "2a02:4460::5", "2a02:4460:1::5"};
        const auto up_to = [&](std::uint32_t most) { return static_cast<std::uint32_t>(random_() % most); };
        const std::uint32_t packets = 1 + up_to(9);
        return flow(kDestinations[up_to(std::size(kDestinations))], packets, packets * (60 + up_to(1'400)));
    }
    void expect_all_stored() {
        for (const char* of : kPrefixes) {
            const Volume expected = ledger_.of(of);
            const Volume found = stored(of);
            EXPECT_EQ(found.bytes, expected.bytes) << of;
            EXPECT_EQ(found.packets, expected.packets) << of;
            EXPECT_EQ(found.flows, expected.flows) << of;
        }
        EXPECT_GT(ledger_.of("0.0.0.0/0").bytes, ledger_.of("185.54.80.0/22").bytes);
    }

    std::mt19937 random_{20'260'120};
    Ledger ledger_;
};

class EveryProtocolTest : public FlowCountingTest,
                          public testing::WithParamInterface<std::tuple<FlowFormat, std::size_t>> {};

TEST_P(EveryProtocolTest, TheSumOverMinutesIsWhatWasSentToTheByte) {
    const auto [format, workers] = GetParam();
    start(workers);
    for (int minute = 0; minute < 3; ++minute) {
        send_from_all(format);
        pass(30s);
        send_from_all(format);
        turn_minute();
    }
    EXPECT_EQ(minutes("judged"), 3U);
    EXPECT_EQ(minutes("partial"), 0U);
    expect_all_stored();
}

TEST_P(EveryProtocolTest, ARestartInTheMiddleOfAMinuteLosesNothing) {
    const auto [format, workers] = GetParam();
    start(workers);
    send_from_all(format);
    turn_minute();
    pass(20s);
    send_from_all(format);
    end();
    place_.clock.advance(500ms);
    start(workers);
    send_from_all(format);
    turn_minute();
    send_from_all(format);
    turn_minute();
    EXPECT_EQ(minutes("judged"), 2U);
    EXPECT_EQ(minutes("partial"), 2U) << "one for each process";
    expect_all_stored();
    ASSERT_EQ(collected().size(), 3U);
    EXPECT_TRUE(collected()[0].whole());
    EXPECT_FALSE(collected()[1].whole());
    EXPECT_EQ(collected()[1].covered, 59'500ms - 0ms);
}

INSTANTIATE_TEST_SUITE_P(ByWorkers, EveryProtocolTest,
                         testing::Combine(testing::ValuesIn(kAllFormats), testing::Values(1U, 2U, 3U, 4U)),
                         [](const auto& test) {
                             return std::string(simulator::name(std::get<0>(test.param))) + "With" +
                                    std::to_string(std::get<1>(test.param));
                         });

TEST_F(FlowCountingTest, AllProtocolsAtOnceOverChangesOfRules) {
    start(2);
    for (int round = 0; round < 4; ++round) {
        for (const FlowFormat format : kAllFormats) send_from_all(format);
        if (round == 1) add(rule("more", {"185.54.82.0/24", "10.0.0.0/8"}, 1'000'000'000'000));
        follow_rules();
        for (const FlowFormat format : kAllFormats) send_from_all(format);
        turn_minute();
    }
    EXPECT_EQ(minutes("judged"), 4U);
    expect_all_stored();
}

TEST_F(FlowCountingTest, ARuleMadeInAMinuteCountsFromTheNext) {
    start();
    send("127.0.0.11", FlowFormat::kNetflow9, 1, {flow("10.1.2.3", 10, 1'000)});
    add(rule("ten", {"10.0.0.0/8"}, 1'000'000'000'000));
    follow_rules();
    send("127.0.0.11", FlowFormat::kNetflow9, 1, {flow("10.1.2.3", 10, 1'000)});
    turn_minute();
    EXPECT_EQ(stored("10.0.0.0/8").bytes, 0U);
    EXPECT_EQ(stored("0.0.0.0/0").bytes, 2'000U);
    send("127.0.0.11", FlowFormat::kNetflow9, 1, {flow("10.1.2.3", 10, 1'000)});
    turn_minute();
    EXPECT_EQ(stored("10.0.0.0/8").bytes, 1'000U);
    EXPECT_EQ(stored("0.0.0.0/0").bytes, 3'000U);
}

TEST_F(FlowCountingTest, ARoutersDefaultIsUsedOnlyWhereNothingElseTells) {
    const std::string silent = "127.0.0.71";
    const std::string telling = "127.0.0.72";
    const auto router = [&](const std::string& address, std::uint32_t rate) {
        return Router{.id = {},
                      .name = address,
                      .address = IpAddress::parse(address).value(),
                      .default_sampling = rate};
    };
    const Router made = operators().create_router(router(silent, 50), place_.clock.wall()).value();
    ASSERT_TRUE(operators().create_router(router(telling, 50), place_.clock.wall()));
    start();
    send(silent, FlowFormat::kNetflow9, 1, {flow("10.0.0.1", 10, 1'000)}, false);
    turn_minute();
    EXPECT_EQ(stored("0.0.0.0/0").bytes, 50'000U);
    send(telling, FlowFormat::kNetflow9, 7, {flow("10.0.0.1", 10, 1'000)});
    send(telling, FlowFormat::kSflow5, 7, {flow("10.0.0.1", 10, 1'000)});
    turn_minute();
    EXPECT_EQ(stored("0.0.0.0/0").bytes, 50'000U + 14'000U);
    // Another default holds from the next minute.
    Router changed = made;
    changed.default_sampling = 3;
    ASSERT_TRUE(operators().update_router(changed, place_.clock.wall()));
    follow_rules();
    send(silent, FlowFormat::kNetflow9, 1, {flow("10.0.0.1", 10, 1'000)}, false);
    turn_minute();
    EXPECT_EQ(stored("0.0.0.0/0").bytes, 114'000U);
    send(silent, FlowFormat::kNetflow9, 1, {flow("10.0.0.1", 10, 1'000)}, false);
    turn_minute();
    EXPECT_EQ(stored("0.0.0.0/0").bytes, 117'000U);
}

TEST_F(FlowCountingTest, TemplatesAndSamplingOutliveTheProcess) {
    templates_every_ = 0;  // only in the first datagram
    for (const FlowFormat format : {FlowFormat::kNetflow9, FlowFormat::kIpfix}) {
        start();
        send_from_all(format);
        turn_minute();
        end();
        start();
        send_from_all(format);
        turn_minute();
        end();
    }
    expect_all_stored();
    EXPECT_EQ(place_.counted("cam_flow_dropped_total", {{"reason", "no_template"}}), 0U);
    EXPECT_EQ(place_.counted("cam_flow_sets_held_total"), 0U);
}

TEST_F(FlowCountingTest, WhatIsDamagedOfADecodersStateIsNoHarm) {
    templates_every_ = 1;
    start();
    send_from_all(FlowFormat::kNetflow9);
    pass(10s);
    end();
    PlainSqlite(place_.database()).run("UPDATE flow_decoder_state SET bytes = x'00ff'");
    start();
    for (int i = 0; i < 2; ++i) send_from_all(FlowFormat::kNetflow9);
    turn_minute();
    EXPECT_EQ(minutes("partial"), 2U);
    expect_all_stored();
    EXPECT_EQ(collected().size(), 1U);
}

}  // namespace
}  // namespace cam::app
