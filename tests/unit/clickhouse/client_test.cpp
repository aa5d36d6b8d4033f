#include "cam/clickhouse/client.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <thread>

#include "fakes/base/temp_folder.h"
#include "fakes/net/fake_http_client.h"
#include "fakes/net/raw_server.h"

namespace cam::clickhouse {
namespace {

using namespace std::chrono_literals;

constexpr const char* kPassword = "pAsSwOrD-0123456789";

std::unique_ptr<Client> client_of(const std::string& url, std::chrono::milliseconds total = 5s) {
    auto opened = Client::open({.url = url, .user = "soc", .password = Secret{kPassword}, .total = total});
    EXPECT_TRUE(opened) << opened.error().detail;
    return std::move(opened).value();
}

/// The error of a query; no error of any kind may hold the password or the address.
Error error_of(Client& client, const std::string& text = "SELECT 1") {
    const Result<std::string> answer = client.run({.text = text});
    EXPECT_FALSE(answer);
    if (answer) return {ErrorCode::kInternal, "no error"};
    EXPECT_EQ(answer.error().detail.find(kPassword), std::string::npos);
    EXPECT_EQ(answer.error().detail.find("127.0.0.1"), std::string::npos);
    return answer.error();
}

/// One answer, as it is on the wire, to every request; then the connection ends.
class Wire {
public:
    explicit Wire(std::string answer)
        : server_([answer = std::move(answer)](net::RawConnection& connection) {
              if (connection.read_header()) connection.send(answer);
              connection.shut();
          }) {}
    [[nodiscard]] std::string url() const { return server_.url(); }

private:
    net::RawServer server_;
};

TEST(ClickHouseClientTest, SendsTheStatementAndWhoAsks) {
    auto fake = std::make_unique<net::FakeHttpClient>();
    net::FakeHttpClient& http = *fake;
    http.then_body(200, "1\n", {});
    auto client = Client::open({.url = "http://db:8123", .user = "soc", .password = Secret{kPassword}},
                               std::move(fake));
    ASSERT_TRUE(client);
    Query query{.text = "SELECT {name:String}"};
    query.parameters = {{"name", "a\tb\\c&d=é"}};
    query.settings = {{"max_threads", "2"}};
    EXPECT_EQ((*client)->run(query).value(), "1\n");
    const net::HttpRequest& request = http.requests.front();
    EXPECT_EQ(
        request.url,
        "http://db:8123/"
        "?enable_http_compression=1&database=flows&param_name=a%5Ctb%5C%5Cc%26d%3D%C3%A9&max_threads=2");
    EXPECT_EQ(request.body, "SELECT {name:String}");
    const std::vector<std::pair<std::string, std::string>> expected{
        {"X-ClickHouse-User", "soc"},
        {"Content-Type", "application/octet-stream"},
        {"X-ClickHouse-Key", kPassword}};
    EXPECT_EQ(request.headers, expected);
}

TEST(ClickHouseClientTest, SendsRowsInTheBodyAndTheirStatementInTheUrl) {
    auto fake = std::make_unique<net::FakeHttpClient>();
    net::FakeHttpClient& http = *fake;
    http.then_body(200, "", {});
    auto client = Client::open({.url = "https://db/click/"}, std::move(fake));
    ASSERT_TRUE(client);
    ASSERT_TRUE((*client)->run(
        {.text = "INSERT INTO raw FORMAT RowBinary", .data = "rows", .data_encoding = "zstd"}));
    const net::HttpRequest& request = http.requests.front();
    EXPECT_EQ(request.url,
              "https://db/click/"
              "?enable_http_compression=1&database=flows&query=INSERT%20INTO%20raw%20FORMAT%20RowBinary");
    EXPECT_EQ(request.body, "rows");
    EXPECT_EQ(request.headers.back(), (std::pair<std::string, std::string>{"Content-Encoding", "zstd"}));
}

TEST(ClickHouseClientTest, RefusesAnAddressThatIsNone) {
    for (const char* url : {"", "db:8123", "ftp://db", "http://", "http://:8123", "http://soc:pw@db:8123",
                            "http://db:8123/?user=soc", "http://db:8123/#x", "http://db 1"}) {
        const auto opened = Client::open({.url = url});
        ASSERT_FALSE(opened) << url;
        EXPECT_EQ(opened.error().code, ErrorCode::kInvalid) << url;
    }
}

TEST(ClickHouseClientTest, AnswersInGzipAreRead) {
    httplib::Server server;
    server.Post("/", [](const httplib::Request& request, httplib::Response& response) {
        EXPECT_EQ(request.get_header_value("X-ClickHouse-Key"), kPassword);
        response.set_content(std::string(100'000, 'x'), "text/plain");
    });
    const int port = server.bind_to_any_port("127.0.0.1");
    std::jthread thread([&server] { server.listen_after_bind(); });
    {
        const auto client = client_of("http://127.0.0.1:" + std::to_string(port));
        const Result<std::string> answer = client->run({.text = "SELECT 1"});
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->size(), 100'000U);
        const Result<std::string> small = client->run({.text = "SELECT 1", .max_answer_bytes = 1000});
        ASSERT_FALSE(small);
        EXPECT_EQ(small.error().code, ErrorCode::kTooLarge);
    }
    server.stop();
}

TEST(ClickHouseClientTest, AWrongPasswordIsRefusedAndNamed) {
    const Wire wire{
        "HTTP/1.1 403 Forbidden\r\nX-ClickHouse-Exception-Code: 516\r\nContent-Length: 61\r\n\r\n"
        "Code: 516. DB::Exception: soc: Authentication failed: secret\n"};
    const auto client = client_of(wire.url());
    const Error error = error_of(*client);
    EXPECT_EQ(error.code, ErrorCode::kRefused);
    EXPECT_NE(error.detail.find("user 'soc'"), std::string::npos) << error.detail;
}

TEST(ClickHouseClientTest, ThePasswordIsCutOutOfTheServersWords) {
    const std::string body =
        std::string{"Code: 62. DB::Exception: Syntax error near PASSWORD '"} + kPassword + "'\n";
    const Wire wire{"HTTP/1.1 400 Bad Request\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body};
    const auto client = client_of(wire.url());
    const Error error = error_of(*client);
    EXPECT_EQ(error.code, ErrorCode::kInvalid);
    EXPECT_NE(error.detail.find("'***'"), std::string::npos) << error.detail;
}

TEST(ClickHouseClientTest, AnExceptionIn200IsNoAnswer) {
    const Wire wire{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n1\n2\n3\n\r\n49\r\n"
        "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)\n\r\n0\r\n\r\n"};
    const auto client = client_of(wire.url());
    const Error error = error_of(*client);
    EXPECT_EQ(error.code, ErrorCode::kBusy);
    EXPECT_NE(error.detail.find("after the answer had begun"), std::string::npos) << error.detail;
}

TEST(ClickHouseClientTest, ACutAnswerIsBroken) {
    const Wire chunks{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n1\n2\n3\n\r\n"};
    EXPECT_EQ(error_of(*client_of(chunks.url())).code, ErrorCode::kBroken);
    const Wire length{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1\n2\n"};
    EXPECT_EQ(error_of(*client_of(length.url())).code, ErrorCode::kBroken);
    const Wire zipped{"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"};
    EXPECT_EQ(error_of(*client_of(zipped.url())).code, ErrorCode::kBroken);
    const Wire nothing{""};
    EXPECT_EQ(error_of(*client_of(nothing.url())).code, ErrorCode::kBroken);
}

TEST(ClickHouseClientTest, ASlowServerIsNotWaitedForForEver) {
    net::RawServer server{[](net::RawConnection& connection) {
        if (!connection.read_header()) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n1\n");
        connection.wait_for_end();
    }};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(error_of(*client_of(server.url(), 300ms)).code, ErrorCode::kTimeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

TEST(ClickHouseClientTest, AStopEndsTheWait) {
    net::RawServer server{[](net::RawConnection& connection) {
        connection.read_header();
        connection.wait_for_end();
    }};
    const auto client = client_of(server.url(), 60s);
    std::stop_source stop;
    std::jthread later([&stop] {
        std::this_thread::sleep_for(100ms);
        stop.request_stop();
    });
    const Result<std::string> answer = client->run({.text = "SELECT sleep(3)", .stop = stop.get_token()});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kCancelled);
}

TEST(ClickHouseClientTest, NobodyThereIsUnreachable) {
    std::string url;
    {
        const net::RawServer gone{[](net::RawConnection&) {}};
        url = gone.url();
    }
    EXPECT_EQ(error_of(*client_of(url)).code, ErrorCode::kUnreachable);
}

TEST(ClickHouseClientTest, AnotherServerIsNotTakenForClickHouse) {
    const Wire page{"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>Welcome!\n"};
    const Result<std::string> version = client_of(page.url())->version();
    ASSERT_FALSE(version);
    EXPECT_EQ(version.error().code, ErrorCode::kInvalid);
    const Wire native{"HTTP/1.0 400 Bad Request\r\n\r\nPort 9000 is for clickhouse-client program\r\n"};
    EXPECT_EQ(error_of(*client_of(native.url())).code, ErrorCode::kInvalid);
}

/// A certificate that signs itself, for 127.0.0.1.
struct SelfSigned {
    SelfSigned() : key(EVP_RSA_gen(2048)), certificate(X509_new()) {
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* const name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"),
                                   -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        X509_EXTENSION* const names =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
        X509_add_ext(certificate, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(certificate, key, EVP_sha256());
    }
    ~SelfSigned() {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    SelfSigned(const SelfSigned&) = delete;
    SelfSigned& operator=(const SelfSigned&) = delete;
    void write(const std::string& path) const {
        std::FILE* const file = std::fopen(path.c_str(), "w");
        ASSERT_NE(file, nullptr);
        PEM_write_X509(file, certificate);
        std::fclose(file);
    }
    EVP_PKEY* key;
    X509* certificate;
};

TEST(ClickHouseClientTest, TlsIsVerifiedAgainstTheCaFile) {
    const SelfSigned self;
    const TempFolder folder;
    self.write(folder.file("ca.pem"));
    httplib::SSLServer server(self.certificate, self.key);
    server.Post("/", [](const httplib::Request&, httplib::Response& response) {
        response.set_content("26.7.2.1\n", "text/plain");
    });
    const int port = server.bind_to_any_port("127.0.0.1");
    std::jthread thread([&server] { server.listen_after_bind(); });
    const std::string url = "https://127.0.0.1:" + std::to_string(port);
    {
        const auto trusting = Client::open({.url = url, .ca_file = folder.file("ca.pem")});
        const Result<std::string> version = (*trusting)->version();
        ASSERT_TRUE(version) << version.error().detail;
        EXPECT_EQ(*version, "26.7.2.1");
        EXPECT_EQ(error_of(*client_of(url)).code, ErrorCode::kTls) << "nobody vouches for it";
        const auto missing = Client::open({.url = url, .ca_file = folder.file("none.pem")});
        EXPECT_EQ((*missing)->version().error().code, ErrorCode::kTls);
    }
    server.stop();
}

}  // namespace
}  // namespace cam::clickhouse
