// ClickHouse's real server, in the old version that Debian has: it knows none of our schema, but its HTTP is
// the real one.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "cam/clickhouse/client.h"
#include "fakes/base/temp_folder.h"
#include "integration/process.h"

namespace cam::clickhouse {
namespace {

using namespace std::chrono_literals;

constexpr const char* kProgram = "/usr/sbin/clickhouse-server";
constexpr const char* kPassword = "oLd-0123456789";

class OldServerTest : public testing::Test {
protected:
    void SetUp() override {
        if (!std::filesystem::exists(kProgram)) {
            const char* const required = std::getenv("CAM_SCALE_OUT_REQUIRED");
            if (required != nullptr && std::string{required} == "1") FAIL() << "no " << kProgram;
            GTEST_SKIP() << "no " << kProgram << ": install clickhouse-server";
        }
        port_ = test::free_port();
        folder_.write(
            "users.xml",
            std::string{"<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default>"
                        "<password>"} +
                kPassword +
                "</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default"
                "</quota></default></users></yandex>");
        folder_.write(
            "config.xml",
            "<yandex><logger><level>warning</level><console>1</console></logger><http_port>" +
                std::to_string(port_) + "</http_port><listen_host>127.0.0.1</listen_host><path>" +
                folder_.path() + "/data/</path><tmp_path>" + folder_.path() +
                "/tmp/</tmp_path><users_config>" + folder_.path() +
                "/users.xml</users_config><mark_cache_size>67108864</mark_cache_size>"
                "<default_profile>default</default_profile><default_database>default</default_database>"
                "</yandex>");
        server_ = std::make_unique<test::Process>(
            test::Process::Options{.arguments = {"--config-file=" + folder_.file("config.xml")},
                                   .folder = folder_.path(),
                                   .environment = {},
                                   .program = kProgram});
        client_ = client(kPassword);
        ASSERT_TRUE(test::eventually([this] { return client_->version().has_value(); }, 30s))
            << server_->err();
    }
    [[nodiscard]] std::unique_ptr<Client> client(const std::string& password,
                                                 const std::string& database = "default",
                                                 std::chrono::milliseconds total = 20s) const {
        auto opened = Client::open({.url = "http://127.0.0.1:" + std::to_string(port_),
                                    .database = database,
                                    .password = Secret{password},
                                    .total = total});
        EXPECT_TRUE(opened);
        return std::move(opened).value();
    }
    static ErrorCode code_of(const Result<std::string>& answer) {
        EXPECT_FALSE(answer);
        return answer ? ErrorCode::kInternal : answer.error().code;
    }

    TempFolder folder_;
    std::uint16_t port_ = 0;
    std::unique_ptr<test::Process> server_;
    std::unique_ptr<Client> client_;
};

TEST_F(OldServerTest, AnswersAndRefusesAsARealServerDoes) {
    EXPECT_TRUE(client_->version()->starts_with("18."));
    EXPECT_EQ(client_->run({.text = "SELECT 1 + 1"}).value(), "2\n");
    EXPECT_EQ(code_of(client("wrong")->run({.text = "SELECT 1"})), ErrorCode::kRefused);
    EXPECT_EQ(code_of(client(kPassword, "nowhere")->run({.text = "SELECT 1"})), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(client_->run({.text = "SELECT * FROM nothing"})), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(client_->run({.text = "SELEKT 1"})), ErrorCode::kInvalid);
}

TEST_F(OldServerTest, RowsComeAndGoInTheBody) {
    ASSERT_TRUE(client_->run({.text = "CREATE TABLE numbers (a UInt32) ENGINE = MergeTree ORDER BY a"}));
    const Query insert{.text = "INSERT INTO numbers FORMAT RowBinary",
                       .data = std::string("\1\0\0\0\2\0\0\0", 8)};
    ASSERT_TRUE(client_->run(insert));
    EXPECT_EQ(client_->run({.text = "SELECT * FROM numbers ORDER BY a FORMAT RowBinary"}).value(),
              std::string("\1\0\0\0\2\0\0\0", 8));
    const Query cut{.text = "INSERT INTO numbers FORMAT RowBinary", .data = "\1\0"};
    EXPECT_EQ(code_of(client_->run(cut)), ErrorCode::kInvalid);
}

TEST_F(OldServerTest, AnExceptionAfterManyRowsIsNoAnswer) {
    const Result<std::string> answer =
        client_->run({.text = "SELECT throwIf(number = 3000000) FROM system.numbers",
                      .settings = {{"max_block_size", "1000"}}});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kInternal);
    EXPECT_NE(answer.error().detail.find("after the answer had begun"), std::string::npos)
        << answer.error().detail;
}

TEST_F(OldServerTest, AKilledServerLeavesABrokenAnswer) {
    std::jthread later([this] {
        std::this_thread::sleep_for(500ms);
        server_->signal(SIGKILL);
    });
    EXPECT_EQ(
        code_of(client_->run({.text = "SELECT number FROM system.numbers", .max_answer_bytes = SIZE_MAX})),
        ErrorCode::kBroken);
    later.join();
    server_->wait();
    EXPECT_EQ(code_of(client_->run({.text = "SELECT 1"})), ErrorCode::kUnreachable);
}

TEST_F(OldServerTest, AHungServerIsGivenUp) {
    server_->signal(SIGSTOP);
    EXPECT_EQ(code_of(client(kPassword, "default", 500ms)->run({.text = "SELECT 1"})), ErrorCode::kTimeout);
    server_->signal(SIGCONT);
    EXPECT_EQ(client_->run({.text = "SELECT 2"}).value(), "2\n");
}

}  // namespace
}  // namespace cam::clickhouse
