#include <gtest/gtest.h>
#include <httplib.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include <set>

#include "cam/net/http_client.h"
#include "fakes/net/raw_server.h"

namespace cam::net {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

constexpr const char* kSecret = "sEcReT-0123456789";

/// A cpp-httplib server on a free port of 127.0.0.1. It waits for its connections to end, so `client` must go
/// first.
class Listening {
public:
    Listening(httplib::Server& server, std::unique_ptr<CurlHttpClient>& client)
        : server_(server), client_(client), port_(server.bind_to_any_port("127.0.0.1")) {
        thread_ = std::jthread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) std::this_thread::yield();
    }
    ~Listening() {
        client_.reset();
        server_.stop();
    }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

private:
    httplib::Server& server_;
    std::unique_ptr<CurlHttpClient>& client_;
    int port_;
    std::jthread thread_;
};

class CurlHttpClientTest : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"})
            ::unsetenv(name);
        auto created = CurlHttpClient::create("cam-test/1.0");
        ASSERT_TRUE(created);
        client = std::move(created).value();
    }
    void TearDown() override { ::unsetenv("http_proxy"); }

    Result<HttpResponse> get(const std::string& url, std::chrono::milliseconds total = 10s) {
        HttpRequest request{.url = url, .total = total};
        request.headers.emplace_back("Authorization", std::string{"Bearer "} + kSecret);
        return client->perform(request);
    }
    /// The error's code; its text must hold neither the URL nor a header.
    ErrorCode failure(const Result<HttpResponse>& result) {
        EXPECT_FALSE(result) << "there was an answer";
        if (result) return ErrorCode::kInternal;
        const std::string& detail = result.error().detail;
        EXPECT_FALSE(detail.empty());
        for (const char* part : {kSecret, "127.0.0.1", "http", "localhost", "bot", "invalid"}) {
            if (std::string_view{part} == "http" && detail.find("neither http") != std::string::npos)
                continue;
            EXPECT_EQ(detail.find(part), std::string::npos) << detail;
        }
        return result.error().code;
    }

    std::unique_ptr<CurlHttpClient> client;
};

TEST_F(CurlHttpClientTest, GivesStatusHeadersAndBodyOfAnyAnswer) {
    httplib::Server server;
    server.Get("/path/../x", [](const httplib::Request& request, httplib::Response& response) {
        response.status = 418;
        response.set_header("X-Mixed-Case", "some value");
        response.set_content(
            request.get_header_value("User-Agent") + "|" + request.get_header_value("Authorization"),
            "text/plain");
    });
    const Listening listening{server, client};
    const auto response = get("http://" + listening.address() + "/path/../x");
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->status, 418);
    EXPECT_EQ(response->header("x-mixed-case"), "some value");
    EXPECT_EQ(response->body, std::string{"cam-test/1.0|Bearer "} + kSecret);
}

TEST_F(CurlHttpClientTest, PostsABodyOfAnyBytes) {
    httplib::Server server;
    server.Post("/", [](const httplib::Request& request, httplib::Response& response) {
        response.set_content(request.get_header_value("Content-Type") + "|" +
                                 request.get_header_value("Expect") + "|" + request.body,
                             "application/octet-stream");
    });
    const Listening listening{server, client};
    HttpRequest request{.method = Method::kPost, .url = "http://" + listening.address() + "/"};
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = std::string("a\0b", 3) + std::string(2'000'000, 'x');
    const auto response = client->perform(request);
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "application/json||" + request.body);
    request.body.clear();
    EXPECT_EQ(client->perform(request)->body, "application/json||");
}

// B32: the Python monitor made a connection for every request.
TEST_F(CurlHttpClientTest, UsesOneConnectionForManyRequests) {
    httplib::Server server;
    std::set<int> ports;
    server.Get("/", [&](const httplib::Request& request, httplib::Response& response) {
        ports.insert(request.remote_port);
        response.set_content("ok", "text/plain");
    });
    const Listening listening{server, client};
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(get("http://" + listening.address() + "/"));
    EXPECT_EQ(ports.size(), 1U);
}

