#include "cam/model/mitigation_event.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <string>
#include <thread>
#include <vector>

namespace cam {
namespace {

TEST(EventHashTest, IsTheDigestThatThePythonMonitorCut) {
    // python3 -c 'import hashlib; print(hashlib.sha256(b"2026-01-19T22:51:50Z|k9z3t-…|…").hexdigest())'
    EXPECT_EQ(hex(event_hash("2026-01-19T22:51:50Z", "k9z3t-xx1g6wwhgqngq523mp0nr", "103.118.76.198",
                             "185.54.82.4", "0")),
              "b57a959bb7e12ff033854770a90cbe3a4c8857532d12e20a6afaf4f140953891");
    EXPECT_EQ(hex(event_hash("2026-01-19T22:51:50Z", "None", "None", "None", "None")),
              "3f946eeb62c708157ff71301f2fcb7d0b89ad1a79207ca5e6dd52885427dbd91");
}

TEST(EventHashTest, TellsEveryPartApart) {
    const EventHash whole = event_hash("a", "b", "c", "d", "e");
    EXPECT_NE(whole, event_hash("x", "b", "c", "d", "e"));
    EXPECT_NE(whole, event_hash("a", "x", "c", "d", "e"));
    EXPECT_NE(whole, event_hash("a", "b", "x", "d", "e"));
    EXPECT_NE(whole, event_hash("a", "b", "c", "x", "e"));
    EXPECT_NE(whole, event_hash("a", "b", "c", "d", "x"));
    EXPECT_NE(event_hash("a", "", "c", "d", "e"), event_hash("a", "None", "c", "d", "e"));
}

TEST(EventHashTest, GivesTheSameFromEveryThreadAndForLongTexts) {
    const std::string longer(100'000, 'x');
    const std::string joined = "t|" + longer + "|s|d|p";
    EventHash expected{};
    SHA256(reinterpret_cast<const unsigned char*>(joined.data()), joined.size(), expected.data());
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < 20; ++n) EXPECT_EQ(event_hash("t", longer, "s", "d", "p"), expected);
        });
    }
}

TEST(EventHashTest, HexIsLowerCaseAndWhole) {
    EventHash hash{};
    hash.front() = 0xab;
    hash.back() = 0x0f;
    EXPECT_EQ(hex(hash), "ab" + std::string(60, '0') + "0f");
}

/// An event of an answer: its texts lie in the answer's memory, one of them outside of its own JSON.
MitigationEvent event_in(const std::shared_ptr<const std::string>& answer) {
    const std::string_view text = *answer;
    MitigationEvent event;
    event.raw = text.substr(1, 9);        // {"a":"b"}
    event.attack_id = text.substr(7, 1);  // its b
    event.rule_name = text.substr(11, 3);
    event.tcp_flags = "";
    event.packets = 7;
    event.memory = answer;
    return event;
}

TEST(StoreApartTest, LetsTheRestOfTheAnswerGoAndKeepsEveryText) {
    auto answer = std::make_shared<const std::string>(R"([{"a":"b"},xyz])");
    const std::weak_ptr<const std::string> watched = answer;
    std::vector<MitigationEvent> events{event_in(answer), event_in(answer)};
    answer.reset();
    ASSERT_FALSE(watched.expired());
    store_apart(events);
    EXPECT_TRUE(watched.expired());
    for (const MitigationEvent& event : events) {
        EXPECT_EQ(event.raw, R"({"a":"b"})");
        EXPECT_EQ(event.attack_id, "b");
        EXPECT_EQ(event.attack_id->data(), event.raw.data() + 6) << "stored twice";
        EXPECT_EQ(event.rule_name, "xyz");
        EXPECT_EQ(event.tcp_flags, "");
        EXPECT_FALSE(event.rule_id);
        EXPECT_EQ(event.packets, 7U);
    }
}

TEST(StoreApartTest, TakesNoEventsAndEventsWithoutAnyText) {
    std::vector<MitigationEvent> events;
    store_apart(events);
    EXPECT_TRUE(events.empty());
    events.emplace_back();
    store_apart(events);
    EXPECT_EQ(events.front().raw, "");
    EXPECT_FALSE(events.front().attack_id);
}

}  // namespace
}  // namespace cam
