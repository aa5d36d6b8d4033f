// No event is lost and none is told twice: the program against kill -9, outages, locks, itself.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>

#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "integration/loss_fixture.h"

namespace cam::test {
namespace {

/// Another program's write lock on a database.
class WriteLock {
public:
    explicit WriteLock(const std::string& path) {
        sqlite3* handle = nullptr;
        EXPECT_EQ(::sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
        handle_.reset(handle);
        ::sqlite3_busy_timeout(handle, 20'000);
        EXPECT_EQ(::sqlite3_exec(handle, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
    }

private:
    struct Close {
        void operator()(sqlite3* handle) const { ::sqlite3_close(handle); }  // rolls back
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

class HeavyLossTest : public LossTest {
protected:
    /// How often Telegram had accepted something when each kill hit.
    std::vector<std::size_t> kills_;

    /// Starts the daemon and kills it after `life`, or at the moment Telegram accepts its first message.
    void live_and_die(std::optional<std::chrono::milliseconds> life) {
        const std::size_t before = world_.messages().size();
        Process daemon(command({}));
        if (life) {
            pause(*life);
        } else {
            static_cast<void>(world_.wait_for_messages(before + 1, 2s));
        }
        ASSERT_TRUE(daemon.running()) << daemon.err();
        daemon.signal(SIGKILL);
        ASSERT_EQ(daemon.wait(), 128 + SIGKILL);
        kills_.push_back(world_.messages().size());
    }

    /// Accepted messages agree with the table: every row of it in its order, and a message that the table
    /// does not know only as the last one before a kill, repeated at once by the next process. Returns how
    /// many those are.
    [[nodiscard]] int count_repetitions() const {
        const std::vector<DeliveredMessage> accepted = world_.messages();
        std::vector<std::int64_t> marked;
        for (const json& row : rows("telegram_message_id", "outbox ORDER BY id")) marked.push_back(row.at(0));
        EXPECT_TRUE(std::is_sorted(marked.begin(), marked.end())) << "the order was not kept";
        int repetitions = 0;
        for (std::size_t i = 0; i < accepted.size(); ++i) {
            if (std::binary_search(marked.begin(), marked.end(), accepted[i].message_id)) continue;
            ++repetitions;
            if (i + 1 == accepted.size()) {
                ADD_FAILURE() << "accepted, not marked and never repeated: " << accepted[i].text;
                break;
            }
            EXPECT_EQ(accepted[i].text, accepted[i + 1].text) << "not repeated at once";
            EXPECT_NE(accepted[i].connection, accepted[i + 1].connection) << "one process told it twice";
            // A request that was on its way when the process died may be accepted a moment later.
            const bool killed = std::any_of(kills_.begin(), kills_.end(),
                                            [&](std::size_t at) { return at == i || at == i + 1; });
            EXPECT_TRUE(killed) << "no kill explains the repetition of " << accepted[i].text;
        }
        return repetitions;
    }
};

TEST_F(HeavyLossTest, NothingIsLostHoweverOftenTheDaemonIsKilled) {  // B4, B5
    constexpr int kRandomRounds = 200;
    constexpr int kAimedRounds = 20;
    constexpr int kRounds = kRandomRounds + kAimedRounds;
    const std::uint32_t seed = std::random_device{}();
    std::printf("seed %u\n", seed);
    std::mt19937 random(seed);
    // Up to 400 ms, more often early: most of what a daemon does, it does in the first moments.
    std::uniform_real_distribution<double> draw(0.0, 1.0);
    const auto life = [&] {
        const double share = draw(random);
        return std::chrono::milliseconds{static_cast<int>(400 * share * share)};
    };
    ASSERT_EQ(once().status, 0);
    for (int round = 1; round <= kRounds && !HasFailure(); ++round) {
        add_wave(round);
        const bool aimed = round % (kRounds / kAimedRounds) == 0;
        live_and_die(aimed ? std::nullopt : std::optional{life()});
        // Not each time: the daemon, too, is to find the files as a killed process leaves them.
        if (round % 4 != 0) let_a_minute_pass();
    }
    let_a_minute_pass();
    const std::string waiting = query("SELECT count(*) FROM outbox WHERE state = 'waiting'");
    const Finished last = run(command({"--once"}), 600s);
    EXPECT_EQ(last.status, 0) << last.err;

    expect_stored_once(kRounds);
    std::vector<int> told = told_waves();
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
    told.erase(std::unique(told.begin(), told.end()), told.end());
    EXPECT_EQ(told, numbers_to(kRounds));
    const int repetitions = count_repetitions();
    EXPECT_LE(repetitions, kAimedRounds + kRandomRounds / 5);
    std::printf("%d kills, %zu messages, %d told twice, %s left to the last run\n", kRounds,
                world_.messages().size(), repetitions, waiting.c_str());
}

TEST_F(HeavyLossTest, AKillDuringTheFirstStartLeavesWhatTheNextStartCanUse) {  // B1
    add_wave(1);
    std::mt19937 random(std::random_device{}());
    std::uniform_int_distribution<int> life(5, 80);
    for (int round = 0; round < 30 && !HasFailure(); ++round) {
        fs::remove_all(file("db"));
        world_.forget();
        kills_.clear();
        live_and_die(std::chrono::milliseconds{life(random)});
        const Finished next = once();
        ASSERT_EQ(next.status, 0) << next.err;
        expect_stored_once(1);
        EXPECT_GE(told_waves().size(), 1U);
        static_cast<void>(count_repetitions());
    }
}

TEST_F(LossTest, WhatHappensWhileTelegramIsDownArrivesInOrderAndOnce) {  // B4, B13, B23
    constexpr int kWaves = 6;
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    world_.set_faults({Fault::reset().on(Target::kTelegram).times(1),
                       Fault::status(503).on(Target::kTelegram).times(1),
                       Fault::hang_up().on(Target::kTelegram).times(1),
                       Fault::status(502, simulator::BodyKind::kHtml).on(Target::kTelegram)});
    for (int number = 1; number <= kWaves; ++number) {
        add_wave(number);
        // Polling goes on although nobody can be told.
        ASSERT_TRUE(eventually([&] {
            return query("SELECT count(*) FROM outbox WHERE state = 'waiting'") == std::to_string(number);
        })) << daemon.err();
    }
    EXPECT_TRUE(told_waves().empty());
    ASSERT_TRUE(daemon.wait_for_log("condition raised condition=telegram", 20s)) << daemon.err();
    world_.clear_faults();
    ASSERT_TRUE(wait_for_waves(kWaves, 40s)) << daemon.err();
    EXPECT_TRUE(daemon.wait_for_log("condition cleared condition=telegram"));
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(kWaves));
    expect_stored_once(kWaves);
}

TEST_F(LossTest, AHangingTelegramDoesNotStopPolling) {  // B23
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    world_.add_fault(Fault::stall().on(Target::kTelegram).times(1));
    add_wave(1);
    ASSERT_TRUE(eventually([&] {
        const auto requests = world_.requests(Target::kTelegram);
        return !requests.empty() && requests.back().fault == "stall";
    }));
    const std::size_t polls = world_.requests(Target::kGraphql).size();
    EXPECT_TRUE(world_.wait_for_requests(Target::kGraphql, polls + 5));
    EXPECT_TRUE(told_waves().empty());
    ASSERT_TRUE(wait_for_waves(1, 40s)) << daemon.err();
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(1));
}

TEST_F(LossTest, HoursWithoutCloudflareAreCaughtUpAndSaid) {  // B5, B6
    ASSERT_EQ(once().status, 0);
    say_polling_ended("5 hours");
    world_.add_fault(Fault::status(503, simulator::BodyKind::kHtml).on(Target::kGraphql));
    Process daemon(command({}));
    ASSERT_TRUE(daemon.wait_for_log("poll failed: cloudflare query failed kind=transient")) << daemon.err();
    ASSERT_TRUE(world_.wait_for_requests(Target::kGraphql, 5));
    const std::vector<int> minutes_ago{295, 240, 180, 120, 60, 20};
    std::vector<int> expected;
    for (const int minutes : minutes_ago) {
        const int number = static_cast<int>(expected.size()) + 1;
        world_.add_event(event(minutes * 60, {{"attackId", "wave-" + wave_name(number)},
                                              {"attackVector", "Wave " + wave_name(number)}}));
        expected.push_back(number);
    }
    EXPECT_TRUE(told_waves().empty());
    EXPECT_EQ(daemon.err().find("poll completed"), std::string::npos) << "an outage looked like peace";
    world_.clear_faults();
    ASSERT_TRUE(wait_for_waves(expected.size())) << daemon.err();
    EXPECT_TRUE(daemon.wait_for_log("catching up gap=\"5 h")) << daemon.err();
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), expected);
    const auto started = messages_with("STARTED");
    ASSERT_EQ(started.size(), 1U);
    EXPECT_NE(started[0].find("Gap: 5 h"), std::string::npos) << started[0];
    EXPECT_EQ(started[0].find("not covered"), std::string::npos) << started[0];
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), std::to_string(expected.size()));
}

TEST_F(LossTest, WhatCatchingUpCannotReachIsSaid) {  // B5
    ASSERT_EQ(once().status, 0);
    say_polling_ended("30 hours");
    world_.add_event(event(26 * 3600, {{"attackVector", "Wave 0001"}}));
    world_.add_event(event(20 * 3600, {{"attackVector", "Wave 0002"}}));
    Process daemon(command({}));
    ASSERT_TRUE(wait_for_waves(1));
    EXPECT_TRUE(daemon.wait_for_log("not_covered=\"6 h"));
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), std::vector<int>{2});
    EXPECT_EQ(messages_with("not covered: 6 h").size(), 1U) << world_.messages()[0].text;
}

