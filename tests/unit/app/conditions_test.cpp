#include "app/conditions.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "fakes/app/log_book.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"

namespace cam::app {
namespace {

class ConditionsTest : public testing::Test {
protected:
    void SetUp() override { store_ = open(); }
    std::unique_ptr<store::SqliteStore> open() const {
        auto opened = store::SqliteStore::open({.path = folder_.file("magic_transit.db"),
                                                .access = store::Access::kReadWrite,
                                                .busy = std::chrono::milliseconds{50}});
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
        return std::move(opened).value();
    }
    static Trouble refused(const char* state = "unauthorized", Tell tell = Tell::kLogAndSoc) {
        return {.state = state,
                .headline = fmt::format("Cloudflare says {}", state),
                .details = {"ray 1", "ray 2"},
                .tell = tell};
    }
    /// The texts that wait in the outbox, oldest first; they are taken out.
    std::vector<std::string> queued() {
        std::vector<std::string> texts;
        while (true) {
            const auto next = store_->next_message();
            EXPECT_TRUE(next) << next.error().detail;
            if (!next || !*next) return texts;
            EXPECT_EQ((*next)->message.kind, MessageKind::kStatus);
            texts.push_back((*next)->message.text);
            EXPECT_TRUE(store_->mark_delivered((*next)->id, clock_.wall(), 1));
        }
    }
    static bool has(const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    }

    TempFolder folder_;
    FakeClock clock_;
    LogBook book_;
    std::unique_ptr<store::SqliteStore> store_;
    const notify::RenderOptions render_{.organization = "TEST SOC", .geoip = std::nullopt};
    Conditions conditions_{clock_, book_.logger(), render_};
};

// B6: an outage is told, and told once.
TEST_F(ConditionsTest, TellsATroubleOnceAndAgainWhenItChanges) {
    EXPECT_FALSE(conditions_.wrong(Condition::kCloudflare));
    for (int poll = 0; poll < 3; ++poll) conditions_.raise(Condition::kCloudflare, refused(), store_.get());
    std::vector<std::string> texts = queued();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "⚠️ *Cloudflare says unauthorized*")) << texts[0];
    EXPECT_TRUE(has(texts[0], "ray 1\nray 2")) << texts[0];
    EXPECT_TRUE(has(texts[0], "TEST SOC")) << texts[0];
    EXPECT_EQ(book_.count("condition raised condition=cloudflare state=unauthorized"), 1U) << book_.text();
    EXPECT_TRUE(conditions_.wrong(Condition::kCloudflare));
    EXPECT_FALSE(conditions_.wrong(Condition::kDatabase));
    EXPECT_EQ(conditions_.problems(), std::vector<std::string>{"Cloudflare says unauthorized"});

    conditions_.raise(Condition::kCloudflare, refused("forbidden"), store_.get());
    texts = queued();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare says forbidden")) << texts[0];
    EXPECT_EQ(conditions_.problems(), std::vector<std::string>{"Cloudflare says forbidden"});
}

TEST_F(ConditionsTest, TellsARecoveryOnceAndOnlyAfterATrouble) {
    conditions_.clear(Condition::kCloudflare, "Cloudflare answers again", store_.get());
    EXPECT_TRUE(queued().empty()) << "nothing was wrong";
    EXPECT_EQ(book_.text(), "");

    conditions_.raise(Condition::kCloudflare, refused(), store_.get());
    for (int poll = 0; poll < 3; ++poll) {
        conditions_.clear(Condition::kCloudflare, "Cloudflare answers again", store_.get());
    }
    const std::vector<std::string> texts = queued();
    ASSERT_EQ(texts.size(), 2U);
    EXPECT_TRUE(has(texts[1], "✅ *Cloudflare answers again*")) << texts[1];
    EXPECT_EQ(book_.count("condition cleared condition=cloudflare"), 1U) << book_.text();
    EXPECT_TRUE(conditions_.problems().empty());

    conditions_.raise(Condition::kCloudflare, refused(), store_.get());
    EXPECT_EQ(queued().size(), 1U) << "a second trouble is news";
}

