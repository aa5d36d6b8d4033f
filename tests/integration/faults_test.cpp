// Everything Cloudflare and Telegram can do wrong, against the running program.

#include <csignal>
#include <functional>
#include <ostream>

#include <gtest/gtest.h>

#include "integration/site.h"

namespace cam::test {
namespace {

using namespace std::chrono_literals;
using simulator::BodyKind;
using simulator::Fault;
using simulator::Target;
using simulator::TelegramChat;

constexpr const char* kQueryFailed = "poll failed: cloudflare query failed kind=";
constexpr const char* kNoData = "poll failed: cloudflare answered without data";
constexpr const char* kNoAccount = "poll failed: cloudflare does not know the account";
constexpr const char* kPeace = "poll completed: no mitigation events";

struct CloudflareFault {
    const char* name;
    Fault fault;
    std::string log;       ///< what the daemon says of a poll that it ended
    int once_status;       ///< of a single poll that meets it one time
    std::string once_log;  ///< what the single poll says then
    enum class Daemon {
        kRecovers,      ///< as soon as Cloudflare does
        kWaits,         ///< for longer than a test
        kFailsOnePoll,  ///< met one time
        kFailsNothing   ///< met one time, it does not even fail the poll
    } daemon = Daemon::kRecovers;
};

std::ostream& operator<<(std::ostream& out, const CloudflareFault& one) {
    return out << one.name;
}

/// What gtest calls a test of a case.
template <typename Case>
std::string name_of(const testing::TestParamInfo<Case>& test) {
    return test.param.name;
}

class FaultsTest : public SiteTest {
protected:
    [[nodiscard]] std::size_t told() const { return messages_with("*MITIGATION EVENT*").size(); }
    [[nodiscard]] bool wait_until_told(std::size_t count, std::chrono::milliseconds patience = 60s) const {
        return world_.wait_until([&](const auto&) { return told() >= count; }, patience);
    }
    [[nodiscard]] bool wait_for_text(const std::string& part,
                                     std::chrono::milliseconds patience = 60s) const {
        return world_.wait_until([&](const auto&) { return !messages_with(part).empty(); }, patience);
    }
    [[nodiscard]] bool wait_for_polls(std::size_t more) const {
        return world_.wait_for_requests(Target::kGraphql, world_.requests(Target::kGraphql).size() + more,
                                        20s);
    }
    void expect_clean_stop(Process& daemon) const {
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.wait(), 0) << daemon.err();
    }
};

class CloudflareFaultTest : public FaultsTest, public testing::WithParamInterface<CloudflareFault> {};

TEST_P(CloudflareFaultTest, ASinglePollThatMeetsItSaysSoAndLosesNothing) {  // B6
    const CloudflareFault& one = GetParam();
    world_.add_event(event(60));
    world_.add_fault(Fault{one.fault}.on(Target::kGraphql).times(1));
    const Finished first = once();
    EXPECT_EQ(first.status, one.once_status) << first.err;
    EXPECT_NE(first.err.find(one.once_log), std::string::npos) << first.err;
    EXPECT_EQ(first.err.find(kPeace), std::string::npos) << "a failure looked like peace\n" << first.err;
    EXPECT_EQ(told(), one.once_status == 0 ? 1U : 0U);
    const Finished second = once();
    EXPECT_EQ(second.status, 0) << second.err;
    EXPECT_EQ(told(), 1U);
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), "1");
}

