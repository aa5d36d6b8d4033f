#include "cam/base/time_text.h"

#include <gtest/gtest.h>

namespace cam {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

constexpr WallTime kEvent = sys_days{year{2026} / 1 / 19} + 22h + 51min + 50s;

struct Reading {
    const char* text;
    WallTime time;
};

TEST(TimeTextTest, ReadsTheFormsThatCloudflareAndSqliteWrite) {
    for (const Reading& reading : {
             Reading{"2026-01-19T22:51:50Z", kEvent},
             Reading{"2026-01-19t22:51:50z", kEvent},
             Reading{"2026-01-19 22:51:50", kEvent},
             Reading{"2026-01-19T22:51:50.5Z", kEvent + 500ms},
             Reading{"2026-01-19T22:51:50.123456789Z", kEvent + 123ms},
             Reading{"2026-01-19 22:51:50.007", kEvent + 7ms},
             Reading{"2026-01-20T00:21:50+01:30", kEvent},
             Reading{"2026-01-19T17:51:50-05:00", kEvent},
             Reading{"2026-01-19T22:51:50-00:00", kEvent},
             Reading{"1969-12-31T23:59:59.999Z", WallTime{-1ms}},
         }) {
        EXPECT_EQ(parse_time(reading.text), reading.time) << reading.text;
    }
}

TEST(TimeTextTest, KnowsLeapDaysAndLeapSeconds) {
    EXPECT_EQ(parse_time("2024-02-29T12:00:00Z"), WallTime{sys_days{year{2024} / 2 / 29} + 12h});
    EXPECT_EQ(parse_time("2000-02-29T00:00:00Z"), WallTime{sys_days{year{2000} / 2 / 29}});
    EXPECT_EQ(parse_time("2016-12-31T23:59:60Z"), WallTime{sys_days{year{2017} / 1 / 1}});
    EXPECT_EQ(parse_time("2023-02-29T12:00:00Z"), std::nullopt);
    EXPECT_EQ(parse_time("2100-02-29T12:00:00Z"), std::nullopt);
}

TEST(TimeTextTest, RefusesWhatIsNoTime) {
    for (const char* text : {"",
                             "Z",
                             "2026",
                             "2026-01-19",
                             "2026-01-19T",
                             "2026-01-19T22:51",
                             "2026-01-19T22:51:50ZZ",
                             "2026-01-19T22:51:50 Z",
                             " 2026-01-19T22:51:50Z",
                             "2026-01-19T22:51:50.Z",
                             "2026-01-19T22:51:50,5Z",
                             "2026-1-19T22:51:50Z",
                             "26-01-19T22:51:50Z",
                             "2026-13-01T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-04-31T00:00:00Z",
                             "2026-01-00T00:00:00Z",
                             "2026-01-19T24:00:00Z",
                             "2026-01-19T22:60:00Z",
                             "2026-01-19T22:51:61Z",
                             "2026-01-19T22:51:50+1:00",
                             "2026-01-19T22:51:50+0100",
                             "2026-01-19T22:51:50+24:00",
                             "2026-01-19T22:51:50+01:60",
                             "2026-01-19T22:51:50+",
                             "-026-01-19T22:51:50Z",
                             "2026-01-19T22:51:5xZ",
                             "19/01/2026 22:51:50",
                             "None",
                             "null",
                             "2026-01-19T22:51:50+01:00Z",
                             "９０２６-01-19T22:51:50Z"}) {
        EXPECT_EQ(parse_time(text), std::nullopt) << '"' << text << '"';
    }
    EXPECT_EQ(parse_time(std::string_view("2026-01-19T22:51:50\0", 20)), std::nullopt);
}

TEST(TimeTextTest, WhatItWritesReadsBackTheSame) {
    WallTime time = sys_days{year{1996} / 12 / 30} + 3h;
    for (int i = 0; i < 2'000; ++i) {
        EXPECT_EQ(parse_time(rfc3339(time)), time) << rfc3339(time);
        EXPECT_EQ(parse_time(sqlite_time(time)), time) << sqlite_time(time);
        time += 137h + 41min + 7s;
    }
    EXPECT_EQ(rfc3339(kEvent + 999ms), "2026-01-19T22:51:50Z") << "milliseconds are cut, not rounded";
    EXPECT_EQ(sqlite_time(kEvent + 999ms), "2026-01-19 22:51:50");
    EXPECT_EQ(rfc3339(WallTime{-1ms}), "1969-12-31T23:59:59Z");
}

TEST(TimeTextTest, ShowsPeopleEuropeanDates) {
    EXPECT_EQ(european_time(kEvent + 999ms), "19/01/2026 22:51:50 UTC");
    EXPECT_EQ(european_minute(kEvent), "19/01/2026 22:51");
    EXPECT_EQ(european_date(kEvent), "19/01/2026");
    EXPECT_EQ(european_time(WallTime{sys_days{year{2024} / 2 / 29}}), "29/02/2024 00:00:00 UTC");
}

TEST(TimeTextTest, TellsADurationInItsTwoLargestUnits) {
    EXPECT_EQ(duration_text(0ms), "0 s");
    EXPECT_EQ(duration_text(999ms), "0 s");
    EXPECT_EQ(duration_text(42s), "42 s");
    EXPECT_EQ(duration_text(60s), "1 min");
    EXPECT_EQ(duration_text(61s), "1 min 1 s");
    EXPECT_EQ(duration_text(7min), "7 min");
    EXPECT_EQ(duration_text(125min + 59s), "2 h 5 min");
    EXPECT_EQ(duration_text(76h + 59min), "3 d 4 h");
    EXPECT_EQ(duration_text(24h + 59min), "1 d") << "an hour that is none is left out";
    EXPECT_EQ(duration_text(2'160h), "90 d");
    EXPECT_EQ(duration_text(-5min), "0 s");
}

}  // namespace
}  // namespace cam