TEST_F(ConditionsTest, TellsNothingTwiceAfterARestart) {
    conditions_.raise(Condition::kCloudflare, refused(), store_.get());
    EXPECT_EQ(queued().size(), 1U);
    store_ = open();
    Conditions next(clock_, book_.logger(), render_);
    next.raise(Condition::kCloudflare, refused(), store_.get());
    EXPECT_TRUE(queued().empty());
    EXPECT_TRUE(next.wrong(Condition::kCloudflare));

    store_ = open();
    Conditions last(clock_, book_.logger(), render_);
    last.clear(Condition::kCloudflare, "Cloudflare answers again", store_.get());
    EXPECT_EQ(queued().size(), 1U) << "an earlier process told the trouble, so its end is news";
    Conditions after(clock_, book_.logger(), render_);
    after.clear(Condition::kCloudflare, "Cloudflare answers again", store_.get());
    EXPECT_TRUE(queued().empty());
}

TEST_F(ConditionsTest, KeepsConditionsApart) {
    conditions_.raise(Condition::kCloudflare, refused(), store_.get());
    conditions_.raise(Condition::kTruncated, refused("truncated"), store_.get());
    conditions_.clear(Condition::kTruncated, "Answers are whole again", store_.get());
    EXPECT_EQ(queued().size(), 3U);
    EXPECT_TRUE(conditions_.wrong(Condition::kCloudflare));
    EXPECT_FALSE(conditions_.wrong(Condition::kTruncated));
}

TEST_F(ConditionsTest, QueuesNothingThatIsForTheLogOnly) {
    conditions_.raise(Condition::kPreferences, refused("missing", Tell::kLog), store_.get());
    conditions_.raise(Condition::kPreferences, refused("unreadable", Tell::kLog), nullptr);
    EXPECT_EQ(conditions_.problems().size(), 1U);
    conditions_.clear(Condition::kPreferences, "readable again", store_.get());
    EXPECT_TRUE(queued().empty());
    EXPECT_TRUE(conditions_.take_unqueued().empty());
    EXPECT_EQ(book_.count("condition raised condition=preferences"), 2U) << book_.text();
    EXPECT_EQ(book_.count("condition cleared condition=preferences"), 1U) << book_.text();
}

TEST_F(ConditionsTest, TellsPastTheDatabaseWhereThereIsNone) {
    conditions_.raise(Condition::kDatabase, refused("full"), nullptr);
    conditions_.raise(Condition::kDatabase, refused("full"), nullptr);
    std::deque<UnqueuedMessage> past = conditions_.take_unqueued();
    ASSERT_EQ(past.size(), 1U);
    EXPECT_TRUE(has(past[0].message.text, "Cloudflare says full"));
    EXPECT_TRUE(conditions_.take_unqueued().empty()) << "whoever takes them has them";
    conditions_.put_back(std::move(past));
    EXPECT_EQ(conditions_.take_unqueued().size(), 1U);

    // The table knows nothing of the trouble, yet its end is told.
    conditions_.clear(Condition::kDatabase, "Database is written again", store_.get());
    std::vector<std::string> texts = queued();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Database is written again"));
    conditions_.clear(Condition::kDatabase, "Database is written again", store_.get());
    EXPECT_TRUE(queued().empty());

    conditions_.raise(Condition::kDatabase, refused("full"), nullptr);
    conditions_.clear(Condition::kDatabase, "Database is written again", nullptr);
    past = conditions_.take_unqueued();
    ASSERT_EQ(past.size(), 2U) << "trouble and recovery, in this order";
    EXPECT_TRUE(has(past[1].message.text, "Database is written again"));
}

TEST_F(ConditionsTest, TellsPastADatabaseThatTakesNoMessage) {
    auto reading = store::SqliteStore::open(
        {.path = folder_.file("magic_transit.db"), .access = store::Access::kReadOnly, .busy = {}});
    ASSERT_TRUE(reading) << reading.error().detail;
    conditions_.raise(Condition::kDatabase, refused("unwritable"), reading->get());
    EXPECT_EQ(conditions_.take_unqueued().size(), 1U);
    EXPECT_EQ(book_.count("error status message could not be queued condition=database"), 1U) << book_.text();
    conditions_.clear(Condition::kDatabase, "Database is written again", reading->get());
    EXPECT_EQ(conditions_.take_unqueued().size(), 1U);
    EXPECT_TRUE(queued().empty());
}

