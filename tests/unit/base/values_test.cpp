// The small values that everything else is made of: Result, Secret, Backoff and the clocks, real and fake.

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "cam/base/backoff.h"
#include "cam/base/clock.h"
#include "cam/base/edit_distance.h"
#include "cam/base/listen_error.h"
#include "cam/base/masked.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "fakes/base/fake_clock.h"

namespace cam {
namespace {

using namespace std::chrono_literals;

// --- edit_distance ---

TEST(EditDistanceTest, CountsBytesThatAreAddedTakenAwayOrReplaced) {
    EXPECT_EQ(edit_distance("duration", "duration"), 0U);
    EXPECT_EQ(edit_distance("duraton", "duration"), 1U);
    EXPECT_EQ(edit_distance("durations", "duration"), 1U);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(edit_distance("", "abc"), 3U);
    EXPECT_EQ(edit_distance("abc", ""), 3U);
}

// --- Result ---

Result<int> parsed(bool well) {
    if (well) return 7;
    return Error{ErrorCode::kInvalid, "no number"};
}

TEST(ListenErrorTest, TellsAPortThatIsTakenFromAnAddressThatIsWrongAndFromWhatIsForbidden) {
    EXPECT_EQ(listen_error(EADDRINUSE), ErrorCode::kBusy);
    for (const int wrong : {EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL})
        EXPECT_EQ(listen_error(wrong), ErrorCode::kInvalid);
    for (const int forbidden : {EACCES, EPERM}) EXPECT_EQ(listen_error(forbidden), ErrorCode::kRefused);
    EXPECT_EQ(listen_error(EMFILE), ErrorCode::kInternal);
}

TEST(ResultTest, HoldsAValueOrTheReasonWhyThereIsNone) {
    const Result<int> good = parsed(true);
    ASSERT_TRUE(good);
    EXPECT_EQ(*good, 7);
    const Result<int> bad = parsed(false);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(bad.error().detail, "no number");
    EXPECT_TRUE(Status{Done{}});
}

TEST(ResultTest, GivesItsValueAwayWithoutCopying) {
    Result<std::unique_ptr<std::string>> result{std::make_unique<std::string>("mine")};
    EXPECT_EQ(**result, "mine");
    EXPECT_EQ(result->get()->size(), 4U);
    const std::unique_ptr<std::string> taken = std::move(result).value();
    EXPECT_EQ(*taken, "mine");
}

TEST(ResultDeathTest, ReadingTheWrongHalfStopsTheProcess) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const Result<int> good = parsed(true);
    const Result<int> bad = parsed(false);
    EXPECT_DEATH(static_cast<void>(bad.value()), "internal error: value\\(\\) of a failed Result");
    EXPECT_DEATH(static_cast<void>(good.error()), "internal error: error\\(\\) of a successful Result");
}

// --- Secret ---

// B34: what has no formatter cannot reach a log by accident.
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<std::string, Secret>, "a string becomes a secret only on purpose");

template <typename T>
concept Streamable = requires(std::ostream& stream, const T& value) {
    stream << value;
};
static_assert(!Streamable<Secret>);

constexpr const char* kShort = "123:ABC";  // fits into the string object itself
const std::string kLong = "123456789:" + std::string(60, 'K');

bool all_zero(const char* bytes, std::size_t count) {
    return std::all_of(bytes, bytes + count, [](char c) { return c == '\0'; });
}

TEST(SecretTest, GivesItsValueOnlyWhenAsked) {
    EXPECT_TRUE(Secret{}.empty());
    const Secret secret{kLong};
    EXPECT_FALSE(secret.empty());
    EXPECT_EQ(secret.reveal(), kLong);
    EXPECT_TRUE(secret == Secret{kLong});
    EXPECT_FALSE(secret == Secret{kShort});
}

TEST(SecretTest, IsMaskedWhereverATextHoldsIt) {
    EXPECT_EQ(masked("say s3s3 and s3", Secret{"s3"}), "say ****** and ***");
    EXPECT_EQ(masked("*** and more", Secret{"*"}), "********* and more") << "what masks is not masked again";
    EXPECT_EQ(masked("nothing", Secret{"s3"}), "nothing");
    EXPECT_EQ(masked("without a secret", Secret{}), "without a secret");
}

TEST(SecretTest, LeavesNothingBehindWhereItWasMovedFrom) {
    for (const std::string& value : {std::string{kShort}, kLong}) {
        Secret from{value};
        const Secret to{std::move(from)};
        EXPECT_EQ(to.reveal(), value);
        EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
        EXPECT_TRUE(all_zero(from.reveal().data(), from.reveal().capacity()));

        Secret other{"an older token that is longer than a short string"};
        Secret again{value};
        other = std::move(again);
        EXPECT_EQ(other.reveal(), value);
        EXPECT_TRUE(again.empty());  // NOLINT(bugprone-use-after-move)
        EXPECT_TRUE(all_zero(again.reveal().data(), again.reveal().capacity()));
    }
}

