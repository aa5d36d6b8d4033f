// The producer against librdkafka's mock cluster: real sockets, Kafka's protocol, no disk.
#include "cam/kafka/record_producer.h"

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "fakes/model/flow_records.h"

namespace cam::kafka {
namespace {

using std::chrono::milliseconds;

constexpr std::int16_t kProduceApi = 0;
const ExporterKey kRouter{*IpAddress::parse("203.0.113.7")};
const WallTime kReceived{milliseconds{1'795'780'000'123}};

class Cluster {
public:
    Cluster() {
        char text[256];
        client_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text, sizeof text);
        cluster_ = rd_kafka_mock_cluster_new(client_, 1);
        rd_kafka_mock_topic_create(cluster_, "flows", 3, 1);
    }
    ~Cluster() {
        rd_kafka_mock_cluster_destroy(cluster_);
        rd_kafka_destroy(client_);
    }
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    [[nodiscard]] std::string brokers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    void take_down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
    void bring_up() { rd_kafka_mock_broker_set_up(cluster_, 1); }
    void answer_produce_with(std::vector<rd_kafka_resp_err_t> errors) {
        rd_kafka_mock_push_request_errors_array(cluster_, kProduceApi, errors.size(), errors.data());
    }
    /// Bodies of `count` messages, or of those that come within ten seconds.
    [[nodiscard]] std::vector<std::string> read(std::size_t count) const {
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        char text[256];
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers().c_str(), text, sizeof text);
        rd_kafka_conf_set(conf, "group.id", "test", text, sizeof text);
        rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
        rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(3);
        for (int i = 0; i < 3; ++i) rd_kafka_topic_partition_list_add(all, "flows", i)->offset = 0;
        rd_kafka_assign(consumer, all);
        std::vector<std::string> bodies;
        for (int rounds = 0; rounds < 100 && bodies.size() < count; ++rounds) take(consumer, bodies);
        take(consumer, bodies);  // one that is too many would come now
        rd_kafka_topic_partition_list_destroy(all);
        rd_kafka_consumer_close(consumer);
        rd_kafka_destroy(consumer);
        return bodies;
    }

private:
    static void take(rd_kafka_t* consumer, std::vector<std::string>& bodies) {
        while (rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 100)) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
                bodies.emplace_back(static_cast<const char*>(message->payload), message->len);
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_t* client_;
    rd_kafka_mock_cluster_t* cluster_;
};

