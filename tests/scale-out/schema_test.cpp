#include "cam/clickhouse/schema.h"

#include <gtest/gtest.h>

#include <thread>

#include <spdlog/fmt/fmt.h>

#include "cam/model/traffic_class.h"
#include "scale-out/engine.h"

namespace cam::clickhouse {
namespace {

class SchemaTest : public test::EngineTest {
protected:
    SchemaOptions options{.password = Secret{test::Engine::kPassword}};
};

TEST_F(SchemaTest, IsMadeOnceAndMayBeMadeAgain) {
    const Result<std::uint32_t> first = migrate(*client, options, {});
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_EQ(*first, 0U);
    const Result<std::uint32_t> second = migrate(*client, options, {});
    ASSERT_TRUE(second) << second.error().detail;
    EXPECT_EQ(*second, schema_version());
    EXPECT_EQ(ask("SELECT count() FROM schema_versions"), "1");
    const auto rare = [this] {
        return ask(
            "SELECT groupArray(name) FROM (SELECT name FROM system.tables WHERE database = 'flows' AND "
            "create_table_query LIKE '%merge_selector_base = 10%' ORDER BY name)");
    };
    EXPECT_EQ(rare(), "['raw','source_minutes']");
    ask("ALTER TABLE raw RESET SETTING merge_selector_base");
    ASSERT_EQ(rare(), "['source_minutes']");
    ASSERT_TRUE(migrate(*client, options, {}));
    EXPECT_EQ(rare(), "['raw','source_minutes']") << "also of tables that were made without it";
}

TEST_F(SchemaTest, TwoDaemonsMayMakeItAtOnce) {
    std::vector<std::string> faults(2);
    {
        std::vector<std::jthread> daemons;
        for (std::string& fault : faults) {
            daemons.emplace_back([this, &fault] {
                const auto mine = engine->client();
                const Result<std::uint32_t> done = migrate(*mine, options, {});
                if (!done) fault = done.error().detail;
            });
        }
    }
    EXPECT_EQ(faults, std::vector<std::string>(2));
    EXPECT_EQ(ask("SELECT max(version) FROM schema_versions"), fmt::format("{}", schema_version()));
    EXPECT_EQ(ask("SELECT count() FROM raw"), "0");
}

TEST_F(SchemaTest, OfANewerProgramIsLeftAlone) {
    ASSERT_TRUE(migrate(*client, options, {}));
    ask(fmt::format("INSERT INTO schema_versions (version) VALUES ({})", schema_version() + 1));
    const Result<std::uint32_t> refused = migrate(*client, options, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kNewer);
}

TEST_F(SchemaTest, FollowsTheSettingsOfKafka) {
    const auto tables = [this] {
        return ask("SELECT count() FROM system.tables WHERE database = 'flows' AND name LIKE 'kafka_%'");
    };
    ASSERT_TRUE(migrate(*client, options, {}));
    EXPECT_EQ(tables(), "1");  // kafka_errors
    options.kafka = KafkaSource{.brokers = "127.0.0.1:1", .topic = "it's"};
    const Result<std::uint32_t> with = migrate(*client, options, {});
    ASSERT_TRUE(with) << with.error().detail;
    EXPECT_EQ(tables(), "4");
    const std::string first = ask("SELECT uuid FROM system.tables WHERE name = 'kafka_flows'");
    ASSERT_TRUE(migrate(*client, options, {}));
    EXPECT_EQ(ask("SELECT uuid FROM system.tables WHERE name = 'kafka_flows'"), first) << "nothing changed";
    options.kafka->consumers = 2;
    ASSERT_TRUE(migrate(*client, options, {}));
    EXPECT_NE(ask("SELECT uuid FROM system.tables WHERE name = 'kafka_flows'"), first);
    options.kafka.reset();
    ASSERT_TRUE(migrate(*client, options, {}));
    EXPECT_EQ(tables(), "1");
}

TEST_F(SchemaTest, OfAClusterIsUnderstoodByTheEngine) {
    options.cluster = "main";
    options.kafka = KafkaSource{.brokers = "127.0.0.1:1"};
    Result<std::vector<std::string>> statements = schema_statements(options);
    ASSERT_TRUE(statements);
    const Result<std::vector<std::string>> kafka = kafka_statements(options);
    ASSERT_TRUE(kafka);
    statements->insert(statements->end(), kafka->begin(), kafka->end());
    for (const std::string& statement : *statements) {
        const Result<std::string> tree = client->run({.text = "EXPLAIN AST " + statement, .database = ""});
        EXPECT_TRUE(tree) << statement << "\n" << tree.error().detail;
    }
}

/// Every protocol number with every combination of the six flags that the classes look at, and two others.
TEST_F(SchemaTest, KnowsTheSameTrafficClassesAsTheProgram) {
    ASSERT_TRUE(migrate(*client, options, {}));
    ask("INSERT INTO raw (received, collector, sampler_address, proto, tcp_flags, src_port) SELECT "
        "toDateTime64('2026-11-27 10:00:00', 3, 'UTC'), 'test', '::1', number % 256, intDiv(number, 256), 0 "
        "FROM "
        "numbers(65536)");
    const Result<std::string> answer =
        client->run({.text = "SELECT proto, tcp_flags, toInt8(traffic_class) FROM raw ORDER BY proto, "
                             "tcp_flags FORMAT RowBinary"});
    ASSERT_TRUE(answer) << answer.error().detail;
    ASSERT_EQ(answer->size(), 65536U * 4);
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < answer->size(); at += 4) {
        const auto byte = [&](std::size_t offset) {
            return static_cast<std::uint8_t>((*answer)[at + offset]);
        };
        FlowRecord record;
        record.fields.add(FlowField::kProtocol);
        record.fields.add(FlowField::kTcpFlags);
        record.protocol = byte(0);
        record.tcp_flags = static_cast<std::uint16_t>(byte(1) | byte(2) << 8U);
        if (static_cast<std::uint8_t>(narrowest_class(record)) != byte(3)) ++wrong;
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_EQ(narrowest_class(FlowRecord{}), TrafficClass::kOther) << "unknown is written as protocol 0";
    EXPECT_EQ(ask("SELECT uniqExact(traffic_class) FROM raw"), "9");
}

TEST_F(SchemaTest, AppliesSamplingOnceAndSaturates) {
    ASSERT_TRUE(migrate(*client, options, {}));
    ask("INSERT INTO plan_routers (generation, address, name, default_sampling) VALUES (1, '192.0.2.1/32', "
        "'edge', "
        "100)");
    ask("INSERT INTO plans VALUES (1, now64(3), 0, 1)");
    ask("SYSTEM RELOAD DICTIONARY flows.router_settings");
    ask("INSERT INTO raw (received, collector, sampler_address, sampling_rate, sampling_source, bytes, "
        "packets, proto) "
        "VALUES ('2026-11-27 10:00:00', 'a', '192.0.2.1', 0, 'none', 7, 2, 17), "
        "('2026-11-27 10:00:01', 'b', '192.0.2.1', 10, 'record', 7, 2, 17), "
        "('2026-11-27 10:00:02', 'c', '192.0.2.2', 0, 'none', 7, 2, 17), "
        "('2026-11-27 10:00:03', 'd', '192.0.2.2', 3, 'options', 18446744073709551615, 2, 17)");
    EXPECT_EQ(
        ask("SELECT collector, rate, rate_source, total_bytes, total_packets FROM raw ORDER BY collector"),
        "a\t100\trouter_default\t700\t200\nb\t10\trecord\t70\t20\nc\t1\tnone\t7\t2\n"
        "d\t3\toptions\t18446744073709551615\t6");
    EXPECT_EQ(ask("SELECT sum(bytes), sum(packets), sum(flows), sum(records) FROM prefix_minutes WHERE "
                  "prefix_id = 0"),
              "18446744073709552392\t228\t114\t4")
        << "the sums do not wrap";
}

TEST_F(SchemaTest, MakesDictionariesAnewThatCannotLogIn) {
    ASSERT_TRUE(migrate(*client, options, {}));
    // What a change of the password leaves behind: a dictionary whose login the server refuses.
    ask("CREATE OR REPLACE DICTIONARY router_settings (address String, name String, default_sampling UInt32) "
        "PRIMARY "
        "KEY address SOURCE(CLICKHOUSE(USER 'gone' QUERY 'SELECT address, name, default_sampling FROM "
        "flows.plan_routers')) LAYOUT(IP_TRIE) LIFETIME(0)");
    EXPECT_FALSE(client->run({.text = "SYSTEM RELOAD DICTIONARY flows.router_settings"}));
    const Result<std::uint32_t> again = migrate(*client, options, {});
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(ask("SYSTEM RELOAD DICTIONARY flows.router_settings"), "");
}

}  // namespace
}  // namespace cam::clickhouse