TEST_F(CurlHttpClientTest, ConnectsAnewWhenTheKeptConnectionWasClosed) {
    RawServer server([](RawConnection& connection) {
        if (connection.read_header()) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    ASSERT_TRUE(get(server.url()));
    ASSERT_TRUE(get(server.url()));
    EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlHttpClientTest, DecompressesGzip) {
    httplib::Server server;
    const std::string body(200'000, 'x');
    server.Get("/", [&](const httplib::Request& request, httplib::Response& response) {
        EXPECT_NE(request.get_header_value("Accept-Encoding").find("gzip"), std::string::npos);
        response.set_content(body, "application/json");
    });
    const Listening listening{server, client};
    const auto response = get("http://" + listening.address() + "/");
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->header("content-encoding"), "gzip");
    EXPECT_EQ(response->body, body);
}

// B36: answers were of any size.
TEST_F(CurlHttpClientTest, RefusesAnswersOverTheLimitPlainChunkedAndCompressed) {
    httplib::Server server;
    const std::string mega(1024 * 1024, '0');
    std::string bomb;
    for (int i = 0; i < 64; ++i) bomb += mega;
    server.Get("/plain", [&](const auto&, auto& response) { response.set_content(mega, "image/png"); });
    server.Get("/bomb", [&](const auto&, auto& response) { response.set_content(bomb, "application/json"); });
    server.Get("/chunked", [&](const auto&, auto& response) {
        response.set_chunked_content_provider("image/png", [&](std::size_t, httplib::DataSink& sink) {
            return sink.write(mega.data(), mega.size());
        });
    });
    const Listening listening{server, client};
    for (const char* path : {"/plain", "/bomb", "/chunked"}) {
        HttpRequest request{.url = "http://" + listening.address() + path,
                            .max_response_bytes = mega.size() - 1};
        EXPECT_EQ(failure(client->perform(request)), ErrorCode::kTooLarge) << path;
    }
    HttpRequest exact{.url = "http://" + listening.address() + "/plain", .max_response_bytes = mega.size()};
    EXPECT_TRUE(client->perform(exact));
}

TEST_F(CurlHttpClientTest, TrimsTheSpacesAroundAHeader) {
    RawServer server([](RawConnection& connection) {
        if (!connection.read_header()) return;
        connection.send("HTTP/1.1 200 OK\r\nX-Mixed-Case:\t  some value \r\nContent-Length: 0\r\n\r\n");
    });
    const auto response = get(server.url());
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->header("x-mixed-case"), "some value");
}

TEST_F(CurlHttpClientTest, RefusesHeadersWithoutEnd) {
    RawServer server([](RawConnection& connection) {
        if (!connection.read_header()) return;
        connection.send("HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 3'000; ++i) connection.send("X-Filler: " + std::string(100, 'x') + "\r\n");
        connection.wait_for_end();
    });
    EXPECT_EQ(failure(get(server.url())), ErrorCode::kTooLarge);
}

// B32: the Python monitor's timeout began anew with every byte.
TEST_F(CurlHttpClientTest, TheDeadlineIsTotalForSilenceAndForDribble) {
    for (const bool drips : {false, true}) {
        RawServer server([=](RawConnection& connection) {
            if (!connection.read_header()) return;
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
            std::jthread dripping;
            if (drips) {
                dripping = std::jthread([&](std::stop_token stop) {
                    std::mutex mutex;
                    std::condition_variable_any never;
                    std::unique_lock lock(mutex);
                    while (!stop.stop_requested()) {
                        connection.send("x");
                        never.wait_for(lock, stop, 50ms, [] { return false; });
                    }
                });
            }
            connection.wait_for_end();
        });
        const auto begin = Steady::now();
        EXPECT_EQ(failure(get(server.url(), 400ms)), ErrorCode::kTimeout);
        EXPECT_GE(Steady::now() - begin, 350ms);
        EXPECT_LT(Steady::now() - begin, 20s);
        client.reset();  // lets the server's connection end
        SetUp();
    }
}

TEST_F(CurlHttpClientTest, TellsBrokenConnectionsFromUnreachableOnes) {
    RawServer resets([](RawConnection& connection) {
        if (connection.read_header()) connection.reset();
    });
    EXPECT_EQ(failure(get(resets.url())), ErrorCode::kBroken);
    RawServer hangs_up([](RawConnection& connection) { connection.read_header(); });
    EXPECT_EQ(failure(get(hangs_up.url())), ErrorCode::kBroken);
    RawServer cuts([](RawConnection& connection) {
        if (connection.read_header()) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    EXPECT_EQ(failure(get(cuts.url())), ErrorCode::kBroken);
    RawServer garbage([](RawConnection& connection) {
        if (connection.read_header()) connection.send("220 mail.example ESMTP\r\n");
    });
    EXPECT_EQ(failure(get(garbage.url())), ErrorCode::kBroken);
    RawServer bad_gzip([](RawConnection& connection) {
        if (connection.read_header()) {
            connection.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnot gz!");
        }
    });
    EXPECT_EQ(failure(get(bad_gzip.url())), ErrorCode::kBroken);

    std::string nobody;
    {
        RawServer gone([](RawConnection&) {});
        nobody = gone.url();
    }
    EXPECT_EQ(failure(get(nobody)), ErrorCode::kUnreachable);
}

TEST_F(CurlHttpClientTest, StopsSoonWhenAsked) {
    RawServer server([](RawConnection& connection) { connection.wait_for_end(); });
    std::stop_source stop;
    HttpRequest request{.url = server.url(), .total = 30s, .stop = stop.get_token()};
    Steady::time_point asked;
    std::jthread stopper([&] {
        while (server.connections() == 0) std::this_thread::yield();
        asked = Steady::now();
        stop.request_stop();
    });
    EXPECT_EQ(failure(client->perform(request)), ErrorCode::kCancelled);
    stopper.join();
    EXPECT_LT(Steady::now() - asked, 15s);
    EXPECT_EQ(failure(client->perform(request)), ErrorCode::kCancelled) << "asked before it began";
    client.reset();
}

TEST_F(CurlHttpClientTest, DoesNotFollowRedirects) {
    httplib::Server server;
    int followed = 0;
    server.Get("/", [](const auto&, auto& response) { response.set_redirect("/elsewhere"); });
    server.Get("/elsewhere", [&](const auto&, auto&) { ++followed; });
    const Listening listening{server, client};
    const auto response = get("http://" + listening.address() + "/");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 302);
    EXPECT_EQ(followed, 0);
}

TEST_F(CurlHttpClientTest, SpeaksOnlyHttpAndHttps) {
    for (const char* url :
         {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "bot123:http", ""}) {
        EXPECT_EQ(failure(get(url)), ErrorCode::kInvalid) << url;
    }
}

TEST_F(CurlHttpClientTest, RefusesHeadersThatWouldBecomeTwo) {
    RawServer server([](RawConnection&) {});
    for (const char* value : {"x\r\nHost: evil", "x\ny", "x\r"}) {
        HttpRequest request{.url = server.url()};
        request.headers.emplace_back("Authorization", value);
        EXPECT_EQ(failure(client->perform(request)), ErrorCode::kInvalid);
    }
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpClientTest, AsksNothingWithoutTimeLeft) {
    RawServer server([](RawConnection&) {});
    EXPECT_EQ(failure(get(server.url(), 0ms)), ErrorCode::kUnreachable);
    EXPECT_EQ(failure(get(server.url(), -5ms)), ErrorCode::kUnreachable);
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpClientTest, HonoursTheProxyOfTheEnvironment) {
    httplib::Server proxy;
    std::string target;
    proxy.set_pre_routing_handler([&](const httplib::Request& request, httplib::Response& response) {
        target = request.target;
        response.set_content("by proxy", "text/plain");
        return httplib::Server::HandlerResponse::Handled;
    });
    const Listening listening{proxy, client};
    ::setenv("http_proxy", ("http://" + listening.address()).c_str(), 1);
    const auto response = get("http://cloudflare.invalid/client");
    ASSERT_TRUE(response) << response.error().detail;
    EXPECT_EQ(response->body, "by proxy");
    EXPECT_EQ(target, "http://cloudflare.invalid/client");
}

/// A certificate for 127.0.0.1 that nobody trusts.
struct SelfSigned {
    SelfSigned() : key(EVP_RSA_gen(2048)), certificate(X509_new()) {
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* const name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        X509_sign(certificate, key, EVP_sha256());
    }
    ~SelfSigned() {
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    SelfSigned(const SelfSigned&) = delete;
    SelfSigned& operator=(const SelfSigned&) = delete;
    EVP_PKEY* key;
    X509* certificate;
};

TEST_F(CurlHttpClientTest, RefusesACertificateThatNobodyVouchesFor) {
    const SelfSigned self;
    httplib::SSLServer server(self.certificate, self.key);
    ASSERT_TRUE(server.is_valid());
    bool reached = false;
    server.Get("/", [&](const auto&, auto&) { reached = true; });
    const Listening listening{server, client};
    EXPECT_EQ(failure(get("https://" + listening.address() + "/")), ErrorCode::kTls);
    EXPECT_FALSE(reached);
}

TEST_F(CurlHttpClientTest, CallsAPeerWithoutTlsATlsFailure) {
    RawServer server([](RawConnection& connection) { connection.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    const std::string url = server.url();
    EXPECT_EQ(failure(get("https" + url.substr(4))), ErrorCode::kTls);
}

TEST_F(CurlHttpClientTest, DoesNotGrowWithTheNumberOfExchanges) {
    httplib::Server server;
    server.set_keep_alive_max_count(1'000);
    const std::string body(100'000, 'x');
    server.Get("/", [&](const auto&, auto& response) { response.set_content(body, "image/png"); });
    const Listening listening{server, client};
    const auto ask = [&](int times) {
        for (int i = 0; i < times; ++i) ASSERT_TRUE(get("http://" + listening.address() + "/"));
    };
    ask(20);
    const auto before = ::mallinfo2().uordblks;
    ask(300);
    EXPECT_LT(::mallinfo2().uordblks, before + 100'000);
}

}  // namespace
}  // namespace cam::net
