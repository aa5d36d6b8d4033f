#include <algorithm>
#include <string>
#include <vector>

#include "flow_fixture.h"

namespace cam::store {
namespace {

using std::chrono::seconds;

class AttacksTest : public SqliteStoreTest {
protected:
    void SetUp() override {
        SqliteStoreTest::SetUp();
        store_ = must_open();
    }
    /// An event of `attack` at a second of 22:00.
    MitigationEvent event(MaybeText attack, unsigned second, std::uint64_t packets) {
        MitigationEvent made = make_event(number_++);
        made.datetime = lasting(fmt::format("2026-01-19T22:{:02}:{:02}Z", second / 60, second % 60));
        made.attack_id = attack;
        made.packets = packets;
        made.bits = packets * 100;
        made.hash = event_hash(*made.datetime, *made.attack_id, *made.source_ip, *made.destination_ip, "443");
        return made;
    }
    void claim(const std::vector<MitigationEvent>& events) {
        const auto claimed = store_->claim(events, kNow, kNow, one_each);
        ASSERT_TRUE(claimed) << claimed.error().detail;
        ASSERT_EQ(claimed->fresh.size(), events.size());
    }
    AttackPage page(const AttackQuery& query) {
        auto found = store_->attacks(query);
        EXPECT_TRUE(found) << (found ? "" : found.error().detail);
        return found ? *found : AttackPage{};
    }
    static MaybeText letter(unsigned number) {
        return lasting(std::string(1, static_cast<char>('a' + number)));
    }
    static std::string ids(const AttackPage& page) {
        std::string text;
        for (const Attack& attack : page.attacks) text += attack.attack_id + " ";
        return text;
    }
    std::unique_ptr<SqliteStore> store_;
    unsigned number_ = 0;
};

TEST_F(AttacksTest, AnAttackIsWhatSharesAnAttackIdNewestFirst) {
    std::vector<MitigationEvent> events{event("a", 1, 10), event("b", 2, 20), event("a", 3, 30)};
    events[2].attack_vector = "SYN Flood";
    events[2].rule_name = std::nullopt;
    events[2].source_ip = events[0].source_ip;
    events[2].destination_ip = "185.54.82.5";
    claim(events);
    const AttackPage found = page({});
    ASSERT_EQ(ids(found), "a b ");
    const Attack& a = found.attacks[0];
    EXPECT_EQ(a.vectors, (std::vector<std::string>{"SYN Flood", "ICMP Flood"}));
    EXPECT_EQ(a.rule_names, (std::vector<std::string>{"a1b2c3d4", "ICMP-0001"})) << "the id where no name is";
    EXPECT_EQ(a.first_seen, at("2026-01-19T22:00:01Z"));
    EXPECT_EQ(a.last_seen, at("2026-01-19T22:00:03Z"));
    EXPECT_EQ(a.volume.events, 2U);
    EXPECT_EQ(a.volume.packets, 40U);
    EXPECT_EQ(a.volume.bits, 4'000U);
    EXPECT_EQ(a.targets, (std::vector<std::string>{"185.54.82.5", "185.54.82.4"})) << "most packets first";
    EXPECT_EQ(a.target_count, 2U);
    EXPECT_EQ(a.source_count, 1U);
    EXPECT_EQ(found.total, 2U);
    EXPECT_FALSE(found.next_cursor);
    EXPECT_FALSE(found.complete_since);
}

TEST_F(AttacksTest, EventsWithoutAnAttackIdAreOneAttackByTargetVectorAndRule) {
    std::vector<MitigationEvent> events{event(MaybeText{}, 1, 1), event("", 2, 1), event("Unknown", 3, 1),
                                        event(MaybeText{}, 4, 1), event(MaybeText{}, 5, 1)};
    events[3].destination_ip = "185.54.82.9";
    events[4].rule_id = "another";
    claim(events);
    const AttackPage found = page({});
    ASSERT_EQ(found.attacks.size(), 3U);
    const Attack& shared = found.attacks[2];
    EXPECT_EQ(shared.volume.events, 3U);
    EXPECT_EQ(shared.attack_id.rfind("unnamed-", 0), 0U);
    EXPECT_EQ(shared.attack_id.size(), 24U);
    const auto detail = store_->attack(shared.attack_id);
    ASSERT_TRUE(detail) << "the id that is made leads back to it";
    EXPECT_EQ(detail->attack.volume.events, 3U);
    EXPECT_EQ(store_->attack("unnamed-0000000000000000").error().code, ErrorCode::kNotFound);
}

TEST_F(AttacksTest, OnlyEventsThatFitMakeAnAttack) {
    std::vector<MitigationEvent> events{event("a", 1, 10), event("a", 30, 20), event("b", 40, 5)};
    events[1].attack_vector = "SYN Flood";
    events[2].destination_ip = "2a02:4460::1";
    claim(events);
    EXPECT_EQ(page({.since = at("2026-01-19T22:00:30Z")}).attacks[1].volume.packets, 20U);
    EXPECT_EQ(ids(page({.until = at("2026-01-19T22:00:30Z")})), "a ");
    EXPECT_EQ(page({.vector = "SYN Flood"}).attacks[0].volume.packets, 20U);
    EXPECT_EQ(ids(page({.prefix = Prefix::parse("2a02:4460::/32")})), "b ");
    EXPECT_EQ(ids(page({.vector = "none"})), "");
}

TEST_F(AttacksTest, PagesShowEachAttackOnceAndGoOnWhenOneGrows) {
    std::vector<MitigationEvent> events;
    for (unsigned i = 0; i < 9; ++i) events.push_back(event(letter(i), i, 1));
    claim(events);
    std::string all;
    AttackQuery query{.limit = 2};
    for (int pages = 0; pages < 10; ++pages) {
        const AttackPage one = page(query);
        all += ids(one);
        EXPECT_EQ(one.total, 9U);
        query.cursor = one.next_cursor;
        if (!query.cursor) break;
    }
    EXPECT_EQ(all, "i h g f e d c b a ");
    query = {.limit = 3};
    query.cursor = page(query).next_cursor;
    claim({event("g", 50, 1)});  // the last of the first page is the newest now
    EXPECT_EQ(ids(page(query)), "f e d ");
    query.cursor = 1'000;
    EXPECT_EQ(store_->attacks(query).error().code, ErrorCode::kInvalid);
}

TEST_F(AttacksTest, TheDetailHasTheTwentyLargestOfEachPropertyAndCountsTheRest) {
    std::vector<MitigationEvent> events;
    for (unsigned i = 0; i < 30; ++i) {
        events.push_back(event("a", i, i + 1));
        events.back().destination_port = 1'000 + i;
        events.back().protocol = i == 29 ? MaybeText{} : MaybeText{"UDP"};
        events.back().source_country = i % 2 == 0 ? "BD" : "Unknown";
    }
    claim(events);
    const auto detail = store_->attack("a");
    ASSERT_TRUE(detail) << detail.error().detail;
    ASSERT_EQ(detail->ports.largest.size(), 20U);
    EXPECT_EQ(detail->ports.left_out, 10U);
    EXPECT_EQ(detail->ports.largest[0].key, "?/1029");
    EXPECT_EQ(detail->ports.largest[1].key, "UDP/1028");
    EXPECT_EQ(detail->ports.largest[1].volume.packets, 29U);
    ASSERT_EQ(detail->countries.largest.size(), 1U) << "what Cloudflare does not know is no country";
    EXPECT_EQ(detail->countries.largest[0].volume.events, 15U);
    ASSERT_EQ(detail->asns.largest.size(), 1U);
    EXPECT_EQ(detail->asns.largest[0].key, "137959");
    EXPECT_EQ(detail->asns.largest[0].name, "Vision Technologies Ltd.");
    EXPECT_EQ(detail->colos.largest[0].name, "BG");
    EXPECT_EQ(detail->addresses.left_out, 10U);
    EXPECT_EQ(detail->attack.source_count, 30U);
    EXPECT_EQ(store_->attack("b").error().code, ErrorCode::kNotFound);
}

TEST_F(AttacksTest, SumsSaturateInsteadOfTurningOver) {
    std::vector<MitigationEvent> events{event("a", 1, 1), event("a", 2, 1), event("a", 3, 1)};
    for (MitigationEvent& one : events) one.packets = one.bits = UINT64_MAX;  // stored as 2^63-1
    claim(events);
    EXPECT_EQ(page({}).attacks[0].volume.packets, UINT64_MAX);
}

TEST_F(AttacksTest, TheTimelineAddsUpStepByStep) {
    claim({event("a", 0, 1), event("a", 59, 2), event("a", 60, 4), event("b", 180, 8)});
    const auto timeline = store_->attack_timeline(
        {.since = at("2026-01-19T22:00:30Z"), .until = at("2026-01-19T22:04:00Z"), .step = seconds{60}});
    ASSERT_TRUE(timeline) << timeline.error().detail;
    EXPECT_EQ(timeline->start, at("2026-01-19T22:00:00Z")) << "rounded down to a step";
    ASSERT_EQ(timeline->series.size(), 2U);
    EXPECT_EQ(timeline->series[0].attack_id, "b");
    EXPECT_EQ(timeline->series[0].packets, (std::vector<std::uint64_t>{0, 0, 0, 8}));
    EXPECT_EQ(timeline->series[1].packets, (std::vector<std::uint64_t>{3, 4, 0, 0}));
    EXPECT_EQ(timeline->series[1].bits, (std::vector<std::uint64_t>{300, 400, 0, 0}));
    EXPECT_FALSE(timeline->other);
}

TEST_F(AttacksTest, TheTimelineKeepsTheTwelveLargestAndAddsUpTheRest) {
    std::vector<MitigationEvent> events;
    for (unsigned i = 0; i < 15; ++i) events.push_back(event(letter(i), i, i + 1));
    claim(events);
    const TimelineQuery query{
        .since = at("2026-01-19T22:00:00Z"), .until = at("2026-01-19T22:01:00Z"), .step = seconds{30}};
    const auto timeline = store_->attack_timeline(query);
    ASSERT_EQ(timeline->series.size(), 12U);
    EXPECT_EQ(timeline->series.front().attack_id, "o");
    EXPECT_EQ(timeline->series.back().attack_id, "d");
    ASSERT_TRUE(timeline->other);
    EXPECT_EQ(timeline->other_count, 3U);
    EXPECT_EQ(timeline->other->packets, (std::vector<std::uint64_t>{1 + 2 + 3, 0}));
}

TEST_F(AttacksTest, ATimelineOfTooManyStepsIsRefusedWithTheStepThatWouldDo) {
    const TimelineQuery query{
        .since = at("2026-01-01T00:00:00Z"), .until = at("2026-01-31T00:00:00Z"), .step = seconds{60}};
    const auto timeline = store_->attack_timeline(query);
    ASSERT_FALSE(timeline);
    EXPECT_EQ(timeline.error().code, ErrorCode::kInvalid);
    EXPECT_NE(timeline.error().detail.find("1297 seconds"), std::string::npos) << timeline.error().detail;
    EXPECT_TRUE(
        store_->attack_timeline({.since = query.since, .until = query.until, .step = seconds{1'297}}));
    EXPECT_EQ(store_->attack_timeline({.since = query.since, .until = query.until, .step = seconds{0}})
                  .error()
                  .code,
              ErrorCode::kInvalid);
}

TEST_F(AttacksTest, MinutesOfAnAttackCountWhatWentToThePrefix) {
    std::vector<MitigationEvent> events{event("a", 10, 1), event("a", 50, 2), event("a", 61, 4),
                                        event("a", 62, 8)};
    events[3].destination_ip = "198.51.100.1";
    claim(events);
    ask("UPDATE network_analytics_events SET event_datetime = 'nonsense' WHERE id = 2");
    const auto minutes = store_->attack_minutes("a", Prefix::parse("185.54.80.0/22"));
    ASSERT_TRUE(minutes) << minutes.error().detail;
    ASSERT_EQ(minutes->minutes.size(), 2U);
    EXPECT_EQ(WallTime{minutes->minutes[0].start}, at("2026-01-19T22:00:00Z"));
    EXPECT_EQ(minutes->minutes[0].volume.packets, 1U);
    EXPECT_EQ(minutes->minutes[1].volume.packets, 4U);
    EXPECT_EQ(minutes->elsewhere, 1U);
    EXPECT_EQ(minutes->undated, 1U);
    EXPECT_EQ(store_->attack_minutes("a", std::nullopt)->minutes[1].volume.packets, 12U);
}

TEST_F(AttacksTest, AFileWithoutTheTableHasNoAttacks) {
    PlainSqlite(folder_ / "other.db").run("CREATE TABLE t (a)");
    const auto reader = SqliteStore::open(
        {.path = (folder_ / "other.db").string(), .access = Access::kReadOnly, .busy = seconds{5}});
    ASSERT_TRUE(reader) << reader.error().detail;
    EXPECT_EQ((*reader)->attacks({})->total, 0U);
    EXPECT_EQ((*reader)->attack("a").error().code, ErrorCode::kNotFound);
    EXPECT_TRUE((*reader)->event_page({})->events.empty());
    EXPECT_TRUE((*reader)->deliveries({})->deliveries.empty());
}

class CoveringTest : public FlowStoreTest {};

TEST_F(CoveringTest, StoredPrefixesThatCoverAnAddressComeLongestFirst) {
    const auto store = must_open_flow();
    EXPECT_FALSE(*store->last_collected());
    ASSERT_TRUE(write(
        *store, minute_at(3),
        {make_traffic("185.54.80.0/22", minute_at(3), 100), make_traffic("185.54.82.0/24", minute_at(3), 50),
         make_traffic("185.54.83.0/24", minute_at(3), 50), make_traffic("2a02:4460::/32", minute_at(3), 9)}));
    const auto covering = store->covering(address("185.54.82.4"));
    ASSERT_TRUE(covering) << covering.error().detail;
    EXPECT_EQ(*covering, (std::vector<Prefix>{prefix("185.54.82.0/24"), prefix("185.54.80.0/22")}));
    EXPECT_EQ(store->covering(address("2a02:4460::1"))->size(), 1U);
    EXPECT_TRUE(store->covering(address("192.0.2.1"))->empty());
    EXPECT_EQ(*store->last_collected(), minute_at(3));
}

}  // namespace
}  // namespace cam::store