std::vector<FlowRecord> records(std::size_t count) {
    return std::vector<FlowRecord>(
        count,
        test::flow(test::address("192.0.2.1"), {.bytes = 1'500, .packets = 1, .source = "198.51.100.9"}));
}

RecordProducer::Options options_for(const Cluster& cluster) {
    RecordProducer::Options options;
    options.brokers = cluster.brokers();
    options.linger = milliseconds{5};
    return options;
}

std::unique_ptr<RecordProducer> opened(RecordProducer::Options options) {
    auto producer = RecordProducer::open(std::move(options));
    EXPECT_TRUE(producer.has_value()) << (producer ? "" : producer.error().detail);
    return producer ? std::move(producer).value() : nullptr;
}

bool comes_true(RecordProducer& producer, const std::function<bool()>& condition) {
    for (int rounds = 0; rounds < 200; ++rounds) {
        producer.poll();
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds{50});
    }
    return false;
}

void expect_balanced(const ProducerCounts& counts) {
    EXPECT_EQ(counts.records_added, counts.records_acknowledged + counts.records_dropped +
                                        counts.records_failed + counts.records_waiting);
}

std::size_t messages_in(const std::string& body) {
    std::size_t messages = 0;
    for (std::size_t at = 0; at < body.size(); ++messages) at += 1 + static_cast<unsigned char>(body[at]);
    return messages;
}

TEST(RecordProducerTest, EachRecordIsOneMessageAsOfGoFlow2AndIsForgottenOnlyWhenAcknowledged) {
    const Cluster cluster;
    const auto producer = opened(options_for(cluster));
    producer->add(kRouter, kReceived, records(250));
    EXPECT_EQ(producer->counts().records_waiting, 250U) << "nothing is forgotten before an answer";
    ASSERT_TRUE(producer->flush(milliseconds{10'000}).has_value());
    EXPECT_EQ(producer->counts().records_acknowledged, 250U);
    expect_balanced(producer->counts());
    const std::vector<std::string> bodies = cluster.read(250);
    ASSERT_EQ(bodies.size(), 250U);
    for (const std::string& body : bodies) EXPECT_EQ(messages_in(body), 1U);
}

TEST(RecordProducerTest, SeveralRecordsInAMessageAreAllThere) {
    const Cluster cluster;
    RecordProducer::Options options = options_for(cluster);
    options.records_per_message = 100;
    const auto producer = opened(options);
    producer->add(kRouter, kReceived, records(1'050));
    ASSERT_TRUE(producer->flush(milliseconds{10'000}).has_value());
    const std::vector<std::string> bodies = cluster.read(11);
    ASSERT_EQ(bodies.size(), 11U);
    std::size_t total = 0;
    for (const std::string& body : bodies) total += messages_in(body);
    EXPECT_EQ(total, 1'050U);
    EXPECT_EQ(producer->counts().records_acknowledged, 1'050U);
}

TEST(RecordProducerTest, WhileTheBrokerIsAwayRecordsWaitAndThenArriveOnce) {
    Cluster cluster;
    const auto producer = opened(options_for(cluster));
    producer->add(kRouter, kReceived, records(10));
    ASSERT_TRUE(producer->flush(milliseconds{10'000}).has_value());
    cluster.take_down();
    producer->add(kRouter, kReceived, records(90));
    ASSERT_TRUE(comes_true(*producer, [&] { return producer->trouble().has_value(); }));
    EXPECT_EQ(producer->counts().records_waiting, 90U);
    cluster.bring_up();
    ASSERT_TRUE(comes_true(*producer, [&] { return producer->counts().records_waiting == 0; }));
    EXPECT_FALSE(producer->trouble().has_value()) << producer->trouble()->detail;
    EXPECT_EQ(producer->counts().records_acknowledged, 100U);
    EXPECT_EQ(cluster.read(100).size(), 100U);
}

TEST(RecordProducerTest, AnAnswerThatSaysTryAgainLosesAndRepeatsNothing) {
    Cluster cluster;
    const auto producer = opened(options_for(cluster));
    cluster.answer_produce_with(
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS});
    producer->add(kRouter, kReceived, records(40));
    ASSERT_TRUE(producer->flush(milliseconds{15'000}).has_value());
    EXPECT_EQ(producer->counts().records_acknowledged, 40U);
    EXPECT_EQ(producer->counts().records_failed, 0U);
    EXPECT_EQ(cluster.read(40).size(), 40U);
}

TEST(RecordProducerTest, WhatKafkaRefusesForGoodIsCountedAsFailedAndSaid) {
    Cluster cluster;
    const auto producer = opened(options_for(cluster));
    cluster.answer_produce_with({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    producer->add(kRouter, kReceived, records(1));
    ASSERT_TRUE(comes_true(*producer, [&] { return producer->counts().records_failed == 1; }));
    ASSERT_TRUE(producer->trouble().has_value());
    EXPECT_EQ(producer->trouble()->code, ErrorCode::kRefused);
    expect_balanced(producer->counts());
}

TEST(RecordProducerTest, AFullQueueDropsTheNewestAndCountsThem) {
    Cluster cluster;
    cluster.take_down();
    RecordProducer::Options options = options_for(cluster);
    options.queue_records = 100;
    const auto producer = opened(options);
    producer->add(kRouter, kReceived, records(130));
    EXPECT_EQ(producer->counts().records_dropped, 30U);
    EXPECT_EQ(producer->counts().records_waiting, 100U);
    cluster.bring_up();
    ASSERT_TRUE(comes_true(*producer, [&] { return producer->counts().records_waiting == 0; }));
    EXPECT_EQ(producer->counts().records_acknowledged, 100U);
    expect_balanced(producer->counts());
}

TEST(RecordProducerTest, AQueueFullOfBytesDropsAndCountsToo) {
    Cluster cluster;
    cluster.take_down();
    RecordProducer::Options options = options_for(cluster);
    options.queue_bytes = 1024 * 1024;
    options.records_per_message = 2'000;
    const auto producer = opened(options);
    producer->add(kRouter, kReceived, records(60'000));
    producer->poll();
    EXPECT_GT(producer->counts().records_dropped, 10'000U);
    EXPECT_GT(producer->counts().records_waiting, 10'000U);
    expect_balanced(producer->counts());
}

TEST(RecordProducerTest, AtTheEndWhatIsNotAcknowledgedInTimeIsCounted) {
    Cluster cluster;
    cluster.take_down();
    const auto producer = opened(options_for(cluster));
    producer->add(kRouter, kReceived, records(7));
    const Status flushed = producer->flush(milliseconds{200});
    ASSERT_FALSE(flushed.has_value());
    EXPECT_EQ(flushed.error().code, ErrorCode::kTimeout);
    EXPECT_NE(flushed.error().detail.find("7 records"), std::string::npos) << flushed.error().detail;
    EXPECT_EQ(producer->counts().records_failed, 7U);
    EXPECT_EQ(producer->counts().records_waiting, 0U);
}

TEST(RecordProducerTest, OptionsThatCannotBeUsedAreRefusedWithTheirNameAndWithoutThePassword) {
    const auto refused = [](const std::function<void(RecordProducer::Options&)>& change) {
        RecordProducer::Options options;
        options.brokers = "127.0.0.1:9";
        options.user = "producer";
        options.password = Secret{"wordOfTheTest"};
        change(options);
        const auto producer = RecordProducer::open(std::move(options));
        EXPECT_FALSE(producer.has_value());
        if (producer) return std::string{};
        EXPECT_EQ(producer.error().code, ErrorCode::kInvalid);
        EXPECT_EQ(producer.error().detail.find("wordOfTheTest"), std::string::npos);
        return producer.error().detail;
    };
    using Options = RecordProducer::Options;
    EXPECT_NE(refused([](Options& one) { one.brokers.clear(); }).find("brokers"), std::string::npos);
    EXPECT_NE(refused([](Options& one) { one.topic.clear(); }).find("topic"), std::string::npos);
    EXPECT_NE(refused([](Options& one) { one.records_per_message = 0; }).find("records per message"),
              std::string::npos);
    EXPECT_NE(refused([](Options& one) { one.queue_bytes = 10; }).find("queue"), std::string::npos);
    EXPECT_NE(refused([](Options& one) {
                  one.encryption = RecordProducer::Encryption::kTls;
                  one.ca_file = "/nowhere/ca.pem";
              }).find("ssl.ca.location"),
              std::string::npos);
}

}  // namespace
}  // namespace cam::kafka
