#include "cam/clickhouse/record_writer.h"

#include <thread>

#include <gtest/gtest.h>

#include "fakes/net/fake_http_client.h"

namespace cam::clickhouse {
namespace {

using namespace std::chrono_literals;

class RecordWriterTest : public testing::Test {
protected:
    RecordWriterTest() {
        auto fake = std::make_unique<net::FakeHttpClient>();
        http = fake.get();
        auto opened = Client::open({.url = "http://db:8123"}, std::move(fake));
        client = std::move(opened).value();
    }
    static EncodedRecords rows(std::size_t count) {
        RecordEncoder encoder{"test/0"};
        const std::vector<FlowRecord> records(count);
        encoder.add(ExporterKey{IpAddress::v4({192, 0, 2, 1})}, WallTime{1h}, records);
        return encoder.take();
    }
    static std::string token(const net::HttpRequest& request) {
        const std::size_t at = request.url.find("insert_deduplication_token=");
        return request.url.substr(at, request.url.find('&', at) - at);
    }

    net::FakeHttpClient* http = nullptr;
    std::unique_ptr<Client> client;
    SteadyTime now{1h};
};

TEST_F(RecordWriterTest, WaitsUntilABatchIsOldEnough) {
    http->then_body(200, "", {});
    RecordWriter writer{*client, {.batch_age = 1s}};
    EXPECT_EQ(writer.due(), SteadyTime::max());
    writer.add(rows(10), now);
    writer.add(rows(5), now + 900ms);
    EXPECT_EQ(writer.due(), now + 1s);
    ASSERT_TRUE(writer.write(now + 999ms, {}));
    EXPECT_TRUE(http->requests.empty());
    ASSERT_TRUE(writer.write(now + 1s, {}));
    ASSERT_EQ(http->requests.size(), 1U);
    EXPECT_EQ(writer.counts().rows_written, 15U);
    EXPECT_EQ(writer.counts().rows_waiting, 0U);
    EXPECT_EQ(writer.due(), SteadyTime::max());
}

TEST_F(RecordWriterTest, AFullBatchGoesAtOnce) {
    http->then_body(200, "", {});
    RecordWriter writer{*client, {.batch_rows = 20}};
    writer.add(rows(15), now);
    writer.add(rows(10), now);  // does not fit into the first
    EXPECT_LT(writer.due(), now);
    ASSERT_TRUE(writer.write(now, {}));
    EXPECT_EQ(writer.counts().rows_written, 15U);
    EXPECT_EQ(writer.counts().rows_waiting, 10U);
}

TEST_F(RecordWriterTest, AFailedBatchIsSentAgainUnchanged) {
    http->then_error(ErrorCode::kTimeout).then_body(503, "").then_body(200, "", {});
    RecordWriter writer{*client, {.batch_rows = 10}};
    writer.add(rows(10), now);
    EXPECT_EQ(writer.write(now, {}).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(writer.write(now, {}).error().code, ErrorCode::kBusy);
    EXPECT_EQ(writer.counts().rows_waiting, 10U) << "not forgotten before the server said yes";
    writer.add(rows(10), now);
    ASSERT_TRUE(writer.write(now, {}));
    ASSERT_TRUE(writer.write(now, {}));
    ASSERT_EQ(http->requests.size(), 4U);
    for (std::size_t i : {1U, 2U}) {
        EXPECT_EQ(http->requests[i].body, http->requests[0].body);
        EXPECT_EQ(http->requests[i].url, http->requests[0].url);
    }
    EXPECT_NE(token(http->requests[3]), token(http->requests[0]));
    EXPECT_EQ(writer.counts().failures, 2U);
    EXPECT_EQ(writer.counts().rows_written, 20U);
}

TEST_F(RecordWriterTest, TheNextBatchIsMadeWhileTheServerIsBusy) {
    RecordWriter writer{*client, {.batch_rows = 10, .batch_age = 1s}};
    RecordWriterCounts meanwhile;
    http->then([&](const net::HttpRequest&) {
        const std::jthread worker([&] {
            writer.add(rows(10), now);
            writer.add(rows(3), now);
            writer.close_old_batch(now + 1s);  // one waits: this one may grow
            meanwhile = writer.counts();
        });
        return net::HttpResponse{200, {}, ""};
    });
    http->then_body(200, "", {});
    writer.add(rows(10), now);
    ASSERT_TRUE(writer.write(now, {}));
    EXPECT_EQ(meanwhile.rows_waiting, 23U) << "the first is not yet acknowledged";
    EXPECT_EQ(writer.counts().rows_waiting, 13U);
    ASSERT_TRUE(writer.write(now, {}));
    EXPECT_EQ(writer.counts().rows_waiting, 3U);
    writer.close_old_batch(now + 999ms);
    EXPECT_EQ(writer.due(), now + 1s);
    writer.close_old_batch(now + 1s);
    EXPECT_LT(writer.due(), now);
    writer.wait(1h, {});  // returns at once
}

TEST_F(RecordWriterTest, TwoWritersNeverShareAToken) {
    http->then_body(200, "", {});
    for (int i = 0; i < 2; ++i) {
        RecordWriter writer{*client, {.batch_rows = 1}};
        writer.add(rows(1), now);
        ASSERT_TRUE(writer.write(now, {}));
    }
    EXPECT_NE(token(http->requests[0]), token(http->requests[1]));
}

TEST_F(RecordWriterTest, AFullBufferDropsTheOldestAndCounts) {
    http->then_error(ErrorCode::kUnreachable).then_body(200, "", {});
    RecordWriter writer{*client,
                        {.batch_rows = 10, .buffer_bytes = 2500}};  // a batch is some 250 bytes compressed
    EXPECT_FALSE([&] {
        writer.add(rows(10), now);
        return writer.write(now, {});
    }());
    for (int i = 0; i < 50; ++i) writer.add(rows(10), now);
    const RecordWriterCounts counts = writer.counts();
    EXPECT_GT(counts.rows_dropped, 300U);
    EXPECT_LE(counts.bytes_waiting, 2500U);
    EXPECT_EQ(counts.rows_added, 510U);
    EXPECT_EQ(counts.rows_added, counts.rows_written + counts.rows_dropped + counts.rows_waiting);
    while (writer.counts().rows_waiting > 0) ASSERT_TRUE(writer.write(now, {}));
    EXPECT_TRUE(token(http->requests.back()).ends_with("-50")) << "the newest are kept";
}

TEST_F(RecordWriterTest, RowsThatCanNeverBeInsertedAreGivenUp) {
    http->then_body(400, "Code: 33. DB::Exception: Cannot read all data", {}).then_body(200, "", {});
    RecordWriter writer{*client, {.batch_rows = 10}};
    writer.add(rows(10), now);
    EXPECT_EQ(writer.write(now, {}).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(writer.counts().rows_rejected, 10U);
    EXPECT_EQ(writer.counts().rows_waiting, 0U);
}

TEST_F(RecordWriterTest, AMissingTableKeepsTheRows) {
    http->then_body(404, "Code: 60. DB::Exception: Table flows.raw does not exist", {});
    RecordWriter writer{*client, {.batch_rows = 10}};
    writer.add(rows(10), now);
    EXPECT_EQ(writer.write(now, {}).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(writer.counts().rows_waiting, 10U);
}

}  // namespace
}  // namespace cam::clickhouse
