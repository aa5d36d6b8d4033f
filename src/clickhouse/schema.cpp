#include "cam/clickhouse/schema.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "clickhouse/schema_template.h"
#include "clickhouse/schema_texts.h"

namespace cam::clickhouse {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kLongestName = 64;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

std::optional<Error> fault_of(const SchemaOptions& options) {
    if (!is_name(options.database) || options.database.find('-') != std::string::npos) {
        return Error{ErrorCode::kInvalid,
                     "the name of ClickHouse's database must be 1 to 64 letters, digits or _"};
    }
    if (!options.cluster.empty() && !is_name(options.cluster)) {
        return Error{ErrorCode::kInvalid, "the name of the cluster must be 1 to 64 letters, digits, _ or -"};
    }
    if (options.raw_days == 0 || options.minute_days < 8) {
        return Error{
            ErrorCode::kInvalid,
            "raw flows must be kept for a day or more, minutes for 8 days or more (the rules compare "
            "with last week)"};
    }
    return std::nullopt;
}

std::string kafka_schema(const KafkaSource& kafka) {
    if (kafka.proto_schema == KafkaSource::ProtoSchema::kFile) {
        return "kafka_schema = 'flow.proto:FlowMessage'";
    }
    return fmt::format(
        "format_schema_source = 'string', format_schema = {}, format_schema_message_name = "
        "'FlowMessage'",
        string_literal(one_line(flow_proto_text)));
}

std::optional<std::string> kafka_value(const KafkaSource& kafka, std::string_view name) {
    if (name == "kafka_brokers") return string_literal(kafka.brokers);
    if (name == "kafka_topic") return string_literal(kafka.topic);
    if (name == "kafka_group") return string_literal(kafka.group);
    if (name == "kafka_consumers") return fmt::format("{}", kafka.consumers);
    if (name == "kafka_schema") return kafka_schema(kafka);
    if (name == "kafka_format") {
        return kafka.framing == KafkaSource::Framing::kPlain ? "'ProtobufSingle'" : "'Protobuf'";
    }
    return std::nullopt;
}

/// An expression of a file with its argument in place.
std::optional<std::string> expression(std::string_view file, std::string_view argument) {
    Result<std::string> text =
        filled_in(one_line(file), [&](std::string_view name, std::string_view) -> std::optional<std::string> {
            if (name != "argument") return std::nullopt;
            return std::string{argument};
        });
    if (!text) return std::nullopt;
    return std::move(text).value();
}

std::optional<std::string> value_of(const SchemaOptions& options, std::string_view name,
                                    std::string_view argument) {
    const bool one = options.cluster.empty();
    if (name == "database") return options.database;
    if (name == "on_cluster") return one ? "" : fmt::format("ON CLUSTER {}", string_literal(options.cluster));
    if (name == "cluster") return string_literal(options.cluster);
    if (name == "replicated") return one ? "" : "Replicated";
    if (name == "local") return one ? "" : "_local";
    if (name == "deduplication") {
        return one ? "non_replicated_deduplication_window" : "replicated_deduplication_window";
    }
    // The macros {shard} and {replica} are the servers': every one is a replica of the same small table.
    if (name == "everywhere") {
        return one ? ""
                   : fmt::format("'/clickhouse/{}/{}', '{{shard}}-{{replica}}'", options.database, argument);
    }
    if (name == "dictionary_login") {
        return fmt::format("USER {} PASSWORD {}", string_literal(options.user),
                           string_literal(options.password.reveal()));
    }
    if (name == "raw_days") return fmt::format("{}", options.raw_days);
    if (name == "minute_days") return fmt::format("{}", options.minute_days);
    if (name == "traffic_class") return expression(traffic_class_text, {});
    if (name == "source_network") return expression(source_network_text, {});
    if (name == "address") return expression(address_text, argument);
    if (name == "milliseconds") return expression(milliseconds_text, argument);
    if (options.kafka) return kafka_value(*options.kafka, name);
    return std::nullopt;
}

Result<std::vector<std::string>> filled_statements(std::string_view file, const SchemaOptions& options) {
    if (std::optional<Error> fault = fault_of(options)) return *std::move(fault);
    std::vector<std::string> out;
    for (const std::string& statement :
         statements_of(file, options.cluster.empty() ? Servers::kOne : Servers::kCluster)) {
        Result<std::string> filled =
            filled_in(statement, [&](std::string_view name, std::string_view argument) {
                return value_of(options, name, argument);
            });
        if (!filled) return std::move(filled).error();
        out.push_back(std::move(filled).value());
    }
    return out;
}

/// Statements of the schema run without the database, which may not be there yet.
class Migration {
public:
    Migration(Client& client, const SchemaOptions& options, std::stop_token stop)
        : client_(client), options_(options), stop_(std::move(stop)) {}

