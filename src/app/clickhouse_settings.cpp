#include "app/clickhouse_settings.h"

namespace cam::app {

clickhouse::Client::Options clickhouse_options(const Settings::Traffic::ClickHouse& settings,
                                               std::chrono::milliseconds total) {
    return {.url = settings.url,
            .database = settings.database,
            .user = settings.user,
            .password = settings.password.value_or(Secret{}),
            .ca_file = settings.ca_file,
            .total = total,
            .connect = std::chrono::seconds{5}};
}

clickhouse::SchemaOptions schema_options(const Settings::Traffic::ClickHouse& settings) {
    clickhouse::SchemaOptions options{.database = settings.database, .cluster = settings.cluster};
    options.user = settings.user;
    options.password = settings.password.value_or(Secret{});
    if (!settings.kafka.brokers.empty()) {
        options.kafka = clickhouse::KafkaSource{.brokers = settings.kafka.brokers,
                                                .topic = settings.kafka.topic,
                                                .group = settings.kafka.group,
                                                .consumers = settings.kafka.consumers};
    }
    return options;
}

clickhouse::RecordWriter::Options writer_options(const Settings::Traffic::ClickHouse& settings) {
    clickhouse::RecordWriter::Options options;
    options.batch_rows = static_cast<std::size_t>(settings.batch_rows);
    options.total = std::chrono::seconds{30};  // a loop is thought to hang after 75 s
    options.buffer_bytes = static_cast<std::size_t>(settings.buffer_bytes);
    return options;
}

}  // namespace cam::app
