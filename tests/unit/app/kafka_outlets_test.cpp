#include "app/kafka_outlets.h"

#include <string>

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>

#include "app/kafka_watch.h"
#include "unit/app/settings_fixture.h"

namespace cam::app {
namespace {

std::string with_kafka(const std::string& kafka, const std::string& store = "clickhouse") {
    return R"(, "flow": {"enabled": true}, "traffic": {"store": ")" + store + R"(", "kafka": )" + kafka + "}";
}

TEST_F(SettingsTest, RecordsGoToKafkaOnlyWhereTheProgramCanAndTheFileSaysSo) {
    const LoadedSettings none = parse(python_era(with_kafka("{}")));
    ASSERT_TRUE(none.usable()) << lines(none);
    EXPECT_TRUE(none.settings.traffic.kafka.brokers.empty());
    const LoadedSettings some =
        parse(python_era(with_kafka(R"({"brokers": "127.0.0.1:9092", "topic": "own"})")));
    EXPECT_EQ(some.usable(), can_produce_to_kafka()) << lines(some);
    EXPECT_EQ(some.settings.traffic.kafka.topic, "own");
    EXPECT_EQ(lines(some).find("CAM_KAFKA") == std::string::npos, can_produce_to_kafka()) << lines(some);
}

TEST_F(SettingsTest, AKafkaThatNothingGoesToIsWarnedOf) {
    if (!can_produce_to_kafka()) GTEST_SKIP() << "built without Kafka";
    const LoadedSettings loaded = parse(python_era(with_kafka(R"({"brokers": "127.0.0.1:9092"})", "sqlite")));
    ASSERT_TRUE(loaded.usable()) << lines(loaded);
    EXPECT_NE(lines(loaded).find("traffic.kafka.brokers has no effect"), std::string::npos) << lines(loaded);
}

TEST_F(SettingsTest, KafkasBoundsAndNamesAreChecked) {
    for (const char* wrong : {R"({"records_per_message": 0})", R"({"records_per_message": 2001})",
                              R"({"queue_bytes": 1})", R"({"tls": "yes"})", R"({"brokers": 9092})",
                              R"({"brokers": "h:1", "topic": ""})", R"({"password_file": "/nowhere"})"}) {
        EXPECT_FALSE(parse(python_era(with_kafka(wrong))).usable()) << wrong;
    }
}

TEST(KafkaOutletsTest, EachWorkerHasAProducerAndTheirCountsAreAdded) {
    if (!can_produce_to_kafka()) GTEST_SKIP() << "built without Kafka";
    const Logger log =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
    Settings::Traffic::Producer settings;
    settings.brokers = "127.0.0.1:9";  // nobody there
    auto outlets = KafkaOutlets::open(settings, 2, log);
    ASSERT_TRUE(outlets.has_value()) << outlets.error().detail;
    const auto first = (*outlets)->take(0);
    const auto second = (*outlets)->take(1);
    const ExporterKey router{*IpAddress::parse("203.0.113.7")};
    const std::vector<FlowRecord> records(3);
    first->take(router, WallTime{std::chrono::milliseconds{1}}, records);
    second->take(router, WallTime{std::chrono::milliseconds{1}}, records);
    second->take(router, WallTime{std::chrono::milliseconds{1}}, records);
    first->tick({});
    second->tick({});
    EXPECT_EQ((*outlets)->standing().waiting, 9U);
    first->flush();
    second->flush();
    EXPECT_EQ((*outlets)->standing().waiting, 0U);
    EXPECT_EQ((*outlets)->standing().failed, 9U) << "said and counted, not forgotten";
    EXPECT_TRUE((*outlets)->standing().trouble.has_value());
}

TEST(KafkaOutletsTest, ASettingThatCannotBeUsedIsAnError) {
    if (!can_produce_to_kafka()) GTEST_SKIP() << "built without Kafka";
    const Logger log =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
    Settings::Traffic::Producer settings;
    settings.brokers = "127.0.0.1:9";
    settings.has_tls = true;
    settings.ca_file = "/nowhere/ca.pem";
    const auto outlets = KafkaOutlets::open(settings, 1, log);
    ASSERT_FALSE(outlets.has_value());
    EXPECT_EQ(outlets.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace cam::app
