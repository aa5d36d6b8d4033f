#include "app/traffic_settings.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "app/kafka_outlets.h"
#include "cam/base/log.h"

namespace cam::app {
namespace {

constexpr std::uint64_t kMostBatchRows = 1'000'000;
constexpr std::uint64_t kLeastBuffer = 16ULL << 20U;
constexpr std::uint64_t kMostBuffer = 1ULL << 38U;
constexpr std::uint64_t kMostConsumers = 64;
constexpr std::size_t kLongestName = 64;
constexpr std::uint64_t kMostRecordsPerMessage = 2'000;
constexpr std::uint64_t kLeastQueue = 1ULL << 20U;
constexpr std::uint64_t kMostQueue = (1ULL << 31U) - 1024;  // librdkafka's bound

/// Names go into statements as they are.
bool is_name(std::string_view text) {
    const auto is_word = [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !text.empty() && text.size() <= kLongestName && (text[0] < '0' || text[0] > '9') &&
           std::all_of(text.begin(), text.end(), is_word);
}

void read_choice(SettingsReader& reader, Settings::Traffic& traffic) {
    std::string store = "sqlite";
    reader.text("traffic.store", store);
    if (store != "sqlite" && store != "clickhouse")
        reader.error("traffic.store", "is neither \"sqlite\" nor \"clickhouse\"; write one of the two");
    if (store == "clickhouse") traffic.store = Settings::Traffic::Store::kClickHouse;
    std::string role = "judge";
    reader.text("traffic.role", role);
    if (role != "judge" && role != "collector")
        reader.error("traffic.role", "is neither \"judge\" nor \"collector\"; write one of the two");
    if (role == "collector") traffic.role = Settings::Traffic::Role::kCollector;
}

void read_kafka(SettingsReader& reader, Settings::Traffic::Kafka& kafka) {
    reader.text("traffic.clickhouse.kafka.brokers", kafka.brokers);
    reader.text("traffic.clickhouse.kafka.topic", kafka.topic);
    reader.text("traffic.clickhouse.kafka.group", kafka.group);
    std::uint64_t consumers = kafka.consumers;
    reader.number("traffic.clickhouse.kafka.consumers", 1, kMostConsumers, consumers);
    kafka.consumers = static_cast<std::uint32_t>(consumers);
    if (kafka.brokers.empty()) return;
    if (kafka.topic.empty())
        reader.error("traffic.clickhouse.kafka.topic", "is empty; write GoFlow2's topic, such as \"flows\"");
    if (kafka.group.empty())
        reader.error("traffic.clickhouse.kafka.group",
                     "is empty; write a consumer group that nobody else uses");
}

void read_producer(SettingsReader& reader, const Settings& settings, Settings::Traffic::Producer& producer) {
    reader.text("traffic.kafka.brokers", producer.brokers);
    reader.text("traffic.kafka.topic", producer.topic);
    reader.number("traffic.kafka.records_per_message", 1, kMostRecordsPerMessage,
                  producer.records_per_message);
    reader.number("traffic.kafka.queue_bytes", kLeastQueue, kMostQueue, producer.queue_bytes);
    reader.flag("traffic.kafka.tls", producer.has_tls);
    reader.text("traffic.kafka.ca_file", producer.ca_file);
    reader.text("traffic.kafka.user", producer.user);
    if (producer.brokers.empty()) return;
    if (!can_produce_to_kafka()) {
        reader.error("traffic.kafka.brokers",
                     "is set, but this program was built without Kafka; build it with -DCAM_KAFKA=ON, or set "
                     "\"\" to write straight into ClickHouse");
    }
    if (producer.topic.empty())
        reader.error("traffic.kafka.topic", "is empty; write the topic that ClickHouse reads");
    if (!settings.traffic.on_clickhouse() || !settings.flow.enabled) {
        reader.warning("traffic.kafka.brokers",
                       "has no effect without flow.enabled and traffic.store \"clickhouse\"");
    }
}

void read_clickhouse(SettingsReader& reader, Settings::Traffic::ClickHouse& clickhouse) {
    reader.url("traffic.clickhouse.url", clickhouse.url);
    reader.text("traffic.clickhouse.database", clickhouse.database);
    reader.text("traffic.clickhouse.user", clickhouse.user);
    reader.text("traffic.clickhouse.ca_file", clickhouse.ca_file);
    reader.text("traffic.clickhouse.cluster", clickhouse.cluster);
    reader.number("traffic.clickhouse.batch_rows", 1'000, kMostBatchRows, clickhouse.batch_rows);
    reader.number("traffic.clickhouse.buffer_bytes", kLeastBuffer, kMostBuffer, clickhouse.buffer_bytes);
    read_kafka(reader, clickhouse.kafka);
    if (!is_name(clickhouse.database)) {
        reader.error(
            "traffic.clickhouse.database",
            fmt::format("is {}, which is no name; use letters, digits and _", quote(clickhouse.database)));
    }
    if (!clickhouse.cluster.empty() && !is_name(clickhouse.cluster)) {
        reader.error("traffic.clickhouse.cluster",
                     fmt::format("is {}, which is no name; write the cluster's name in the servers' "
                                 "remote_servers, or \"\" for one server",
                                 quote(clickhouse.cluster)));
    }
}

}  // namespace

void read_traffic(SettingsReader& reader, Settings& settings) {
    Settings::Traffic& traffic = settings.traffic;
    read_choice(reader, traffic);
    read_clickhouse(reader, traffic.clickhouse);
    read_producer(reader, settings, traffic.kafka);
    if (!traffic.only_collects()) return;
    if (!traffic.on_clickhouse()) {
        reader.error("traffic.role",
                     "is \"collector\", but there is no store that another daemon could judge; set "
                     "traffic.store to \"clickhouse\"");
    } else if (!settings.flow.enabled) {
        reader.error("traffic.role", "is \"collector\", but nothing is collected; set flow.enabled to true");
    }
    if (!traffic.clickhouse.kafka.brokers.empty()) {
        reader.warning("traffic.clickhouse.kafka.brokers",
                       "has no effect on a collector: the daemon that judges makes the tables");
    }
}

}  // namespace cam::app
