#pragma once

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "integration/site.h"

namespace cam::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using simulator::DeliveredMessage;
using simulator::Fault;
using simulator::Target;

constexpr int kWaveEvents = 5;  // more than aggregate_above: one message

inline std::string wave_name(int number) {
    const std::string digits = std::to_string(number);
    return std::string(4 - digits.size(), '0') + digits;
}
class LossTest : public SiteTest {
protected:
    void SetUp() override {
        SiteTest::SetUp();
        use_private_chat();
        configure();
    }

    /// Events of an attack of its own, told in one message.
    [[nodiscard]] std::vector<json> wave(int number, int events = kWaveEvents) const {
        std::vector<json> made;
        for (int i = 0; i < events; ++i) {
            made.push_back(event(5 + i % 600, {{"attackId", "wave-" + wave_name(number)},
                                               {"attackVector", "Wave " + wave_name(number)},
                                               {"ipSourceAddress", "91." + std::to_string(i / 65536) + "." +
                                                                       std::to_string(i / 256 % 256) + "." +
                                                                       std::to_string(i % 256)}}));
        }
        return made;
    }
    void add_wave(int number, int events = kWaveEvents) { world_.add_events(wave(number, events)); }

    [[nodiscard]] static std::optional<int> wave_of(const std::string& text) {
        const std::size_t at = text.find("Wave ");
        return at == std::string::npos ? std::nullopt : std::optional{std::stoi(text.substr(at + 5, 4))};
    }
    /// Which waves were told, in the order of acceptance.
    [[nodiscard]] std::vector<int> told_waves() const {
        std::vector<int> numbers;
        for (const DeliveredMessage& message : world_.messages()) {
            if (const auto number = wave_of(message.text)) numbers.push_back(*number);
        }
        return numbers;
    }
    [[nodiscard]] bool wait_for_waves(std::size_t count, std::chrono::milliseconds patience = 60s) const {
        return world_.wait_until([&](const auto&) { return told_waves().size() >= count; }, patience);
    }
    [[nodiscard]] static std::vector<int> numbers_to(int last) {
        std::vector<int> numbers;
        for (int i = 1; i <= last; ++i) numbers.push_back(i);
        return numbers;
    }

    /// Every one of `waves` waves is in the table whole, and nothing else is.
    void expect_stored_once(int waves, int events = kWaveEvents) const {
        EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), std::to_string(waves * events));
        EXPECT_EQ(query("SELECT count(*) FROM (SELECT 1 FROM network_analytics_events GROUP BY attack_id "
                        "HAVING count(*) = " +
                        std::to_string(events) + ")"),
                  std::to_string(waves));
        EXPECT_EQ(query("SELECT count(*) FROM outbox WHERE kind = 'attack'"), std::to_string(waves));
        EXPECT_EQ(query("SELECT count(*) FROM outbox WHERE state <> 'delivered'"), "0");
        EXPECT_EQ(query("PRAGMA integrity_check"), "ok");
    }
    /// As if the last messages had gone out long ago: the pace that survives a restart is another test's
    /// business.
    void let_a_minute_pass() const {
        execute(
            "UPDATE outbox SET delivered_at = strftime('%Y-%m-%d %H:%M:%f', delivered_at, '-10 minutes') "
            "WHERE state = 'delivered' AND delivered_at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-5 "
            "minutes')");
    }
    void say_polling_ended(const std::string& ago) const {
        execute("UPDATE monitor_state SET value = strftime('%Y-%m-%d %H:%M:%f', 'now', '-" + ago +
                "') WHERE key = 'claimed_to'");
    }
    void expect_clean_stop(Process& daemon) const {
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.wait(), 0) << daemon.err();
    }
};

}  // namespace cam::test
