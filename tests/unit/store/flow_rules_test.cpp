#include <limits>

#include "flow_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMostStored = std::numeric_limits<std::int64_t>::max();

// --- routers ---

TEST_F(FlowStoreTest, ARouterThatWasCreatedIsFoundAgainByItsIdAndInTheList) {
    const auto store = must_open_flow();
    const auto made = store->create_router(make_router("192.0.2.1", "edge \"1\""), kNow);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(made->id.size(), 32U);
    EXPECT_EQ(made->id.find_first_not_of("0123456789abcdef"), std::string::npos);
    const auto found = must_open_flow()->router(made->id);
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->name, "edge \"1\"");
    EXPECT_EQ(found->address, address("192.0.2.1"));
    EXPECT_EQ(found->default_sampling, 1'000U);
    EXPECT_EQ(found->created_at, kNow);
    EXPECT_EQ(found->updated_at, kNow);
    ASSERT_EQ(store->routers()->size(), 1U);
    EXPECT_EQ(store->routers()->front().id, made->id);
}

TEST_F(FlowStoreTest, RoutersAndRulesAreListedInTheOrderInWhichTheyWereMade) {
    const auto store = must_open_flow();
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(
            store->create_router(make_router(fmt::format("192.0.2.{}", i), fmt::format("r{}", i)), kNow));
        ASSERT_TRUE(store->create_rule(make_rule(fmt::format("rule{}", i)), kNow));
    }
    const auto routers = store->routers();
    const auto rules = store->rules();
    ASSERT_EQ(routers->size(), 5U);
    ASSERT_EQ(rules->size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ((*routers)[i].name, fmt::format("r{}", i));
        EXPECT_EQ((*rules)[i].name, fmt::format("rule{}", i));
    }
}

