#include "app/record_queue.h"

#include <thread>

#include <gtest/gtest.h>

namespace cam::app {
namespace {

using namespace std::chrono_literals;

clickhouse::EncodedRecords batch(std::size_t rows, std::size_t bytes) {
    return {.bytes = std::string(bytes, 'x'), .rows = rows};
}

TEST(RecordQueueTest, KeepsTheNewestAndCountsWhatItDrops) {
    RecordQueue queue(100);
    queue.put(batch(1, 60));
    queue.put(batch(2, 60));  // the first goes
    EXPECT_EQ(queue.rows_dropped(), 1U);
    EXPECT_EQ(queue.bytes(), 60U);
    queue.put(batch(4, 500));  // larger than all the room: it is kept, alone
    EXPECT_EQ(queue.rows_dropped(), 3U);
    const auto kept = queue.take(0ms, {});
    ASSERT_TRUE(kept.has_value());
    EXPECT_EQ(kept->rows, 4U);
    EXPECT_EQ(queue.bytes(), 0U);
    EXPECT_FALSE(queue.take(0ms, {}).has_value());
    queue.put(batch(0, 0));
    EXPECT_FALSE(queue.take(0ms, {}).has_value()) << "a batch without rows is none";
}

TEST(RecordQueueTest, HandsOverBetweenThreadsInOrderAndWakesAtOnce) {
    RecordQueue queue(1 << 20);
    std::size_t next = 1;
    const std::jthread reader([&] {
        while (next <= 1'000) {
            const auto got = queue.take(10s, {});
            ASSERT_TRUE(got.has_value());
            EXPECT_EQ(got->rows, next++);
        }
    });
    for (std::size_t rows = 1; rows <= 1'000; ++rows) queue.put(batch(rows, 8));
}

TEST(RecordQueueTest, AStopEndsTheWait) {
    RecordQueue queue(100);
    std::stop_source stop;
    const std::jthread reader([&] { EXPECT_FALSE(queue.take(1h, stop.get_token()).has_value()); });
    stop.request_stop();
}

TEST(QueueOutletTest, ABatchIsHandedOverWhenFullOrAfterATime) {
    RecordQueue queue(64 << 20);
    QueueOutlet outlet(queue, "here/0");
    FlowRecord record;
    record.destination = IpAddress::parse("192.0.2.1").value();
    const ExporterKey exporter{record.destination};
    outlet.take(exporter, WallTime{}, std::span(&record, 1));
    outlet.tick(SteadyTime{1s});
    outlet.tick(SteadyTime{1s + 199ms});
    EXPECT_EQ(queue.bytes(), 0U);
    outlet.tick(SteadyTime{1s + 200ms});
    EXPECT_EQ(queue.take(0ms, {}).value().rows, 1U);
    for (int i = 0; i < 10'000; ++i) outlet.take(exporter, WallTime{}, std::span(&record, 1));
    const auto full = queue.take(0ms, {});
    ASSERT_TRUE(full.has_value()) << "a mebibyte waits for no clock";
    EXPECT_GE(full->bytes.size(), std::size_t{1} << 20U);
    outlet.flush();
    EXPECT_GT(queue.bytes(), 0U);
}

}  // namespace
}  // namespace cam::app
