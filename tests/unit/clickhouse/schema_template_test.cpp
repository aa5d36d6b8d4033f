#include "clickhouse/schema_template.h"

#include <gtest/gtest.h>

#include "cam/clickhouse/plan_writer.h"
#include "cam/clickhouse/schema.h"

namespace cam::clickhouse {
namespace {

TEST(SchemaTemplateTest, StatementsEndWithALineThatEndsWithASemicolon) {
    const std::string file =
        "-- words; more;\nCREATE a;\n\n-- cluster\nCREATE b\n  (x ';');\n  -- in the middle\nSELECT ';';\n";
    EXPECT_EQ(statements_of(file, Servers::kOne), (std::vector<std::string>{"CREATE a", "SELECT ';'"}));
    EXPECT_EQ(statements_of(file, Servers::kCluster),
              (std::vector<std::string>{"CREATE a", "CREATE b\n  (x ';')", "SELECT ';'"}));
}

TEST(SchemaTemplateTest, PlaceholdersAreFilledIn) {
    const auto value = [](std::string_view name, std::string_view argument) -> std::optional<std::string> {
        if (name == "name") return "N";
        if (name == "call") return "[" + std::string{argument} + "]";
        return std::nullopt;
    };
    EXPECT_EQ(filled_in("a @name@ b @call(x)@ c @call:y@.", value).value(), "a N b [x] c [y].");
    EXPECT_EQ(filled_in("@other@", value).error().code, ErrorCode::kInternal);
    EXPECT_EQ(filled_in("a @name", value).error().code, ErrorCode::kInternal);
}

TEST(SchemaTemplateTest, LiteralsCannotEndEarly) {
    EXPECT_EQ(string_literal(R"(a'b\c)"), R"('a\'b\\c')");
}

SchemaOptions options() {
    return {.kafka = KafkaSource{.brokers = "a:9092"}, .password = Secret{"it's"}};
}

TEST(SchemaStatementsTest, OneServerHasPlainTables) {
    const auto statements = schema_statements(options());
    ASSERT_TRUE(statements);
    for (const std::string& statement : *statements) {
        EXPECT_EQ(statement.find('@'), std::string::npos) << statement;
        EXPECT_EQ(statement.find("ON CLUSTER"), std::string::npos) << statement;
        EXPECT_EQ(statement.find("Replicated"), std::string::npos) << statement;
        EXPECT_EQ(statement.find("_local"), std::string::npos) << statement;
        EXPECT_NE(statement.find("IF NOT EXISTS"), std::string::npos) << "may be repeated: " << statement;
    }
}

TEST(SchemaStatementsTest, AClusterHasReplicatedShardsAndDistributedTables) {
    SchemaOptions cluster = options();
    cluster.cluster = "main";
    const auto statements = schema_statements(cluster);
    ASSERT_TRUE(statements);
    std::size_t distributed = 0;
    for (const std::string& statement : *statements) {
        EXPECT_NE(statement.find("ON CLUSTER 'main'"), std::string::npos) << statement;
        if (statement.find("Distributed('main', flows") != std::string::npos) ++distributed;
        if (statement.find("MergeTree") != std::string::npos) {
            EXPECT_NE(statement.find("= Replicated"), std::string::npos) << statement;
        }
    }
    EXPECT_EQ(distributed, 7U);
    EXPECT_GT(statements->size(), schema_statements(options())->size());
}

TEST(SchemaStatementsTest, NamesAreCheckedAndSecretsQuoted) {
    for (const char* name : {"", "a b", "a;DROP", "a-b", "a'"}) {
        SchemaOptions wrong = options();
        wrong.database = name;
        const auto refused = schema_statements(wrong);
        ASSERT_FALSE(refused) << name;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
    }
    SchemaOptions wrong = options();
    wrong.cluster = "a'b";
    EXPECT_FALSE(schema_statements(wrong));
    wrong = options();
    wrong.minute_days = 7;
    EXPECT_FALSE(schema_statements(wrong));
    std::size_t logins = 0;
    const auto statements = schema_statements(options());
    for (const std::string& statement : *statements) {
        if (statement.find(R"(PASSWORD 'it\'s')") != std::string::npos) ++logins;
    }
    EXPECT_EQ(logins, 4U);
}

TEST(SchemaStatementsTest, KafkaReadsWhatGoflow2Writes) {
    SchemaOptions kafka = options();
    const auto statements = kafka_statements(kafka);
    ASSERT_TRUE(statements);
    ASSERT_EQ(statements->size(), 3U);
    const std::string& table = statements->front();
    EXPECT_NE(table.find("kafka_format = 'Protobuf'"), std::string::npos);
    EXPECT_NE(table.find("uint64 time_received_ns = 110;"), std::string::npos);
    EXPECT_EQ(table.find("//"), std::string::npos) << "comments would swallow the rest of the line";
    kafka.kafka->framing = KafkaSource::Framing::kPlain;
    kafka.kafka->proto_schema = KafkaSource::ProtoSchema::kFile;
    const auto plain = kafka_statements(kafka);
    EXPECT_NE(plain->front().find("kafka_format = 'ProtobufSingle'"), std::string::npos);
    EXPECT_NE(plain->front().find("kafka_schema = 'flow.proto:FlowMessage'"), std::string::npos);
    kafka.kafka->consumers = 0;
    EXPECT_EQ(kafka_statements(kafka).error().code, ErrorCode::kInvalid);
}

TEST(PrefixIdTest, IsTheSameForEver) {
    const auto id = [](const char* text) { return prefix_id(Prefix::parse(text).value()); };
    EXPECT_EQ(id("0.0.0.0/0"), 0x1'0000'0000U);
    EXPECT_EQ(id("10.1.0.0/16"), 0x11'0a01'0000U);
    EXPECT_EQ(id("2001:db8::/32"), 0xe3b16a6ca68d7fe0U) << "stored in tables: never changes";
    EXPECT_NE(id("2001:db8::/32"), id("2001:db8::/33"));
    EXPECT_NE(id("::/0"), 0U);
}

}  // namespace
}  // namespace cam::clickhouse