    Result<std::string> ask(std::string text) {
        return client_.run({.text = std::move(text), .database = "", .stop = stop_});
    }
    Status run_all(const std::vector<std::string>& statements) {
        for (const std::string& statement : statements) {
            const Result<std::string> done = ask(statement);
            if (!done) return done.error();
        }
        return Done{};
    }
    Result<std::uint32_t> found_version() {
        const Result<std::string> there = ask(
            fmt::format("SELECT count() FROM system.tables WHERE database = {} AND name = 'schema_versions'",
                        string_literal(options_.database)));
        if (!there) return there.error();
        if (there->starts_with('0')) return std::uint32_t{0};
        const Result<std::string> answer =
            ask(fmt::format("SELECT max(version) FROM {}.schema_versions", options_.database));
        if (!answer) return answer.error();
        std::uint32_t version = 0;
        const auto [end, fault] = std::from_chars(answer->data(), answer->data() + answer->size(), version);
        if (fault != std::errc{})
            return Error{ErrorCode::kBroken, "ClickHouse's schema version is no number"};
        return version;
    }
    /// Merges of the large tables cost more processor than inserts do. With a higher base parts wait for more
    /// of their size, so each row is merged less often. Older servers do not know the setting, and do
    /// without; they are asked again at each start.
    Status make_merges_rare() {
        const Result<std::string> without = ask(fmt::format(
            "SELECT count() FROM system.tables WHERE database = {} AND engine LIKE '%MergeTree' AND name IN "
            "('raw', 'raw_local', 'source_minutes', 'source_minutes_local') AND "
            "position(create_table_query, 'merge_selector_base') = 0",
            string_literal(options_.database)));
        if (!without) return without.error();
        if (without->starts_with('0')) return Done{};
        for (const char* table : {"raw", "source_minutes"}) {
            const std::string where =
                options_.cluster.empty()
                    ? table
                    : fmt::format("{}_local ON CLUSTER {}", table, string_literal(options_.cluster));
            const Result<std::string> done = ask(fmt::format(
                "ALTER TABLE {}.{} MODIFY SETTING merge_selector_base = 10", options_.database, where));
            if (!done && done.error().code != ErrorCode::kNotFound) return done.error();
        }
        return Done{};
    }
    Status record_version() {
        const Result<std::string> done = ask(
            fmt::format("INSERT INTO {}.schema_versions (version) SELECT {} WHERE (SELECT max(version) FROM "
                        "{}.schema_versions) < {}",
                        options_.database, kVersion, options_.database, kVersion));
        if (!done) return done.error();
        return Done{};
    }
    /// The definition that the Kafka table was made from is remembered in its comment.
    Status follow_kafka() {
        const std::string& database = options_.database;
        const Result<std::string> comment = ask(fmt::format(
            "SELECT comment FROM system.tables WHERE database = {} AND name = 'kafka_flows' FORMAT RawBLOB",
            string_literal(database)));
        if (!comment) return comment.error();
        const Result<std::string> views =
            ask(fmt::format("SELECT count() FROM system.tables WHERE database = {} AND name IN "
                            "('kafka_flows', 'kafka_to_raw', "
                            "'kafka_to_errors')",
                            string_literal(database)));
        if (!views) return views.error();
        const std::string wanted = options_.kafka ? kafka_fingerprint() : "";
        const bool complete = views->starts_with('3');
        if (options_.kafka ? complete && *comment == wanted : views->starts_with('0')) return Done{};
        const std::string everywhere =
            options_.cluster.empty() ? "" : fmt::format(" ON CLUSTER {}", string_literal(options_.cluster));
        for (const char* name : {"kafka_to_raw", "kafka_to_errors", "kafka_flows"}) {
            const Result<std::string> gone =
                ask(fmt::format("DROP TABLE IF EXISTS {}.{}{} SYNC", database, name, everywhere));
            if (!gone) return gone.error();
        }
        if (!options_.kafka) return Done{};
        Result<std::vector<std::string>> statements = kafka_statements(options_);
        if (!statements) return std::move(statements).error();
        statements->front() += fmt::format(" COMMENT {}", string_literal(wanted));
        return run_all(*statements);
    }
    /// After a change of user or password.
    Status renew_dictionaries(const std::vector<std::string>& statements) {
        const Result<std::string> failed = ask(fmt::format(
            "SELECT count() FROM system.dictionaries WHERE database = {} AND last_exception != ''",
            string_literal(options_.database)));
        if (!failed) return failed.error();
        if (failed->starts_with('0')) return Done{};
        constexpr std::string_view kCreate = "CREATE DICTIONARY IF NOT EXISTS";
        for (const std::string& statement : statements) {
            if (!statement.starts_with(kCreate)) continue;
            const Result<std::string> renewed =
                ask(fmt::format("CREATE OR REPLACE DICTIONARY{}", statement.substr(kCreate.size())));
            if (!renewed) return renewed.error();
        }
        return Done{};
    }

private:
    [[nodiscard]] std::string kafka_fingerprint() const {
        const KafkaSource& kafka = *options_.kafka;
        return fmt::format("brokers={} topic={} group={} consumers={} framing={} schema={}", kafka.brokers,
                           kafka.topic, kafka.group, kafka.consumers, static_cast<int>(kafka.framing),
                           static_cast<int>(kafka.proto_schema));
    }