TEST_F(LossTest, ADatabaseLockedForTenSecondsDelaysAndLosesNothing) {  // B26
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    std::unique_ptr<Process> cron;
    {
        const WriteLock lock(database());
        add_wave(1);
        cron = std::make_unique<Process>(command({"--once"}));
        EXPECT_FALSE(wait_for_waves(1, 5s)) << "told before it was claimed";
        add_wave(2);
        EXPECT_FALSE(wait_for_waves(1, 5s));
    }
    ASSERT_TRUE(wait_for_waves(2)) << daemon.err();
    EXPECT_EQ(cron->wait(), 0) << cron->err();
    add_wave(3);
    ASSERT_TRUE(wait_for_waves(3)) << daemon.err();
    expect_clean_stop(daemon);
    EXPECT_EQ(daemon.err().find("claim failed"), std::string::npos) << daemon.err();
    EXPECT_EQ(told_waves(), numbers_to(3));
    expect_stored_once(3);
}

TEST_F(HeavyLossTest, ADatabaseLockedForLongerThanThePatienceIsToldPastIt) {  // B26
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    {
        const WriteLock lock(database());
        add_wave(1);
        ASSERT_TRUE(world_.wait_until(
            [&](const auto&) { return !messages_with("Database cannot be written").empty(); }, 70s))
            << daemon.err();
        EXPECT_TRUE(told_waves().empty());
    }
    ASSERT_TRUE(wait_for_waves(1, 60s)) << daemon.err();
    EXPECT_TRUE(world_.wait_until(
        [&](const auto&) { return !messages_with("Database is written again").empty(); }, 30s));
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(1));
    EXPECT_EQ(messages_with("Database cannot be written").size(), 1U);
    EXPECT_EQ(messages_with("Database is written again").size(), 1U);
    expect_stored_once(1);
}