TEST_P(CloudflareFaultTest, TheDaemonSaysSoRecoversAndLosesNothing) {  // B6
    const CloudflareFault& one = GetParam();
    using Daemon = CloudflareFault::Daemon;
    const bool stays = one.daemon == Daemon::kRecovers || one.daemon == Daemon::kWaits;
    Process daemon(command({}));
    ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
    Fault fault = Fault{one.fault}.on(Target::kGraphql);
    if (!stays) fault.times(1);
    world_.add_fault(fault);
    world_.add_event(event(60));
    if (one.daemon != Daemon::kFailsNothing) {
        ASSERT_TRUE(daemon.wait_for_log(one.log, 45s)) << daemon.err();
    }
    if (stays) {
        const std::string since = daemon.err().substr(daemon.err().find(one.log));
        EXPECT_EQ(since.find("poll completed"), std::string::npos) << "a failure looked like peace\n"
                                                                   << since;
        EXPECT_EQ(told(), 0U);
        world_.clear_faults();
    }
    if (one.daemon == Daemon::kWaits) {
        const std::size_t asked = world_.requests(Target::kGraphql).size();
        ASSERT_TRUE(daemon.wait_for_log("not asked: Cloudflare's rate limit holds")) << daemon.err();
        EXPECT_EQ(world_.requests(Target::kGraphql).size(), asked);
        expect_clean_stop(daemon);
        EXPECT_EQ(once().status, 0);
    } else {
        ASSERT_TRUE(wait_until_told(1)) << daemon.err();
        EXPECT_TRUE(daemon.wait_for_log("new=1")) << daemon.err();
        EXPECT_TRUE(wait_for_polls(2)) << daemon.err();
        expect_clean_stop(daemon);
    }
    EXPECT_EQ(told(), 1U);
    EXPECT_EQ(world_.counters().cloudflare_retry_after_violations, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    EachKind, CloudflareFaultTest,
    testing::Values(
        CloudflareFault{"Unavailable", Fault::status(503), std::string{kQueryFailed} + "transient", 0,
                        "trying again kind=transient"},
        CloudflareFault{"GatewayPage", Fault::status(502, BodyKind::kHtml),
                        std::string{kQueryFailed} + "transient", 0, "answer is no complete JSON"},
        CloudflareFault{"RateLimitedWithATime", Fault::rate_limited(2s),
                        std::string{kQueryFailed} + "rate_limited", 0, "trying again kind=rate_limited"},
        CloudflareFault{"RateLimitedWithoutATime", Fault::rate_limited(std::nullopt),
                        std::string{kQueryFailed} + "rate_limited", 1,
                        std::string{kQueryFailed} + "rate_limited", CloudflareFault::Daemon::kWaits},
        CloudflareFault{"Reset", Fault::reset(), std::string{kQueryFailed} + "transient", 0, "rows=1 new=1"},
        CloudflareFault{"HangUp", Fault::hang_up(), std::string{kQueryFailed} + "transient", 0,
                        "rows=1 new=1"},
        CloudflareFault{"Stall", Fault::stall(), std::string{kQueryFailed} + "timeout", 0,
                        "cloudflare was too slow, asking for less", CloudflareFault::Daemon::kFailsOnePoll},
        CloudflareFault{"CutJson", Fault::cut_json(), std::string{kQueryFailed} + "transient", 0,
                        "trying again kind=transient"},
        CloudflareFault{"CutConnection", Fault::cut_connection(), std::string{kQueryFailed} + "transient", 0,
                        "answer broke off in the middle"},
        CloudflareFault{"ErrorsWithStatus200", Fault::graphql_errors("Internal server error"),
                        std::string{kQueryFailed} + "transient", 0, "trying again kind=transient"},
        CloudflareFault{"ErrorsNobodyKnows", Fault::graphql_errors("the cat sat on the switch"),
                        std::string{kQueryFailed} + "transient", 0, "the cat sat on the switch"},
        CloudflareFault{"DataNull", Fault::data_null(), kNoData, 0, "trying again kind=no_data"},
        CloudflareFault{"AccountsEmpty", Fault::accounts_empty(), kNoAccount, 1, kNoAccount},
        CloudflareFault{"NodeNull", Fault::node_null(), kNoData, 0, "trying again kind=no_data"},
        CloudflareFault{"NodeMissing", Fault::node_missing(), kNoData, 0, "trying again kind=no_data"},
        CloudflareFault{"Oversized", Fault::oversized(70U * 1024 * 1024), "", 0, "rows=1 new=1",
                        CloudflareFault::Daemon::kFailsNothing},
        CloudflareFault{"GzipGarbage", Fault::gzip_garbage(), std::string{kQueryFailed} + "transient", 0,
                        "answer cannot be decompressed"}),
    name_of<CloudflareFault>);

TEST_F(FaultsTest, FourWaysToHearNothingAreFourDifferentLines) {  // B6
    EXPECT_NE(once().err.find(kPeace), std::string::npos);
    world_.set_faults({Fault::status(401).on(Target::kGraphql)});
    EXPECT_NE(once().err.find(std::string{kQueryFailed} + "unauthorized"), std::string::npos);
    world_.set_faults({Fault::accounts_empty().on(Target::kGraphql)});
    EXPECT_NE(once().err.find(kNoAccount), std::string::npos);
    world_.set_faults({Fault::node_missing().on(Target::kGraphql)});
    Process daemon(command({}));
    EXPECT_TRUE(daemon.wait_for_log(kNoData)) << daemon.err();
}

TEST_F(FaultsTest, LimitsThatCannotBeAskedDoNotStopPolling) {
    world_.add_event(event(60));
    std::size_t expected = 0;
    for (const Fault& fault : {Fault::status(503, BodyKind::kHtml), Fault::data_null(), Fault::node_missing(),
                               Fault::cut_json(), Fault::status(403), Fault::gzip_garbage()}) {
        world_.set_faults({Fault{fault}.on(Target::kSettings)});
        world_.add_event(event(60, {{"attackId", std::string{"attack-"} + std::string{fault.name()} +
                                                     std::to_string(++expected)}}));
        const Finished done = once();
        EXPECT_EQ(done.status, 0) << done.err;
        EXPECT_NE(done.err.find("account limits unknown"), std::string::npos) << done.err;
    }
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), std::to_string(expected + 1));
}

