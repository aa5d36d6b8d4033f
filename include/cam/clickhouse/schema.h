#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/clickhouse/client.h"

namespace cam::clickhouse {

/// Where GoFlow2's flows come from.
struct KafkaSource {
    /// How messages lie in the topic. GoFlow2's `-format bin` writes kLengthPrefixed.
    enum class Framing : std::uint8_t { kLengthPrefixed, kPlain };
    /// How the server knows the message's layout.
    enum class ProtoSchema : std::uint8_t {
        kInline,  ///< in the table's definition (`format_schema_source = 'string'`)
        kFile,    ///< the server's own file `flow.proto` in its format_schema_path
    };
    std::string brokers;  ///< `host:9092,host:9092`
    std::string topic = "flows";
    std::string group = "cloudflare-analytics-monitor";
    std::uint32_t consumers = 1;  ///< at most as many as the topic has partitions
    Framing framing = Framing::kLengthPrefixed;
    ProtoSchema proto_schema = ProtoSchema::kInline;
};

/// What the tables are made with. docs/database.md describes them.
struct SchemaOptions {
    std::string database = "flows";
    /// Name of a cluster in the servers' configuration: replicated tables on every shard, Distributed tables
    /// over them. Empty: one server.
    std::string cluster{};
    std::optional<KafkaSource> kafka{};
    /// With what the servers' dictionaries read their tables; as Client::Options. The password is part of a
    /// statement, which ClickHouse keeps and hides in its logs.
    std::string user = "default";
    Secret password{};
    std::uint32_t raw_days = 30;
    std::uint32_t minute_days = 60;
};

/// The version that this program makes and knows.
[[nodiscard]] std::uint32_t schema_version();

/// All statements that make the schema from nothing, in order; pure. Every one may be repeated. They hold the
/// password. kInvalid: a name or an option cannot be used (names are letters, digits, `_` and `-`).
Result<std::vector<std::string>> schema_statements(const SchemaOptions& options);
/// The same for the Kafka table and its views; `options.kafka` is there.
Result<std::vector<std::string>> kafka_statements(const SchemaOptions& options);

/// Brings the database to schema_version() and the Kafka tables to what `options.kafka` says (none: they are
/// removed, nothing is consumed any longer). Does nothing if all is so already. Safe when several daemons do
/// it at once, and may be repeated after a failure in the middle. Dictionaries that cannot log in (the
/// password was changed) are made anew. kNewer: a newer program was here; kRefused: the user lacks rights.
/// Returns the version that was found (0: no schema).
Result<std::uint32_t> migrate(Client& client, const SchemaOptions& options, std::stop_token stop);

}  // namespace cam::clickhouse