TEST_F(LossTest, TenSinglePollsAtOnceOnAFreshInstallTellEachEventOnce) {  // B33
    constexpr int kWaves = 3;
    for (int number = 1; number <= kWaves; ++number) add_wave(number);
    std::vector<std::unique_ptr<Process>> polls;
    for (int i = 0; i < 10; ++i) polls.push_back(std::make_unique<Process>(command({"--once"})));
    for (auto& poll : polls) EXPECT_EQ(poll->wait(60s), 0) << poll->err();
    EXPECT_EQ(told_waves(), numbers_to(kWaves));
    expect_stored_once(kWaves);
}

TEST_F(LossTest, TenSinglePollsBesideTheDaemonTellEachEventOnce) {  // B33
    constexpr int kRounds = 2;
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1));
    for (int round = 1; round <= kRounds; ++round) {
        add_wave(round);
        std::vector<std::unique_ptr<Process>> polls;
        for (int i = 0; i < 10; ++i) polls.push_back(std::make_unique<Process>(command({"--once"})));
        for (auto& poll : polls) EXPECT_EQ(poll->wait(60s), 0) << poll->err();
        ASSERT_TRUE(wait_for_waves(static_cast<std::size_t>(round))) << daemon.err();
    }
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(kRounds));
    expect_stored_once(kRounds);
}