TEST(SecretTest, WipesWhatItHeldBeforeItIsAssigned) {
    Secret secret{kLong};
    const char* memory = secret.reveal().data();
    const std::size_t room = secret.reveal().capacity();
    const Secret shorter{"next:0123456789abcdef"};
    secret = shorter;
    ASSERT_EQ(secret.reveal().data(), memory) << "the string took other memory; then this test sees nothing";
    EXPECT_EQ(secret, shorter);
    EXPECT_TRUE(all_zero(memory + shorter.reveal().size(), room - shorter.reveal().size()));
}

TEST(SecretTest, SurvivesBeingAssignedToItself) {
    Secret secret{kLong};
    Secret& same = secret;
    secret = same;
    EXPECT_EQ(secret.reveal(), kLong);
    secret = std::move(same);
    EXPECT_EQ(secret.reveal(), kLong);
}

// --- Backoff ---

TEST(BackoffTest, DoublesItsStepUpToTheCapAndDrawsFromItsUpperHalf) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Backoff backoff({.first = 500ms, .most = 30'000ms, .seed = seed});
        for (const std::int64_t step : {500, 1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000, 30'000}) {
            const auto wait = backoff.next().count();
            EXPECT_GE(wait, step / 2);
            EXPECT_LE(wait, step);
        }
    }
}

TEST(BackoffTest, StartsAnewAfterAReset) {
    Backoff backoff({.first = 500ms, .most = 30'000ms, .seed = 3});
    for (int i = 0; i < 8; ++i) static_cast<void>(backoff.next());
    backoff.reset();
    EXPECT_LE(backoff.next(), 500ms);
    EXPECT_LE(backoff.next(), 1'000ms);
}

TEST(BackoffTest, TwoThatStartTogetherDoNotStayTogether) {
    Backoff one({});
    Backoff two({});
    bool differ = false;
    for (int i = 0; i < 20; ++i) differ = (one.next() != two.next()) || differ;
    EXPECT_TRUE(differ);
}

// --- clocks ---

template <typename T>
class ClockTest : public testing::Test {};
using Clocks = testing::Types<SystemClock, FakeClock>;
TYPED_TEST_SUITE(ClockTest, Clocks);

TYPED_TEST(ClockTest, SleepsUntilTheTimeHasCome) {
    TypeParam clock;
    const SteadyTime begin = clock.steady();
    EXPECT_TRUE(clock.sleep_until(begin + 20ms, {}));
    EXPECT_GE(clock.steady(), begin + 20ms);
}

TYPED_TEST(ClockTest, DoesNotSleepForWhatIsPast) {
    TypeParam clock;
    const SteadyTime begin = clock.steady();
    EXPECT_TRUE(clock.sleep_until(begin, {}));
    EXPECT_TRUE(clock.sleep_until(begin - 1h, {}));
    EXPECT_LT(clock.steady(), begin + 30min);
}

TYPED_TEST(ClockTest, GivesUpASleepWhenAskedToStop) {
    TypeParam clock;
    std::stop_source stop;
    stop.request_stop();
    const SteadyTime begin = clock.steady();
    EXPECT_FALSE(clock.sleep_until(begin + 1h, stop.get_token()));
    EXPECT_LT(clock.steady(), begin + 30min);
}

TEST(SystemClockTest, IsWokenByAStopThatComesWhileItSleeps) {
    SystemClock clock;
    std::stop_source stop;
    const SteadyTime begin = clock.steady();
    const std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_FALSE(clock.sleep_until(begin + 1h, stop.get_token()));
    EXPECT_LT(clock.steady(), begin + 30min);
}

TEST(FakeClockTest, MovesItsHandsOnlyWhenTold) {
    FakeClock clock;
    const SteadyTime steady = clock.steady();
    EXPECT_EQ(clock.wall(), FakeClock::kStart);
    clock.advance(5s);
    EXPECT_EQ(clock.wall(), FakeClock::kStart + 5s);
    EXPECT_EQ(clock.steady(), steady + 5s);
    clock.turn_wall(-1h);
    EXPECT_EQ(clock.wall(), FakeClock::kStart + 5s - 1h);
    EXPECT_EQ(clock.steady(), steady + 5s) << "turning the wall clock lets no time pass";
    EXPECT_TRUE(clock.sleep_until(steady + 65s, {}));
    EXPECT_EQ(clock.wall(), FakeClock::kStart + 65s - 1h);
    EXPECT_EQ(clock.sleeps(), std::vector<std::chrono::milliseconds>{60s});
}

}  // namespace
}  // namespace cam