TEST_F(ConditionsTest, KeepsInMindOverProcessesWhatWasSentPastTheDatabase) {
    const std::string database = folder_.file("magic_transit.db");
    const auto process = [&] {
        return std::make_unique<Conditions>(clock_, book_.logger(), render_, database);
    };
    const auto first = process();
    first->raise(Condition::kDatabase, refused("full"), nullptr);
    ASSERT_EQ(first->take_unqueued().size(), 1U);

    const auto second = process();
    second->raise(Condition::kDatabase, refused("full"), nullptr);
    const std::deque<UnqueuedMessage> past = second->take_unqueued();
    ASSERT_EQ(past.size(), 1U) << "the first process died before it was sent";
    second->sent(past.front());

    const auto third = process();
    third->raise(Condition::kDatabase, refused("full"), nullptr);
    EXPECT_TRUE(third->take_unqueued().empty());
    EXPECT_TRUE(third->wrong(Condition::kDatabase));
    EXPECT_EQ(book_.count("info an earlier process has told it past the database condition=database"), 1U);
    third->raise(Condition::kDatabase, refused("unwritable"), nullptr);
    EXPECT_EQ(third->take_unqueued().size(), 1U) << "another kind of trouble is news";
    third->raise(Condition::kClock, refused("wrong"), nullptr);
    EXPECT_EQ(third->take_unqueued().size(), 1U) << "so is another condition";

    process()->clear(Condition::kDatabase, "Database is written again", store_.get());
    EXPECT_EQ(queued().size(), 1U);
    process()->clear(Condition::kDatabase, "Database is written again", store_.get());
    EXPECT_TRUE(queued().empty()) << "once";
    const auto last = process();
    last->raise(Condition::kDatabase, refused("full"), nullptr);
    EXPECT_EQ(last->take_unqueued().size(), 1U) << "the next outage is news again";
}

TEST_F(ConditionsTest, TellsAtEachStartWhatItCannotKeepInMind) {
    for (int i = 0; i < 2; ++i) {
        Conditions process(clock_, book_.logger(), render_, folder_.file("missing/magic_transit.db"));
        process.raise(Condition::kDatabase, refused("full"), nullptr);
        const std::deque<UnqueuedMessage> past = process.take_unqueued();
        ASSERT_EQ(past.size(), 1U);
        process.sent(past.front());
    }
    EXPECT_EQ(book_.count("warning cannot keep in mind what was told"), 2U) << book_.text();
}

TEST_F(ConditionsTest, HoldsABoundedNumberOfMessagesPastTheDatabase) {
    for (int i = 0; i < 200; ++i) {
        conditions_.raise(Condition::kDatabase, refused(fmt::format("state-{}", i).c_str()), nullptr);
    }
    EXPECT_EQ(conditions_.take_unqueued().size(), 64U);
}

TEST_F(ConditionsTest, WritesWhatCameFromOutsideAsOneLogLine) {
    conditions_.raise(
        Condition::kCloudflare,
        {.state = "refused", .headline = "a\nb", .details = {"c\nerror forged line"}, .tell = Tell::kLog},
        nullptr);
    EXPECT_EQ(book_.count(""), 1U) << book_.text();
}

TEST_F(ConditionsTest, HasANameOfItsOwnForEachCondition) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kConditionCount; ++i) names.emplace_back(name(static_cast<Condition>(i)));
    EXPECT_EQ(names,
              (std::vector<std::string>{
                  "cloudflare", "database", "telegram", "geoip", "preferences", "api_listener", "log_file",
                  "clock", "truncated", "progress", "flow_listener", "flow_store", "flow_exporters",
                  "flow_silence", "clickhouse", "clickhouse_writer", "kafka_producer", "second_judge"}));
}

}  // namespace
}  // namespace cam::app