    Client& client_;
    const SchemaOptions& options_;
    std::stop_token stop_;
};

}  // namespace

std::uint32_t schema_version() {
    return kVersion;
}

Result<std::vector<std::string>> schema_statements(const SchemaOptions& options) {
    return filled_statements(tables_text, options);
}

Result<std::vector<std::string>> kafka_statements(const SchemaOptions& options) {
    check(options.kafka.has_value(), "kafka_statements() without a source");
    const KafkaSource& kafka = *options.kafka;
    if (kafka.brokers.empty() || kafka.topic.empty() || kafka.group.empty() || kafka.consumers == 0) {
        return Error{ErrorCode::kInvalid, "Kafka needs brokers, a topic, a group and at least one consumer"};
    }
    return filled_statements(kafka_text, options);
}

Result<std::uint32_t> migrate(Client& client, const SchemaOptions& options, std::stop_token stop) {
    const Result<std::vector<std::string>> statements = schema_statements(options);
    if (!statements) return statements.error();
    Migration migration{client, options, std::move(stop)};
    Result<std::uint32_t> found = migration.found_version();
    if (!found) return found;
    if (*found > kVersion) {
        return Error{
            ErrorCode::kNewer,
            fmt::format("the tables of ClickHouse's database '{}' have version {}, this program knows "
                        "{}: install the newer program here too",
                        options.database, *found, kVersion)};
    }
    if (*found < kVersion) {
        Status made = migration.run_all(*statements);
        if (made) made = migration.record_version();
        if (!made) return std::move(made).error();
    }
    if (Status rare = migration.make_merges_rare(); !rare) return std::move(rare).error();
    if (Status renewed = migration.renew_dictionaries(*statements); !renewed)
        return std::move(renewed).error();
    if (Status followed = migration.follow_kafka(); !followed) return std::move(followed).error();
    return found;
}

}  // namespace cam::clickhouse