TEST_F(FlowStoreTest, APartOfAListReadsNoRowBeforeItOrBehindIt) {
    const auto store = must_open_flow();
    std::vector<std::string> ids;
    for (int i = 0; i < 6; ++i) {
        const auto made = store->create_rule(make_rule(fmt::format("rule{}", i)), kNow);
        ASSERT_TRUE(made);
        ids.push_back(made->id);
    }
    // What cannot be read stands before and behind the part: whoever reads it fails.
    PlainSqlite(path_).run(
        "UPDATE flow_rules SET prefixes = 'none' WHERE name IN ('rule0', 'rule1', 'rule5')");
    const auto part = store->rules({.after = ids[1], .limit = 2});
    ASSERT_TRUE(part) << part.error().detail;
    ASSERT_EQ(part->size(), 2U);
    EXPECT_EQ(part->front().id, ids[2]);
    EXPECT_EQ(part->back().id, ids[3]);
    EXPECT_EQ(store->rules({.after = ids[3], .limit = 2}).error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(store->rules({.after = ids[5], .limit = {}})->empty());
}

TEST_F(FlowStoreTest, APartOfAListCannotFollowWhatIsNotThere) {
    const auto store = must_open_flow();
    const auto router = store->create_router(make_router("192.0.2.1"), kNow);
    ASSERT_TRUE(router);
    EXPECT_EQ(store->routers({.after = "none", .limit = 1}).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store->rules({.after = router->id, .limit = 1}).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(store->routers({.after = router->id, .limit = 1})->empty());
    EXPECT_EQ(store->routers({.after = {}, .limit = 1})->size(), 1U);
}

TEST_F(FlowStoreTest, TwoRoutersCannotHaveOneAddressHoweverItIsWritten) {
    const auto store = must_open_flow();
    const auto first = store->create_router(make_router("192.0.2.1"), kNow);
    const auto second = store->create_router(make_router("2001:db8::1"), kNow);
    ASSERT_TRUE(first && second);
    const auto mapped = store->create_router(make_router("::ffff:192.0.2.1"), kNow);
    ASSERT_FALSE(mapped);
    EXPECT_EQ(mapped.error().code, ErrorCode::kExists);
    EXPECT_NE(mapped.error().detail.find("192.0.2.1"), std::string::npos);
    EXPECT_EQ(mapped.error().detail.find(path_), std::string::npos);  // it is not about the file
    Router moved = *second;
    moved.address = address("192.0.2.1");
    EXPECT_EQ(store->update_router(moved, kNow).error().code, ErrorCode::kExists);
    EXPECT_EQ(store->router(second->id)->address, address("2001:db8::1"));
    EXPECT_EQ(store->routers()->size(), 2U);
}

TEST_F(FlowStoreTest, AnUpdatedRouterKeepsItsIdAndTheTimeOfItsMaking) {
    const auto store = must_open_flow();
    Router router = *store->create_router(make_router("192.0.2.1"), kNow);
    router.name = "core";
    router.default_sampling = std::numeric_limits<std::uint32_t>::max();
    router.created_at = {};
    const auto updated = store->update_router(router, kNow + 1h);
    ASSERT_TRUE(updated) << updated.error().detail;
    const auto found = store->router(router.id);
    for (const Router& one : {*updated, *found}) {
        EXPECT_EQ(one.id, router.id);
        EXPECT_EQ(one.name, "core");
        EXPECT_EQ(one.default_sampling, std::numeric_limits<std::uint32_t>::max());
        EXPECT_EQ(one.created_at, kNow);
        EXPECT_EQ(one.updated_at, kNow + 1h);
    }
}

TEST_F(FlowStoreTest, WhatIsNotThereCannotBeReadChangedOrRemoved) {
    const auto store = must_open_flow();
    Router router = make_router("192.0.2.1");
    Rule rule = make_rule();
    router.id = rule.id = "0123";
    const std::vector<ErrorCode> codes{
        store->router("0123").error().code,          store->update_router(router, kNow).error().code,
        store->remove_router("0123").error().code,   store->rule("").error().code,
        store->update_rule(rule, kNow).error().code, store->remove_rule("' OR 1").error().code};
    for (const ErrorCode code : codes) EXPECT_EQ(code, ErrorCode::kNotFound);
    EXPECT_EQ(*store->generation(), 0);
}

TEST_F(FlowStoreTest, ARemovedRouterIsGoneAndItsAddressFree) {
    const auto store = must_open_flow();
    const auto made = store->create_router(make_router("192.0.2.1"), kNow);
    ASSERT_TRUE(store->remove_router(made->id));
    EXPECT_EQ(store->router(made->id).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(store->create_router(make_router("192.0.2.1"), kNow));
    EXPECT_EQ(store->routers()->size(), 1U);
}

// --- rules ---

TEST_F(FlowStoreTest, EveryFieldOfARuleIsKept) {
    const auto store = must_open_flow();
    Rule zscore = make_rule("z; DROP TABLE flow_rules");
    zscore.type = RuleType::kZscore;
    zscore.bandwidth_threshold.reset();
    zscore.zscore_sensitivity = Sensitivity::kHigh;
    zscore.zscore_target = ZscoreTarget::kPackets;
    zscore.scope = RuleScope::kAggregate;
    zscore.duration = 60min;
    const auto made = store->create_rule(zscore, kNow);
    ASSERT_TRUE(made) << made.error().detail;
    const auto found = must_open_flow()->rule(made->id);
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->name, zscore.name);
    EXPECT_EQ(found->prefixes, zscore.prefixes);
    EXPECT_EQ(found->type, RuleType::kZscore);
    EXPECT_EQ(found->scope, RuleScope::kAggregate);
    EXPECT_EQ(found->duration, 60min);
    EXPECT_EQ(found->zscore_sensitivity, Sensitivity::kHigh);
    EXPECT_EQ(found->zscore_target, ZscoreTarget::kPackets);
    EXPECT_FALSE(found->bandwidth_threshold.has_value());
    EXPECT_FALSE(found->packet_threshold.has_value());
    EXPECT_EQ(found->created_at, kNow);
}

TEST_F(FlowStoreTest, AThresholdBeyondSqlitesIntegersIsTheLargestThereIs) {
    const auto store = must_open_flow();
    Rule rule = make_rule();
    rule.bandwidth_threshold = std::numeric_limits<std::uint64_t>::max();
    rule.packet_threshold = 0;
    const auto made = store->create_rule(rule, kNow);
    EXPECT_EQ(store->rule(made->id)->bandwidth_threshold, kMostStored);
    EXPECT_EQ(store->rule(made->id)->packet_threshold, 0U);
}

TEST_F(FlowStoreTest, AnUpdatedRuleIsAnotherOneOfTheSameId) {
    const auto store = must_open_flow();
    Rule rule = *store->create_rule(make_rule(), kNow);
    rule.prefixes = {prefix("10.0.0.0/8")};
    rule.bandwidth_threshold.reset();
    rule.packet_threshold = 5;
    const auto updated = store->update_rule(rule, kNow + 1h);
    ASSERT_TRUE(updated) << updated.error().detail;
    EXPECT_EQ(updated->created_at, kNow);
    EXPECT_EQ(updated->updated_at, kNow + 1h);
    const auto found = store->rule(rule.id);
    EXPECT_EQ(found->prefixes, std::vector{prefix("10.0.0.0/8")});
    EXPECT_FALSE(found->bandwidth_threshold.has_value());
    EXPECT_EQ(found->packet_threshold, 5U);
    ASSERT_TRUE(store->remove_rule(rule.id));
    EXPECT_TRUE(store->rules()->empty());
}

TEST_F(FlowStoreTest, ARuleOfTensOfThousandsOfPrefixesIsKept) {
    const auto store = must_open_flow();
    Rule rule = make_rule();
    rule.prefixes.clear();
    for (unsigned i = 0; i < 40'000; ++i) {
        rule.prefixes.push_back(prefix(fmt::format("10.{}.{}.0/24", i / 256, i % 256)));
    }
    const auto made = store->create_rule(rule, kNow);
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(store->rule(made->id)->prefixes, rule.prefixes);
    EXPECT_EQ(ask("SELECT json_array_length(prefixes) FROM flow_rules"), "40000");
}

TEST_F(FlowStoreTest, ARuleThatSomebodyWroteByHandIsReadAndAWrongOneIsNamed) {
    const auto store = must_open_flow();
    ask("INSERT INTO flow_rules (id, name, type, prefixes, bandwidth_threshold, created_at, updated_at) "
        "VALUES "
        "('mine', 'by hand', 'threshold', ' [ \"10.0.0.0/8\" ,\n\"2001:db8::/32\" ] ', 5, '2026-01-20 "
        "09:00:00', "
        "'2026-01-20 09:00:00')");
    const auto found = store->rules();
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->front().prefixes, (std::vector{prefix("10.0.0.0/8"), prefix("2001:db8::/32")}));
    EXPECT_EQ(found->front().created_at, kNow);
    EXPECT_EQ(found->front().scope, RuleScope::kPerPrefix);
    for (const char* change :
         {"prefixes = '[\"10.0.0.0/8\"'", "prefixes = '[10.0.0.0/8]'", "prefixes = '[\"10.0.0.1/8\"]'",
          "prefixes = '[\"10.0.0.0/8\",]'", "prefixes = '[] x'", "prefixes = ''", "type = 'guess'",
          "scope = 'some'", "zscore_target = 'x'", "zscore_sensitivity = ''"}) {
        const std::string before = ask("SELECT quote(prefixes) FROM flow_rules");
        ask(fmt::format("UPDATE flow_rules SET {}", change));
        const auto rules = store->rules();
        ASSERT_FALSE(rules) << change;
        EXPECT_EQ(rules.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(rules.error().detail.find("rule mine"), std::string::npos) << rules.error().detail;
        ask("UPDATE flow_rules SET type = 'threshold', scope = 'per_prefix', zscore_target = NULL, "
            "zscore_sensitivity = NULL, prefixes = " +
            before);
        ASSERT_TRUE(store->rules());
    }
}

// --- the generation ---

TEST_F(FlowStoreTest, EveryChangeOfRoutersAndRulesIsSeenInTheGeneration) {
    const auto store = must_open_flow();
    const auto reader = must_open_flow();
    std::int64_t last = *reader->generation();
    const auto expect_change = [&](std::string_view what) {
        const std::int64_t now = *reader->generation();
        EXPECT_NE(now, last) << what;
        last = now;
    };
    Router router = *store->create_router(make_router("192.0.2.1"), kNow);
    expect_change("a router was created");
    ASSERT_TRUE(store->update_router(router, kNow));
    expect_change("a router was changed");
    ASSERT_TRUE(store->remove_router(router.id));
    expect_change("a router was removed");
    Rule rule = *store->create_rule(make_rule(), kNow);
    expect_change("a rule was created");
    ASSERT_TRUE(store->update_rule(rule, kNow));
    expect_change("a rule was changed");
    ask("UPDATE flow_rules SET name = 'by hand'");
    expect_change("somebody used sqlite3");
    ASSERT_TRUE(store->remove_rule(rule.id));
    expect_change("a rule was removed");
    ASSERT_TRUE(write(*store, minute_at(0), {make_traffic("10.0.0.0/8", minute_at(0), 1)}));
    ASSERT_TRUE(store->record(starting(minute_at(0), {make_alert()}), kNow, tell));
    EXPECT_EQ(store->create_router(make_router("192.0.2.9"), kNow).has_value(), true);
    expect_change("only the last router counts");
    EXPECT_EQ(last, 8);
}

TEST_F(FlowStoreTest, AGenerationThatIsNoNumberIsCorrupt) {
    const auto store = must_open_flow();
    ask("INSERT INTO monitor_state VALUES ('flow_generation', 'many', ''), ('flow_judged_to', 'soon', '')");
    EXPECT_EQ(store->generation().error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(store->judged_to().error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(store->record(starting(minute_at(0), {}), kNow, tell).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace cam::store
