// The page and its files over the real server: what a browser gets, and what nobody gets.

#include "api/page.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "unit/api/raw_client.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

const httplib::Headers kBrowser{
    {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}};

class PageTest : public SiteTest {
protected:
    std::string raw(const std::string& head) {
        RawClient client(server_->port());
        EXPECT_TRUE(client.send(head));
        return client.read_to_end();
    }
    static const PageFile& file(std::string_view name) {
        for (const PageFile* one : page_files()) {
            if (one->name == name) return *one;
        }
        ADD_FAILURE() << name << " is not built in";
        return *page_files().front();
    }
};

TEST_F(PageTest, ABrowserGetsThePageAndAProgramTheListOfPaths) {
    const auto page = client_->Get("/", kBrowser);
    ASSERT_TRUE(page);
    EXPECT_EQ(page->status, 200);
    EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(page->body, file("index.html").plain);
    EXPECT_EQ(page->get_header_value("Vary"), "Accept, Accept-Encoding");
    for (const char* accept : {"", "*/*", "application/json", "application/json, text/html;q=0.5"}) {
        const auto list = client_->Get("/", {{"Accept", accept}});
        EXPECT_EQ(list->get_header_value("Content-Type"), "application/json") << accept;
        EXPECT_EQ(list->get_header_value("Vary"), "Accept") << accept;
    }
}

