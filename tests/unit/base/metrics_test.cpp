#include "cam/base/metrics.h"

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace cam {
namespace {

TEST(MetricRegistryTest, WritesPrometheusTextSortedByName) {
    MetricRegistry metrics;
    metrics.gauge("cam_outbox_messages", "Messages that wait").set(2.5);
    metrics.counter("cam_polls_total", "Polls", {{"outcome", "failed"}}).add(3);
    metrics.counter("cam_polls_total", "Polls", {{"outcome", "done"}}).add();
    metrics.gauge_from("cam_events_open", "Asked at each scrape", [] { return 42.0; });
    EXPECT_EQ(metrics.text(),
              "# HELP cam_events_open Asked at each scrape\n"
              "# TYPE cam_events_open gauge\n"
              "cam_events_open 42\n"
              "# HELP cam_outbox_messages Messages that wait\n"
              "# TYPE cam_outbox_messages gauge\n"
              "cam_outbox_messages 2.5\n"
              "# HELP cam_polls_total Polls\n"
              "# TYPE cam_polls_total counter\n"
              "cam_polls_total{outcome=\"failed\"} 3\n"
              "cam_polls_total{outcome=\"done\"} 1\n");
}

TEST(MetricRegistryTest, IsEmptyTextWhileNothingIsRegistered) {
    EXPECT_EQ(MetricRegistry{}.text(), "");
}

TEST(MetricRegistryTest, EscapesLabelValues) {
    MetricRegistry metrics;
    metrics.counter("cam_x_total", "x", {{"a", "say \"hi\"\\\n"}, {"b", ""}}).add();
    EXPECT_NE(metrics.text().find("cam_x_total{a=\"say \\\"hi\\\"\\\\\\n\",b=\"\"} 1\n"), std::string::npos)
        << metrics.text();
}

TEST(MetricRegistryTest, GivesTheSameObjectForTheSameNameAndLabels) {
    MetricRegistry metrics;
    Counter& counter = metrics.counter("cam_x_total", "x", {{"a", "1"}});
    EXPECT_EQ(&counter, &metrics.counter("cam_x_total", "another help", {{"a", "1"}}));
    EXPECT_NE(&counter, &metrics.counter("cam_x_total", "x", {{"a", "2"}}));
    Gauge& gauge = metrics.gauge("cam_y", "y");
    for (int i = 0; i < 100; ++i) {
        static_cast<void>(metrics.gauge("cam_y_" + std::to_string(i), "makes the registry grow"));
    }
    EXPECT_EQ(&gauge, &metrics.gauge("cam_y", "y")) << "an object lives as long as the registry";
    EXPECT_EQ(metrics.text().find("another help"), std::string::npos) << "the first help stays";
}

TEST(MetricRegistryTest, AsksForAGaugesValueAtEachScrape) {
    MetricRegistry metrics;
    double value = 1;
    metrics.gauge_from("cam_x", "x", [&] { return value; });
    EXPECT_NE(metrics.text().find("cam_x 1\n"), std::string::npos);
    value = std::numeric_limits<double>::infinity();
    EXPECT_NE(metrics.text().find("cam_x +Inf\n"), std::string::npos);
    value = -value;
    EXPECT_NE(metrics.text().find("cam_x -Inf\n"), std::string::npos);
    value = std::nan("");
    EXPECT_NE(metrics.text().find("cam_x NaN\n"), std::string::npos);
}

TEST(MetricRegistryTest, CountsWhatManyThreadsAdd) {
    MetricRegistry metrics;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 1'000; ++n) metrics.counter("cam_x_total", "x").add();
            });
        }
    }
    EXPECT_EQ(metrics.counter("cam_x_total", "x").value(), 4'000U);
}

TEST(MetricRegistryDeathTest, RefusesANameWithTwoTypes) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    MetricRegistry metrics;
    static_cast<void>(metrics.counter("cam_x_total", "x"));
    EXPECT_DEATH(static_cast<void>(metrics.gauge("cam_x_total", "x")), "two types");
}

}  // namespace
}  // namespace cam