TEST_F(LossTest, AHangingDaemonDoesNotKeepASinglePollFromTelling) {  // B23
    configure({{"monitor", {{"poll_interval_seconds", 300}}}});
    Process daemon(command({}));
    ASSERT_TRUE(world_.wait_for_messages(1)) << daemon.err();
    ASSERT_TRUE(eventually([&] {
        const int lock = ::open((database() + ".delivery-lock").c_str(), O_RDWR | O_CLOEXEC);
        const bool free = ::flock(lock, LOCK_EX | LOCK_NB) == 0;
        ::close(lock);
        return free;
    })) << "an idle daemon keeps the delivery to itself";
    daemon.signal(SIGSTOP);
    add_wave(1);
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(told_waves(), numbers_to(1));
    daemon.signal(SIGCONT);
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(1));
}

/// A line of /proc/PID/status in KiB.
long status_kib(pid_t process, const std::string& key) {
    const std::string text = read_text("/proc/" + std::to_string(process) + "/status");
    const std::size_t at = text.find(key + ":");
    return at == std::string::npos ? -1 : std::stol(text.substr(at + key.size() + 1));
}

TEST_F(HeavyLossTest, TwentyFiveThousandEventsAreStoredAndToldInOneMessagePerAttack) {  // B2, B3
    constexpr int kMany = 25'000;
    constexpr int kAttacks = 5;
    configure({{"monitor", {{"poll_interval_seconds", 5}}}});
    add_wave(1, kMany);
    Process daemon(command({}));
    ASSERT_TRUE(wait_for_waves(1, 60s)) << daemon.err();
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), std::to_string(kMany));

    std::vector<json> all;
    for (int number = 2; number <= 1 + kAttacks; ++number) {
        for (json& one : wave(number, kMany / kAttacks)) all.push_back(std::move(one));
    }
    world_.clear_events();
    world_.add_events(all);
    ASSERT_TRUE(wait_for_waves(1 + kAttacks, 60s)) << daemon.err();
    // A machine so busy that an answer of the simulator comes too late has some told twice: until all are
    // done.
    ASSERT_TRUE(eventually([&] {
        return query("SELECT count(*) FROM outbox WHERE state = 'waiting'") == "0" &&
               query("SELECT count(*) FROM network_analytics_events") == std::to_string(2 * kMany);
    })) << daemon.err();
    // What the next poll asks again is known.
    world_.forget();
    ASSERT_TRUE(world_.wait_for_requests(Target::kGraphql, 4, 20s));
    ASSERT_TRUE(daemon.wait_for_log("new=0 duplicate=25000", 20s)) << daemon.err();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LT(status_kib(daemon.pid(), "VmRSS"), 80 * 1024);
#endif
    std::printf("VmRSS %ld KiB, VmHWM %ld KiB\n", status_kib(daemon.pid(), "VmRSS"),
                status_kib(daemon.pid(), "VmHWM"));
    expect_clean_stop(daemon);
    EXPECT_TRUE(told_waves().empty()) << "told again";
    EXPECT_EQ(query("SELECT count(*) FROM outbox WHERE kind = 'attack'"), std::to_string(1 + kAttacks));
    EXPECT_EQ(daemon.err().find("condition=truncated"), std::string::npos) << daemon.err();
}

TEST_F(LossTest, MoreEventsInASecondThanAPageHoldsAreSaidToBeCut) {  // B2
    simulator::DatasetLimits limits;
    limits.max_page_size = 20;
    world_.set_limits(limits);
    const std::string second = simulator::moment_text(world_.now() - 30s);
    std::vector<json> crowd;
    for (int i = 0; i < 30; ++i) {
        crowd.push_back(
            event(0, {{"datetime", second}, {"ipSourceAddress", "91.100.0." + std::to_string(i)}}));
        crowd.back().erase("at_seconds_ago");
    }
    world_.add_events(crowd);
    const Finished done = once();
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(messages_with("Cloudflare's answer was cut").size(), 1U) << done.err;
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(messages_with("Cloudflare's answer was cut").size(), 1U) << "told again";
}

}  // namespace
}  // namespace cam::test
