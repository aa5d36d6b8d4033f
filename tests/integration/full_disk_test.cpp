// A full disk loses no event, and the SOC hears of it past the database.

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "integration/loss_fixture.h"

namespace cam::test {
namespace {

/// A small disk of one's own under a folder. Needs root.
class SmallDisk {
public:
    SmallDisk(std::string folder, const char* options) : folder_(std::move(folder)) {
        fs::create_directories(folder_);
        mounted_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, options) == 0;
    }
    ~SmallDisk() {
        if (mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    [[nodiscard]] bool mounted() const { return mounted_; }

    /// Until not one byte fits any more.
    void fill() const {
        const int filler = ::open(filler_file().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ASSERT_GE(filler, 0);
        const std::string block(4096, 'x');
        for (std::size_t step = block.size(); step > 0; step /= 2) {
            while (::write(filler, block.data(), step) > 0) {
            }
        }
        ::close(filler);
    }
    void make_room() const { fs::remove(filler_file()); }

private:
    [[nodiscard]] std::string filler_file() const { return folder_ + "/filler"; }
    std::string folder_;
    bool mounted_ = false;
};
class FullDiskTest : public LossTest {
protected:
    void SetUp() override {
        LossTest::SetUp();
        disk_ = std::make_unique<SmallDisk>(file("db"), "size=4m");
        if (!disk_->mounted()) GTEST_SKIP() << "SKIPPED: a small disk cannot be mounted (needs root)";
    }
    [[nodiscard]] bool wait_for_text(const std::string& part) const {
        return world_.wait_until([&](const auto&) { return !messages_with(part).empty(); }, 60s);
    }

    std::unique_ptr<SmallDisk> disk_;
};

TEST_F(FullDiskTest, IsToldPastTheDatabaseOnceAndEverythingElseOnceThereIsRoom) {
    Process daemon(command({}));
    add_wave(1);
    ASSERT_TRUE(wait_for_waves(1)) << daemon.err();
    ASSERT_TRUE(
        eventually([&] { return query("SELECT count(*) FROM outbox WHERE state = 'delivered'") == "2"; }));
    disk_->fill();
    add_wave(2);
    add_wave(3);
    ASSERT_TRUE(wait_for_text("Database cannot be written")) << daemon.err();
    const std::size_t polls = world_.requests(Target::kGraphql).size();
    ASSERT_TRUE(world_.wait_for_requests(Target::kGraphql, polls + 4));
    EXPECT_NE(daemon.err().find("claim failed"), std::string::npos) << daemon.err();
    EXPECT_EQ(told_waves(), numbers_to(1));
    EXPECT_EQ(messages_with("*Database cannot be written").size(), 1U);
    disk_->make_room();
    ASSERT_TRUE(wait_for_waves(3)) << daemon.err();
    ASSERT_TRUE(wait_for_text("Database is written again")) << daemon.err();
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(3));
    EXPECT_EQ(messages_with("*Database cannot be written").size(), 1U);
    EXPECT_EQ(messages_with("Database is written again").size(), 1U);
    expect_stored_once(3);
}

TEST_F(FullDiskTest, IsToldAlsoWhileADeliveryCannotBeWrittenDown) {
    world_.add_fault(Fault::stall(1s).on(Target::kTelegram).when_body_has("Wave 0001"));
    Process daemon(command({}));
    add_wave(1);
    ASSERT_TRUE(wait_for_waves(1)) << daemon.err();  // accepted, the answer is on its way
    disk_->fill();
    ASSERT_TRUE(daemon.wait_for_log("delivery cannot be written down")) << daemon.err();
    add_wave(2);
    EXPECT_TRUE(wait_for_text("Database cannot be written")) << daemon.err();
    disk_->make_room();
    ASSERT_TRUE(wait_for_waves(2)) << daemon.err();
    expect_clean_stop(daemon);
    EXPECT_EQ(told_waves(), numbers_to(2)) << "what was delivered is not sent again";
    expect_stored_once(2);
}

TEST_F(FullDiskTest, FailsASinglePollAndTheNextOneTellsEverything) {
    ASSERT_EQ(once().status, 0);
    disk_->fill();
    add_wave(1);
    const Finished full = once();
    EXPECT_EQ(full.status, 1) << full.err;
    EXPECT_TRUE(told_waves().empty());
    EXPECT_TRUE(full.err.find("is full") != std::string::npos ||
                full.err.find("No space left") != std::string::npos)
        << full.err;
    disk_->make_room();
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(told_waves(), numbers_to(1));
    expect_stored_once(1);
}

// SQLite makes -wal and -shm before it can even read.
TEST_F(FullDiskTest, SinglePollsThatCannotOpenTheDatabaseTellItOnceAndThatItIsOver) {
    ASSERT_EQ(once().status, 0);
    for (const char* ending : {"-wal", "-shm"}) std::filesystem::remove(file("db/magic_transit.db") + ending);
    disk_->fill();
    add_wave(1);
    for (int run = 0; run < 3; ++run) {
        const Finished full = once();
        EXPECT_EQ(full.status, 1) << full.err;
        EXPECT_NE(full.err.find("cannot start reason="), std::string::npos) << full.err;
    }
    Process daemon(command({}));
    EXPECT_EQ(daemon.wait(), 1) << daemon.err();
    EXPECT_EQ(messages_with("*Database cannot be opened").size(), 1U);
    EXPECT_EQ(run(command({"notify", "The watchdog says hello"})).status, 0);
    EXPECT_EQ(messages_with("The watchdog says hello").size(), 1U) << "what cannot be queued goes at once";
    disk_->make_room();
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(once().status, 0);
    EXPECT_EQ(messages_with("Database is written again").size(), 1U);
    EXPECT_EQ(messages_with("*Database cannot be opened").size(), 1U);
    EXPECT_EQ(told_waves(), numbers_to(1));
    expect_stored_once(1);
}

}  // namespace
}  // namespace cam::test