TEST_F(FaultsTest, AnOddAnswerInTheBgpQuestionOnlyMakesTheReportSayUnknown) {  // B20
    world_.add_event(event(60));
    for (const Fault& fault : {Fault::status(503, BodyKind::kHtml), Fault::status(403), Fault::cut_json(),
                               Fault::body("[]"), Fault::reset()}) {
        world_.forget();
        world_.set_faults({Fault{fault}.on(Target::kPrefixes)});
        Process daemon(command({}));
        ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
        EXPECT_NE(world_.messages()[0].text.find("Prefixes: ❓ Unknown"), std::string::npos)
            << fault.name() << "\n"
            << world_.messages()[0].text;
        expect_clean_stop(daemon);
    }
}

struct Refusal {
    const char* name;
    Fault fault;
    std::string kind;
};

std::ostream& operator<<(std::ostream& out, const Refusal& one) {
    return out << one.name;
}

class RefusalTest : public FaultsTest, public testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, IsToldOnceByWhomeverAndItsEndOnce) {  // B6
    const Refusal& one = GetParam();
    const std::string headline = "*Cloudflare refuses the query";
    world_.add_event(event(60));
    world_.add_fault(Fault{one.fault}.on(Target::kGraphql));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(once().status, 1);
    EXPECT_EQ(messages_with(headline).size(), 1U);
    {
        Process daemon(command({}));
        ASSERT_TRUE(daemon.wait_for_log("condition raised condition=cloudflare state=" + one.kind))
            << daemon.err();
        ASSERT_TRUE(wait_for_polls(3));
        EXPECT_EQ(messages_with(headline).size(), 1U) << "a restart told it again";
        EXPECT_EQ(told(), 0U);
        world_.clear_faults();
        ASSERT_TRUE(wait_until_told(1)) << daemon.err();
        ASSERT_TRUE(wait_for_text("Cloudflare answers again")) << daemon.err();
        expect_clean_stop(daemon);
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ(once().status, 0);
    EXPECT_EQ(messages_with(headline).size(), 1U);
    EXPECT_EQ(messages_with("Cloudflare answers again").size(), 1U);
    const std::string text = messages_with(headline).at(0);
    EXPECT_NE(text.find("This is not peace"), std::string::npos) << text;
    EXPECT_EQ(told(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    EachKind, RefusalTest,
    testing::Values(Refusal{"Unauthorized", Fault::status(401), "unauthorized"},
                    Refusal{"Forbidden", Fault::status(403), "forbidden"},
                    Refusal{"UnknownField", Fault::status(400).saying("unknown field \"ruleName\""),
                            "query_refused"},
                    Refusal{"UnknownAccount", Fault::accounts_empty(), "unknown_account"}),
    name_of<Refusal>);

TEST_F(FaultsTest, AnExpiredTokenIsToldOnceAndSoIsItsEnd) {  // B6
    const std::string token = world_.api_token();
    const auto accept = [&](const std::string& accepted) {
        world_.configure_cloudflare(
            [&](simulator::CloudflareSettings& settings) { settings.api_token = accepted; });
    };
    accept("anotherCloudflareApiToken00000000000000002");
    EXPECT_EQ(once().status, 1);
    EXPECT_EQ(once().status, 1);
    EXPECT_EQ(messages_with("*Cloudflare refuses the query (unauthorized)").size(), 1U);
    accept(token);
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(messages_with("Cloudflare answers again").size(), 1U);
    EXPECT_EQ(world_.messages().size(), 2U);
}

class TelegramFaultTest : public FaultsTest {
protected:
    [[nodiscard]] std::vector<simulator::RequestRecord> sends() const {
        return world_.requests(Target::kTelegram);
    }
};

TEST_F(TelegramFaultTest, AWaitThatTelegramAsksForIsKept) {  // B13
    world_.add_event(event(60));
    world_.add_fault(Fault::rate_limited(3s).on(Target::kTelegram).times(1));
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    ASSERT_EQ(sends().size(), 2U);
    EXPECT_GE(sends()[1].received_at - sends()[0].received_at, 3s);
    EXPECT_EQ(told(), 1U);
    EXPECT_EQ(world_.counters().telegram_retry_after_violations, 0U);
}

TEST_F(TelegramFaultTest, AWaitLongerThanASinglePollHasLeavesTheMessageToTheNext) {  // B13
    world_.add_event(event(60));
    world_.add_fault(Fault::rate_limited(90s).on(Target::kTelegram).times(1));
    const auto before = std::chrono::steady_clock::now();
    const Finished done = once();
    EXPECT_EQ(done.status, 1) << done.err;
    EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);
    EXPECT_EQ(query("SELECT count(*) FROM outbox WHERE state = 'waiting'"), "1");
}

TEST_F(TelegramFaultTest, TheOwnPaceNeverMeetsTelegramsLimits) {  // B13
    world_.configure_telegram([](simulator::TelegramSettings& settings) { settings.rates.enabled = true; });
    for (int i = 0; i < 8; ++i) world_.add_event(event(60, {{"attackId", "attack-" + std::to_string(i)}}));
    EXPECT_EQ(once().status, 0);
    // A process that starts anew knows what the one before it sent.
    world_.add_event(event(5, {{"attackId", "attack-8"}}));
    world_.add_event(event(5, {{"attackId", "attack-9"}}));
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(told(), 10U);
    EXPECT_EQ(world_.counters().telegram_rate_limited, 0U);
    EXPECT_EQ(world_.counters().telegram_retry_after_violations, 0U);
}

TEST_F(TelegramFaultTest, RefusedMarkupGoesOutPlain) {  // B12
    world_.add_event(event(60));
    world_.add_fault(
        Fault::status(400)
            .saying(
                "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 5")
            .on(Target::kTelegram)
            .times(1));
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    ASSERT_EQ(world_.messages().size(), 1U);
    EXPECT_EQ(world_.messages()[0].parse_mode, "");
    EXPECT_NE(world_.messages()[0].text.find("MITIGATION EVENT"), std::string::npos);
    ASSERT_EQ(sends().size(), 2U) << "a refused markup is no reason to wait";
}

TEST_F(TelegramFaultTest, ATextThatTelegramNeverTakesDoesNotHoldUpTheNext) {  // B13
    world_.add_event(event(90, {{"attackId", "attack-1"}}));
    world_.add_event(event(60, {{"attackId", "attack-2"}}));
    world_.add_fault(
        Fault::status(400).saying("Bad Request: message is too long").on(Target::kTelegram).times(1));
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(messages_with("`attack-2`").size(), 1U);
    EXPECT_EQ(messages_with("Telegram refused a message").size(), 1U);
    EXPECT_EQ(query("SELECT count(*) FROM outbox WHERE state = 'refused' AND text LIKE '%attack-1%'"), "1");
}

TEST_F(TelegramFaultTest, AGroupThatBecameASupergroupIsFollowed) {  // B13
    constexpr std::int64_t kNewId = -1009876543210;
    const std::int64_t old_id = world_.chat_id();
    world_.configure_telegram([&](simulator::TelegramSettings& settings) {
        settings.chats = {TelegramChat{.id = old_id,
                                       .type = "group",
                                       .state = TelegramChat::State::kUpgraded,
                                       .migrated_to = kNewId},
                          TelegramChat{.id = kNewId}};
    });
    world_.add_event(event(60));
    EXPECT_EQ(once().status, 0);
    ASSERT_EQ(told(), 1U);
    for (const auto& message : world_.messages()) EXPECT_EQ(message.chat_id, kNewId);
    EXPECT_EQ(messages_with("The Telegram group has a new id").size(), 1U);
    // The next process goes there at once and says nothing more.
    world_.forget();
    world_.add_event(event(5, {{"attackId", "attack-2"}}));
    EXPECT_EQ(once().status, 0);
    ASSERT_EQ(sends().size(), 1U);
    EXPECT_EQ(world_.messages().at(0).chat_id, kNewId);
}

// The new id is in the database, and that is what is lost.
TEST_F(TelegramFaultTest, ALostDatabaseIsToldToTheGroupsNewIdAndWithoutItsTopic) {
    world_.configure_telegram([](simulator::TelegramSettings& telegram) {
        telegram.chats.front().state = simulator::TelegramChat::State::kUpgraded;
        telegram.chats.front().migrated_to = -1009999999999;
        telegram.chats.push_back({.id = -1009999999999});
    });
    configure({{"telegram", {{"message_thread_id", 99}}}});
    write("db/magic_transit.db",
          "this is no database, but long enough to be taken for one by its size alone");
    const Finished done = once();
    EXPECT_EQ(done.status, 1);
    const auto told = messages_with("Database cannot be opened");
    ASSERT_EQ(told.size(), 1U) << done.err;
    EXPECT_EQ(world_.messages().front().chat_id, -1009999999999);
}

TEST_F(TelegramFaultTest, AMissingTopicIsLeftOut) {
    configure({{"telegram", {{"message_thread_id", 77}}}});
    world_.add_event(event(60));
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    ASSERT_EQ(told(), 1U);
    EXPECT_EQ(world_.messages()[0].thread_id, std::nullopt);
    EXPECT_NE(done.err.find("forum topic does not exist"), std::string::npos) << done.err;
}

TEST_F(TelegramFaultTest, ALostAnswerRepeatsThatMessageAndNoOther) {  // B4
    for (int i = 1; i <= 3; ++i) world_.add_event(event(60, {{"attackId", "attack-" + std::to_string(i)}}));
    world_.add_fault(Fault::answer_lost().on(Target::kTelegram).times(1).skipping(1));
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    std::vector<std::string> order;
    for (const auto& message : world_.messages()) {
        order.push_back(message.text.substr(message.text.find("`attack-") + 1, 8));
    }
    EXPECT_EQ(order, (std::vector<std::string>{"attack-1", "attack-2", "attack-2", "attack-3"}));
}

TEST_F(TelegramFaultTest, ABotThatWasKickedKeepsItsMessagesUntilItIsBack) {  // B4, B13
    const auto let_in = [&](TelegramChat::State state) {
        world_.configure_telegram(
            [&](simulator::TelegramSettings& settings) { settings.chats.at(0).state = state; });
    };
    let_in(TelegramChat::State::kKicked);
    world_.add_event(event(60));
    Process daemon(command({}));
    ASSERT_TRUE(daemon.wait_for_log("condition raised condition=telegram state=chat_refused"))
        << daemon.err();
    ASSERT_TRUE(wait_for_polls(3));
    EXPECT_LE(sends().size(), 2U) << "asking more often helps nobody";
    let_in(TelegramChat::State::kMember);
    ASSERT_TRUE(wait_until_told(1, 40s)) << daemon.err();
    expect_clean_stop(daemon);
    EXPECT_EQ(told(), 1U);
}

TEST_F(TelegramFaultTest, OddAnswersLeaveTheMessageWaitingAndCrashNothing) {  // B13, B36
    world_.add_event(event(60));
    for (const Fault& fault :
         {Fault::status(500, BodyKind::kEmpty), Fault::status(502, BodyKind::kHtml), Fault::body("[1, 2"),
          Fault::body("{\"ok\":\"yes\"}"), Fault::oversized(1'000'000), Fault::gzip_garbage()}) {
        world_.set_faults({Fault{fault}.on(Target::kTelegram).times(1)});
        const Finished done = once();
        EXPECT_EQ(done.status, 0) << fault.name() << "\n" << done.err;
        EXPECT_EQ(query("SELECT count(*) FROM outbox WHERE state = 'delivered'"),
                  query("SELECT count(*) FROM outbox"));
        world_.add_event(event(5, {{"attackId", "attack-" + std::to_string(world_.messages().size() + 1)}}));
    }
    EXPECT_EQ(told(), 6U);
}

}  // namespace
}  // namespace cam::test
