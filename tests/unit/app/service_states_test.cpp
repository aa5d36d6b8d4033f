#include "app/service_states.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cam/base/clock.h"
#include "fakes/base/temp_folder.h"

namespace cam::app {
namespace {

using namespace std::chrono_literals;

/// A variable of our environment, put back at the end.
class Variable {
public:
    Variable(const char* name, const std::string& value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        ::setenv(name, value.c_str(), 1);
    }
    ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* name_;
    std::optional<std::string> before_;
};

class ServiceStatesTest : public testing::Test {
protected:
    /// From now on `systemctl` is this.
    void stub(const std::string& script) const {
        folder_.write("systemctl", "#!/bin/sh\n" + script + "\n");
        std::filesystem::permissions(folder_.file("systemctl"), std::filesystem::perms{0755});
    }
    static std::vector<ServiceState> states(std::chrono::milliseconds budget = 10s) {
        std::vector<ServiceState> out;
        for (const ServiceReport& report : service_states(
                 {{"Webhook", "cloudflare-webhook"}, {"Autowithdraw", "aw"}, {"Dashboard", "db"}}, budget)) {
            out.push_back(report.state);
        }
        return out;
    }
    static constexpr ServiceState kActive = ServiceState::kActive;
    static constexpr ServiceState kInactive = ServiceState::kInactive;
    static constexpr ServiceState kUnknown = ServiceState::kUnknown;
    using States = std::vector<ServiceState>;

    TempFolder folder_;
    Variable path_{"PATH", folder_.path()};
};

TEST_F(ServiceStatesTest, AsksOnceForAllUnitsAndKeepsTheirOrder) {
    stub("echo \"$@\" >> " + folder_.file("asked") + "\necho active; echo inactive; echo failed; exit 3");
    const auto reports =
        service_states({{"Webhook", "cloudflare-webhook"}, {"-h", "--help"}, {"Dashboard", "db"}}, 10s);
    ASSERT_EQ(reports.size(), 3U);
    EXPECT_EQ(reports[0].label, "Webhook");
    EXPECT_EQ(reports[1].label, "-h");
    EXPECT_EQ(states(), (States{kActive, kInactive, kInactive}));
    EXPECT_EQ(folder_.read("asked"),
              "is-active -- cloudflare-webhook --help db\nis-active -- cloudflare-webhook aw db\n")
        << "a unit's name is never an option";
}

TEST_F(ServiceStatesTest, KnowsSystemdsOtherStates) {
    stub("echo reloading; echo activating; echo deactivating");
    EXPECT_EQ(states(), (States{kActive, kInactive, kInactive}));
    stub("echo unknown; echo maintenance; echo ACTIVE");
    EXPECT_EQ(states(), (States{kUnknown, kUnknown, kUnknown}));
}

TEST_F(ServiceStatesTest, AsksNobodyAboutNoServices) {
    stub("echo > " + folder_.file("asked"));
    EXPECT_TRUE(service_states({}, 10s).empty());
    EXPECT_FALSE(std::filesystem::exists(folder_.file("asked")));
}

// B24: whatever hangs must not hold up the start or the end.
TEST_F(ServiceStatesTest, GivesUpOnOneThatHangs) {
    const SystemClock clock;
    const SteadyTime begin = clock.steady();
    stub("echo active\nexec /bin/sleep 600");
    // One line may or may not come in time on a busy machine; the others never do.
    const States got = states(300ms);
    EXPECT_EQ((States{got[1], got[2]}), (States{kUnknown, kUnknown}));
    stub("exec >&-\nexec /bin/sleep 600");
    EXPECT_EQ(states(5s), (States{kUnknown, kUnknown, kUnknown})) << "silent for good: no need to wait";
    stub("trap '' TERM INT HUP\nwhile :; do :; done");
    EXPECT_EQ(states(200ms), (States{kUnknown, kUnknown, kUnknown}));
    EXPECT_LT(clock.steady() - begin, 60s);
}

TEST_F(ServiceStatesTest, KnowsNothingWithoutSystemctl) {
    EXPECT_EQ(states(), (States{kUnknown, kUnknown, kUnknown}));
    folder_.write("systemctl", "not executable");
    EXPECT_EQ(states(), (States{kUnknown, kUnknown, kUnknown}));
}

TEST_F(ServiceStatesTest, TakesGarbageForNoAnswer) {
    for (const char* script :
         {"", "exit 1", "printf active", "printf '\\000\\n\\377\\n\\n'",
          "echo System has not been booted with systemd", "echo; echo; echo",
          "while :; do printf '%s' xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"}) {
        stub(script);
        EXPECT_EQ(states(), (States{kUnknown, kUnknown, kUnknown})) << script;
    }
    stub("echo active; printf inactive");
    EXPECT_EQ(states(), (States{kActive, kUnknown, kUnknown})) << "a line that was cut off is not believed";
}

// B35: tokens reach no other program.
TEST_F(ServiceStatesTest, KeepsTokensFromTheChild) {
    const Variable cloudflare("CLOUDFLARE_API_TOKEN", "SeCrEtCloudflare");
    const Variable telegram("TELEGRAM_BOT_TOKEN", "1:SeCrEtTelegram");
    const Variable other("CAM_TEST_VARIABLE", "handed on");
    stub("/usr/bin/env > " + folder_.file("environment") + "\necho active");
    EXPECT_EQ(states().front(), kActive);
    const std::string environment = folder_.read("environment");
    EXPECT_EQ(environment.find("SeCrEt"), std::string::npos) << environment;
    EXPECT_EQ(environment.find("TOKEN"), std::string::npos) << environment;
    EXPECT_NE(environment.find("CAM_TEST_VARIABLE=handed on"), std::string::npos) << environment;
}

}  // namespace
}  // namespace cam::app
