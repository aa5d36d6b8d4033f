// Holds src/api/openapi.json against the running server: every call with every status that it lists is made,
// and every answer fits its schema. Holds docs/api.md against both.

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/api/raw_client.h"
#include "unit/api/samples.h"
#include "unit/api/schema.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;

std::string read(const std::string& name) {
    std::ifstream file(std::string{CAM_SOURCE_DIR} + "/" + name);
    EXPECT_TRUE(file.good()) << name;
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class OpenApiTest : public SiteTest {
protected:
    using Calls = std::set<std::string>;  ///< `GET /rules 200`

    void SetUp() override {
        SiteTest::SetUp();
        document_ = json::parse(read("src/api/openapi.json"));
        alerts_ = {active_alert(), ended_alert(), zscore_alert()};
        exporters_ = {exporter("192.0.2.1")};
        events_ = {stored_event(7)};
        raw_data_ = R"({"dimensions":{"attackId":"a"}})";
        next_cursor_ = 7;
        attack_ = attack_detail("a");
        attacks_ = AttackPage{
            .attacks = {attack_.attack}, .next_cursor = 12, .total = 40, .complete_since = std::nullopt};
        timeline_ = attack_timeline();
        both_sides_ = both_sides();
        deliveries_ = {
            .deliveries = {delivery(3, DeliveryState::kWaiting), delivery(2, DeliveryState::kSent)},
            .next_cursor = 2};
        status_ = monitor_status();
    }

    /// Calls `use(method, path, operation)` for each call of the description.
    template <typename Use>
    void for_each_call(Use use) const {
        for (const auto& [path, item] : document_["paths"].items()) {
            for (const auto& [method, operation] : item.items()) {
                if (method == "parameters") continue;
                std::string upper = method;
                for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
                use(upper, path, operation);
            }
        }
    }

    httplib::Result send(const std::string& method, const std::string& path, const std::string& body,
                         const httplib::Headers& headers = {}) {
        httplib::Request request;
        request.method = method;
        request.path = path;
        request.headers = headers;
        if (method == "POST" || method == "PUT") request.body = body;
        if (path != "/stream") return client_->send(request);
        request.method = "HEAD";  // a stream that is granted does not end
        auto head = client_->send(request);
        request.method = method;
        return head && head->status == 200 ? std::move(head) : client_->send(request);
    }

    /// Sends, holds the answer against the description and notes the call as made.
    int call(const std::string& method, const std::string& path, const std::string& real_path,
             const std::string& body, const httplib::Headers& headers = {}) {
        const auto answer = send(method, real_path, body, headers);
        if (!answer) {
            ADD_FAILURE() << method << " " << real_path << ": " << httplib::to_string(answer.error());
            return 0;
        }
        const std::string name = method + " " + path + " " + std::to_string(answer->status);
        std::string lower = method;
        for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        const json responses = document_["paths"][path][lower]["responses"];
        const std::string status = std::to_string(answer->status);
        if (!responses.contains(status)) {
            ADD_FAILURE() << name << " is not described: " << answer->body;
            return answer->status;
        }
        json response = responses[status];
        if (response.contains("$ref"))
            response = document_[json::json_pointer(response["$ref"].get<std::string>().substr(1))];
        const std::string header = answer->get_header_value("Content-Type");
        const std::string type = header.substr(0, header.find(';'));
        const json& content = response["content"];
        EXPECT_TRUE(content.is_null() || content.contains(type)) << name << " is of type " << header;
        if (content.contains(type) && type == "application/json") {
            EXPECT_EQ(schema_fault(document_, content[type]["schema"], json::parse(answer->body)), "")
                << name;
        }
        made_.insert(name);
        return answer->status;
    }

    /// A real path for a described one: an id that exists, or one that does not.
    std::string real(const std::string& path, bool exists) {
        if (path == "/assets/{name}") return exists ? "/assets/dygraph.css" : "/assets/none";
        if (path == "/traffic" || path == "/traffic/contributors") return path + "?prefix=10.0.0.0/8";
        if (path.find("{id}") == std::string::npos) return path;
        const std::string folder = path.substr(0, path.find("{id}"));
        const std::string rest = path.substr(path.find("{id}") + 4);
        if (!exists) return folder + "none" + rest;
        if (folder == "/attacks/") return folder + "a" + rest;
        if (folder == "/events/") return folder + "7";
        const json body = folder == "/rules/" ? rule_ : json{{"name", "a"}, {"router_ip", next_address()}};
        const auto answer = send("POST", folder.substr(0, folder.size() - 1), body.dump());
        return folder + json::parse(answer->body)["result"]["id"].get<std::string>();
    }
    /// A real path; nothing has its id.
    std::string some(const std::string& path) {
        return path.find("{id}") == std::string::npos ? real(path, true)
                                                      : std::regex_replace(path, std::regex{"\\{id\\}"}, "7");
    }
    std::string next_address() { return "198.51.100." + std::to_string(++addresses_); }

    /// A body that is good for the path.
    std::string good_body(const std::string& path) {
        if (path.rfind("/rules", 0) == 0) return rule_.dump();
        if (path.rfind("/routers", 0) == 0) return json{{"name", "a"}, {"router_ip", next_address()}}.dump();
        if (path == "/session") return R"({"token": "s3cret"})";
        return R"({"my_prefixes_only": false})";
    }

    json document_;
    Calls made_;
    int addresses_ = 0;
    const json rule_ = {
        {"name", "r"}, {"prefixes", {"10.0.0.0/8"}}, {"type", "threshold"}, {"packet_threshold", 1}};
};

TEST_F(OpenApiTest, DescribesEveryPathAndMethodOfTheServerAndNoOther) {
    std::map<std::string, std::set<std::string>> described;
    for_each_call([&](const auto& method, const auto& path, const json&) { described[path].insert(method); });
    std::map<std::string, std::set<std::string>> served;
    const json index = opened(client_->Get("/"))["result"]["paths"];
    for (const auto& [path, methods] : index.items()) {
        for (const json& method : methods) served[path].insert(method.get<std::string>());
    }
    EXPECT_EQ(described, served);
}

TEST_F(OpenApiTest, EveryStatusOfEveryCallIsAnsweredAsDescribed) {
    Calls described;
    for_each_call([&](const auto& method, const auto& path, const json& operation) {
        for (const auto& [status, unused] : operation["responses"].items())
            described.insert(method + " " + path + " " + status);
    });
    ASSERT_GT(described.size(), 80U);

    const httplib::Headers foreign{{"Host", "rebound.example"}};
    for_each_call([&](const auto& method, const auto& path, const json& operation) {
        const bool writes = operation.contains("requestBody");
        call(method, path, real(path, true), good_body(path));
        call(method, path, real(path, true), good_body(path), foreign);
        const json& responses = operation["responses"];
        if (responses.contains("404")) call(method, path, real(path, false), good_body(path));
        if (writes) {
            call(method, path, real(path, true), "{");
            call(method, path, real(path, true), R"({"colour": 1})");
            call(method, path, real(path, true), std::string(1024 * 1024 + 1, ' '));
        } else if (responses.contains("422")) {
            const std::string target = real(path, true);
            call(method, path, target + (target.find('?') == std::string::npos ? "?" : "&") + "colour=1", "");
        }
        if (responses.contains("409")) {
            router_named("taken", "203.0.113.1", *client_);
            call(method, path, real(path, true), R"({"name": "b", "router_ip": "203.0.113.1"})");
        }
    });
    readiness_ = {.ready = false, .reasons = {"no poll yet"}};
    call("GET", "/readyz", "/readyz", "");
    fault_ = Error{ErrorCode::kFull, "disk full"};
    for_each_call([&](const auto& method, const auto& path, const json& operation) {
        if (operation["responses"].contains("500")) call(method, path, some(path), good_body(path));
    });
    fault_ = Error{ErrorCode::kBusy, "another preview"};
    call("POST", "/rules/preview", "/rules/preview", rule_.dump());
    fault_.reset();
    std::vector<RawClient> watchers;
    for (int i = 0; i < 32; ++i) {
        watchers.emplace_back(server_->port());
        watchers.back().send("GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
        EXPECT_NE(watchers.back().read_past("event: hello"), "");
    }
    call("GET", "/stream", "/stream", "");
    start(Secret{"s3cret"});
    for_each_call([&](const auto& method, const auto& path, const json& operation) {
        const int status = call(method, path, some(path), good_body(path));
        const bool is_open = operation.contains("security");
        EXPECT_EQ(status, is_open ? 200 : 401) << method << path;
    });
    for (int i = 0; i < 6; ++i) call("POST", "/session", "/session", R"({"token": "guess"})");
    EXPECT_EQ(made_, described);
}

TEST_F(OpenApiTest, ItsExamplesFitItsSchemasAndAreTaken) {
    std::size_t tried = 0;
    for_each_call([&](const auto& method, const auto& path, const json& operation) {
        if (!operation.contains("requestBody")) return;
        const json& content = operation["requestBody"]["content"]["application/json"];
        for (const auto& [name, example] : content["examples"].items()) {
            EXPECT_EQ(schema_fault(document_, content["schema"], example["value"]), "") << path << name;
            for (const Router& router : routers_.all()) static_cast<void>(routers_.remove(router.id));
            const auto answer = send(method, real(path, true), example["value"].dump());
            const bool makes = method == "POST" && path != "/rules/preview" && path != "/session";
            EXPECT_EQ(answer->status, makes ? 201 : 200) << path << name << answer->body;
            ++tried;
        }
    });
    EXPECT_GE(tried, 10U);
}

TEST_F(OpenApiTest, EveryParameterIsTaken) {
    const std::string id = opened(send("POST", "/rules", rule_.dump()))["result"]["id"];
    const std::map<std::string, std::string> values{{"limit", "1"},
                                                    {"active", "true"},
                                                    {"rule_id", "r"},
                                                    {"since", "2026-01-19T22:51:50Z"},
                                                    {"until", "2026-01-20T08:00:00Z"},
                                                    {"at", "2026-01-20T08:00:00Z"},
                                                    {"attack_id", "a"},
                                                    {"vector", "SYN%20Flood"},
                                                    {"prefix", "10.0.0.0/8"},
                                                    {"source", "192.0.2.1"},
                                                    {"format", "csv"},
                                                    {"cursor", "7"},
                                                    {"step", "60"},
                                                    {"days", "7"},
                                                    {"state", "waiting"}};
    std::size_t tried = 0;
    for_each_call([&](const auto& method, const auto& path, const json& operation) {
        for (const json& parameter : operation.value("parameters", json::array())) {
            const std::string name = parameter["name"];
            std::string value = name == "after" ? id : values.at(name);
            if (path == "/routers" && name == "after")
                value = router_named("a", "198.51.100.1", *client_)["id"].template get<std::string>();
            std::string target = real(path, true);
            if (name == "prefix" || (path == "/traffic" && name == "rule_id")) target = path;
            if (target == path && name == "rule_id" && path == "/traffic") value = id;
            target += (target.find('?') == std::string::npos ? "?" : "&") + name + "=" + value;
            EXPECT_EQ(send(method, target, good_body(path))->status, 200) << target;
            ++tried;
        }
    });
    EXPECT_EQ(tried, 43U);
}

TEST_F(OpenApiTest, IsServedAsItIsInTheTree) {
    const auto answer = client_->Get("/openapi.json");
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
    EXPECT_EQ(answer->body, read("src/api/openapi.json"));
}

TEST_F(OpenApiTest, ThePageShowsEveryCallFieldAndObject) {
    const auto answer = client_->Get("/docs/");
    ASSERT_EQ(answer->status, 200);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "text/html; charset=utf-8");
    const std::string& page = answer->body;
    for_each_call([&](const auto&, const auto& path, const json& operation) {
        const std::string id = operation["operationId"];
        EXPECT_NE(page.find("id=\"" + id + "\""), std::string::npos) << id;
        EXPECT_NE(page.find("href=\"#" + id + "\""), std::string::npos) << id;
        EXPECT_NE(page.find("<code>" + path + "</code>"), std::string::npos) << path;
    });
    for (const auto& [name, schema] : document_["components"]["schemas"].items()) {
        const bool is_envelope =
            name.size() > 6 && name.substr(name.size() - 6) == "Answer" && name != "ErrorAnswer";
        EXPECT_EQ(page.find("<h3 id=\"" + name + "\"") == std::string::npos, is_envelope) << name;
        if (is_envelope) continue;
        for (const auto& [field, unused] : schema["properties"].items())
            EXPECT_NE(page.find("<td><code>" + field + "</code></td>"), std::string::npos) << name << field;
    }
    const std::regex link{"href=\"#([^\"]+)\""};
    for (std::sregex_iterator at(page.begin(), page.end(), link), end; at != end; ++at)
        EXPECT_NE(page.find("id=\"" + (*at)[1].str() + "\""), std::string::npos) << (*at)[1];
}

TEST_F(OpenApiTest, ThePageRunsNothingAndAsksNobody) {
    const auto answer = client_->Get("/docs");
    const std::string policy = answer->get_header_value("Content-Security-Policy");
    EXPECT_EQ(policy.rfind("default-src 'none'; style-src 'sha256-", 0), 0U) << policy;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    for (const char* part : {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"})
        EXPECT_NE(policy.find(part), std::string::npos) << part;
    for (const char* part : {"<script", " src=", " style=", "url(", "@import", "<link", "<iframe"})
        EXPECT_EQ(answer->body.find(part), std::string::npos) << part;
}

TEST_F(OpenApiTest, ApiMdHasARowForEveryCallAndItsExamplesWork) {
    const std::string page = read("docs/api.md");
    std::set<std::string> rows;
    const std::regex row{"\\n\\| `([A-Z]+)` \\| `([^`]+)` \\|"};
    for (std::sregex_iterator at(page.begin(), page.end(), row), end; at != end; ++at)
        rows.insert((*at)[1].str() + " " + (*at)[2].str());
    std::set<std::string> described;
    for_each_call(
        [&](const auto& method, const auto& path, const json&) { described.insert(method + " " + path); });
    EXPECT_EQ(rows, described);

    std::size_t tried = 0;
    const std::regex create{"curl [^\\n]*-X POST http://localhost:8090(/[a-z]+)[^']*-d '([^']*)'"};
    for (std::sregex_iterator at(page.begin(), page.end(), create), end; at != end; ++at, ++tried)
        EXPECT_EQ(send("POST", (*at)[1], (*at)[2])->status, 201) << (*at)[0];
    EXPECT_GE(tried, 4U);
}

}  // namespace
}  // namespace cam::api