TEST_F(PageTest, RunsOnlyCodeOfItsOwnAndTalksOnlyToItsOwnServer) {
    const auto page = client_->Get("/", kBrowser);
    ASSERT_TRUE(page);
    const std::string policy = page->get_header_value("Content-Security-Policy");
    std::set<std::string> parts;
    for (std::size_t at = 0; at < policy.size();) {
        const std::size_t end = std::min(policy.find("; ", at), policy.size());
        parts.insert(policy.substr(at, end - at));
        at = end + 2;
    }
    for (const char* part :
         {"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
          "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}) {
        EXPECT_TRUE(parts.contains(part)) << part;
    }
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(page->get_header_value("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page->get_header_value("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(page->get_header_value("Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(page->get_header_value("Cross-Origin-Resource-Policy"), "same-origin");
}

TEST_F(PageTest, DocumentsAndAnswersOfTheApiAllowNoCodeAtAll) {
    for (const char* path : {"/docs", "/events", "/openapi.json", "/metrics", "/nowhere"}) {
        const auto answer = client_->Get(path);
        ASSERT_TRUE(answer) << path;
        const std::string policy = answer->get_header_value("Content-Security-Policy");
        EXPECT_EQ(policy.find("default-src 'none'"), 0U) << path;
        EXPECT_EQ(policy.find("script-src"), std::string::npos) << path;
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos) << path;
        EXPECT_EQ(answer->get_header_value("Referrer-Policy"), "no-referrer") << path;
        EXPECT_EQ(answer->get_header_value("Cross-Origin-Opener-Policy"), "same-origin") << path;
    }
}

TEST_F(PageTest, EachFileIsServedAsItIsWithItsType) {
    EXPECT_GE(page_files().size(), 3U);
    for (const PageFile* one : page_files()) {
        const auto answer =
            client_->Get("/assets/" + std::string{one->name}, {{"Accept-Encoding", "identity"}});
        ASSERT_TRUE(answer) << one->name;
        EXPECT_EQ(answer->status, 200) << one->name;
        EXPECT_EQ(answer->body, one->plain) << one->name;
        EXPECT_EQ(answer->get_header_value("Content-Type"), one->content_type) << one->name;
        EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-cache") << one->name;
        EXPECT_FALSE(answer->has_header("Content-Encoding")) << one->name;
    }
    EXPECT_EQ(file("dygraph.min.js").content_type, "text/javascript; charset=utf-8");
    EXPECT_EQ(file("dygraph.css").content_type, "text/css; charset=utf-8");
}

TEST_F(PageTest, AFileIsCompressedForThoseWhoTakeIt) {
    const PageFile& library = file("dygraph.min.js");
    client_->set_decompress(false);
    for (const char* takes : {"gzip", "br, GZIP;q=0.8", "*", "deflate, *;q=0.1"}) {
        const auto answer = client_->Get("/assets/dygraph.min.js", {{"Accept-Encoding", takes}});
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->get_header_value("Content-Encoding"), "gzip") << takes;
        EXPECT_EQ(answer->body, library.compressed) << takes;
        EXPECT_LT(answer->body.size(), library.plain.size() / 2);
    }
    for (const char* takes : {"", "br", "gzip;q=0", "identity", "*;q=0", "gzip;q=7"}) {
        const auto answer = client_->Get("/assets/dygraph.min.js", {{"Accept-Encoding", takes}});
        ASSERT_TRUE(answer);
        EXPECT_FALSE(answer->has_header("Content-Encoding")) << takes;
        EXPECT_EQ(answer->body.size(), library.plain.size()) << takes;
    }
    client_->set_decompress(true);
    const auto whole = client_->Get("/assets/dygraph.min.js", {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(whole->body, library.plain);
}

TEST_F(PageTest, WhatTheBrowserHasIsNotSentAgain) {
    for (const char* takes : {"gzip", "identity"}) {
        const auto first = client_->Get("/assets/dygraph.css", {{"Accept-Encoding", takes}});
        const std::string tag = first->get_header_value("ETag");
        ASSERT_EQ(tag.front(), '"');
        for (const std::string& has : {tag, "W/" + tag, "\"x\", " + tag, std::string{"*"}}) {
            const auto again =
                client_->Get("/assets/dygraph.css", {{"Accept-Encoding", takes}, {"If-None-Match", has}});
            ASSERT_TRUE(again) << has;
            EXPECT_EQ(again->status, 304) << has;
            EXPECT_EQ(again->body, "") << has;
            EXPECT_EQ(again->get_header_value("ETag"), tag);
            EXPECT_FALSE(again->has_header("Content-Length"));
        }
        const auto other =
            client_->Get("/assets/dygraph.css", {{"Accept-Encoding", takes}, {"If-None-Match", "\"x\""}});
        EXPECT_EQ(other->status, 200);
    }
    const auto plain = client_->Get("/assets/dygraph.css", {{"Accept-Encoding", "identity"}});
    const auto compressed = client_->Get("/assets/dygraph.css", {{"Accept-Encoding", "gzip"}});
    EXPECT_NE(plain->get_header_value("ETag"), compressed->get_header_value("ETag"));
}

TEST_F(PageTest, HeadTellsTheLengthWithoutTheFile) {
    const auto head = client_->Head("/assets/dygraph.css", {{"Accept-Encoding", "identity"}});
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->body, "");
    EXPECT_EQ(head->get_header_value("Content-Length"), std::to_string(file("dygraph.css").plain.size()));
}

TEST_F(PageTest, NoPathLeadsOutOfTheFiles) {
    for (const char* path :
         {"/assets/", "/assets", "/assets/..", "/assets/../index.html", "/assets/../../etc/passwd",
          "/assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/assets/..%2findex.html", "/assets/%2fetc%2fpasswd",
          "/assets//etc/passwd", "/assets/..\\index.html", "/assets/index.html%00.css",
          "/assets/dygraph.css/x", "/assets/INDEX.HTML", "/assets/.", "/assets/dygraph.js.map",
          "//assets/dygraph.css"}) {
        const std::string answer =
            raw(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path));
        const int status = status_of(answer);
        EXPECT_TRUE(status == 404 || status == 400) << path << ": " << status;
        EXPECT_EQ(answer.find("root:"), std::string::npos) << path;
        EXPECT_EQ(answer.find("<!doctype"), std::string::npos) << path;
    }
}

TEST_F(PageTest, IsOpenWithATokenAndStillGuardedAgainstRebindingWithoutOne) {
    EXPECT_EQ(client_->Get("/", {{"Accept", "text/html"}, {"Host", "evil.example"}})->status, 403);
    EXPECT_EQ(client_->Get("/assets/dygraph.css", {{"Host", "evil.example"}})->status, 403);
    start(Secret{"s3cret"});
    EXPECT_EQ(client_->Get("/", kBrowser)->status, 200);
    EXPECT_EQ(client_->Get("/assets/dygraph.css")->status, 200);
    EXPECT_EQ(client_->Get("/")->status, 401);
    EXPECT_EQ(client_->Post("/", kBrowser, "", "text/plain")->status, 405);
}

}  // namespace
}  // namespace cam::api
