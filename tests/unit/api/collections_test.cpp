// /routers and /rules over real HTTP: every row and every error of the API for what clients write.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;

class CollectionsTest : public SiteTest {
protected:
    json created(const std::string& path, const std::string& body) {
        const auto answer = client_->Post(path, body, kForm);
        EXPECT_EQ(answer->status, 201) << answer->body;
        return opened(answer)["result"];
    }
    /// What a rule with these members on top of a good threshold rule is told; a null takes one away.
    std::vector<std::string> told(const json& changes) {
        json rule = json::parse(kRule);
        rule.merge_patch(changes);
        const auto answer = client_->Post("/rules", rule.dump(), kForm);
        EXPECT_EQ(answer->status, 422) << rule << answer->body;
        return messages(answer);
    }
    std::string told_once(const json& changes) {
        const auto all = told(changes);
        EXPECT_EQ(all.size(), 1U) << json(all);
        return all.empty() ? "" : all[0];
    }
    std::size_t kept_rules() { return opened(client_->Get("/rules"))["result"].size(); }

    static constexpr const char* kForm = "application/x-www-form-urlencoded";  // what curl -d says
    static constexpr const char* kRouter =
        R"({"name": "edge", "router_ip": "192.0.2.1", "default_sampling": 1000})";
    static constexpr const char* kRule =
        R"({"name": "web", "prefixes": ["10.0.0.0/8"], "type": "threshold", "bandwidth_threshold": 5})";
};

TEST_F(CollectionsTest, ARouterIsCreatedShownReplacedAndDeleted) {
    const auto post = client_->Post("/routers", kRouter, kForm);
    EXPECT_EQ(post->status, 201);
    const json made = opened(post)["result"];
    const std::string id = made["id"];
    EXPECT_EQ(post->get_header_value("Location"), "/routers/" + id);
    EXPECT_EQ(made, json({{"id", id},
                          {"name", "edge"},
                          {"router_ip", "192.0.2.1"},
                          {"default_sampling", 1000},
                          {"created_at", "2026-01-19T22:51:50Z"},
                          {"updated_at", "2026-01-19T22:51:50Z"}}));
    EXPECT_EQ(opened(client_->Get("/routers"))["result"], json::array({made}));
    EXPECT_EQ(opened(client_->Get("/routers/" + id))["result"], made);

    const auto put = client_->Put("/routers/" + id, R"({"name": "core", "router_ip": "2001:DB8::1"})", kForm);
    EXPECT_EQ(put->status, 200);
    const json changed = opened(put)["result"];
    EXPECT_EQ(changed["id"], id);
    EXPECT_EQ(changed["name"], "core");
    EXPECT_EQ(changed["router_ip"], "2001:db8::1");
    EXPECT_EQ(changed["default_sampling"], 0) << "what is left out gets its default";
    EXPECT_EQ(opened(client_->Get("/routers/" + id))["result"], changed);

    const auto erase = client_->Delete("/routers/" + id);
    EXPECT_EQ(erase->status, 200);
    EXPECT_EQ(opened(erase)["result"], changed) << "what was deleted is shown";
    EXPECT_EQ(client_->Get("/routers/" + id)->status, 404);
    EXPECT_EQ(opened(client_->Get("/routers"))["result"], json::array());
}

TEST_F(CollectionsTest, ARuleIsCreatedShownReplacedAndDeleted) {
    const json made = created("/rules", kRule);
    const std::string id = made["id"];
    EXPECT_EQ(made, json({{"id", id},
                          {"name", "web"},
                          {"prefixes", {"10.0.0.0/8"}},
                          {"type", "threshold"},
                          {"bandwidth_threshold", 5},
                          {"packet_threshold", nullptr},
                          {"duration", 1},
                          {"zscore_sensitivity", nullptr},
                          {"zscore_target", nullptr},
                          {"scope", "per_prefix"},
                          {"created_at", "2026-01-19T22:51:50Z"},
                          {"updated_at", "2026-01-19T22:51:50Z"}}));
    const auto put = client_->Put("/rules/" + id,
                                  R"({"name": "web", "prefixes": ["2001:db8::/32", "10.0.0.0/8"],
                                      "type": "zscore", "zscore_sensitivity": "high",
                                      "zscore_target": "packets", "scope": "aggregate"})",
                                  kForm);
    EXPECT_EQ(put->status, 200) << put->body;
    const json changed = opened(put)["result"];
    EXPECT_EQ(changed["prefixes"], json::array({"2001:db8::/32", "10.0.0.0/8"}))
        << "in the order they were given";
    EXPECT_EQ(changed["zscore_sensitivity"], "high");
    EXPECT_EQ(changed["zscore_target"], "packets");
    EXPECT_EQ(changed["scope"], "aggregate");
    EXPECT_TRUE(changed["bandwidth_threshold"].is_null()) << "nothing of the old rule is left";
    EXPECT_EQ(opened(client_->Delete("/rules/" + id))["result"], changed);
    EXPECT_EQ(kept_rules(), 0U);
}

TEST_F(CollectionsTest, AnAnswerCanBeEditedAndSentBack) {
    for (const auto& [path, body] : {std::pair{"/rules", kRule}, {"/routers", kRouter}}) {
        json made = created(path, body);
        made["name"] = "edited";
        const auto put =
            client_->Put(fmt::format("{}/{}", path, made["id"].get<std::string>()), made.dump(), kForm);
        EXPECT_EQ(put->status, 200) << put->body;
        EXPECT_EQ(opened(put)["result"], made);
    }
}

TEST_F(CollectionsTest, UnknownIdsAre404) {
    for (const char* path : {"/rules/none", "/routers/none", "/rules/%22%0a", "/rules/none/"}) {
        EXPECT_EQ(client_->Get(path)->status, 404) << path;
        EXPECT_EQ(client_->Delete(path)->status, 404) << path;
    }
    EXPECT_EQ(client_->Put("/rules/none", kRule, kForm)->status, 404);
    EXPECT_EQ(client_->Put("/routers/none", kRouter, kForm)->status, 404);
    EXPECT_EQ(messages(client_->Get("/rules/none"))[0], "no rule has the id \"none\"");
    EXPECT_EQ(client_->Get("/rules/a/b")->status, 404);
    EXPECT_EQ(client_->Get("/rules//")->status, 404);
}

TEST_F(CollectionsTest, TheSameRouterIpTwiceIs409) {
    const json first = created("/routers", kRouter);
    const json second = created("/routers", R"({"name": "b", "router_ip": "::ffff:192.0.2.2"})");
    EXPECT_EQ(second["router_ip"], "192.0.2.2") << "a mapped address is the address it stands for";
    const auto post = client_->Post("/routers", R"({"name": "c", "router_ip": "::ffff:192.0.2.1"})", kForm);
    EXPECT_EQ(post->status, 409);
    EXPECT_NE(messages(post)[0].find("192.0.2.1"), std::string::npos);
    const std::string id = second["id"];
    EXPECT_EQ(client_->Put("/routers/" + id, kRouter, kForm)->status, 409);
    EXPECT_EQ(client_->Put("/routers/" + id, R"({"name": "b2", "router_ip": "192.0.2.2"})", kForm)->status,
              200)
        << "its own address is no conflict";
    EXPECT_EQ(opened(client_->Get("/routers"))["result"].size(), 2U);
}

TEST_F(CollectionsTest, EveryMethodAPathDoesNotHaveIs405) {
    for (const char* path : {"/rules", "/routers/"}) {
        const auto erase = client_->Delete(path);
        EXPECT_EQ(erase->status, 405) << path;
        EXPECT_EQ(erase->get_header_value("Allow"), "GET, HEAD, POST") << path;
        EXPECT_EQ(client_->Put(path, kRule, kForm)->status, 405) << path;
    }
    const auto post = client_->Post("/rules/x", kRule, kForm);
    EXPECT_EQ(post->status, 405);
    EXPECT_EQ(post->get_header_value("Allow"), "GET, HEAD, PUT, DELETE");
    EXPECT_EQ(client_->Patch("/rules/x", kRule, kForm)->status, 405);
    EXPECT_EQ(client_->Post("/alerts", "{}", kForm)->status, 405);
}

TEST_F(CollectionsTest, TrailingSlashesAndHeadWork) {
    const std::string id = created("/rules/", kRule)["id"];
    for (const std::string& path : {std::string{"/rules/"}, "/rules/" + id + "/", std::string{"/routers/"}}) {
        EXPECT_EQ(client_->Get(path)->status, 200) << path;
        EXPECT_EQ(client_->Head(path)->status, 200) << path;
    }
    EXPECT_EQ(client_->Put("/rules/" + id + "/", kRule, kForm)->status, 200);
    EXPECT_EQ(client_->Delete("/rules/" + id + "/")->status, 200);
}

TEST_F(CollectionsTest, WhatIsNotJsonIs400AndWhatIsNoObject422) {
    for (const char* path : {"/rules", "/routers"}) {
        for (const char* body : {"", "{", "name=web", "{'name': 1}", "\xff"}) {
            EXPECT_EQ(client_->Post(path, body, kForm)->status, 400) << path << body;
        }
        for (const char* body : {"[]", "null", "5", "\"text\""}) {
            EXPECT_EQ(client_->Post(path, body, kForm)->status, 422) << path << body;
        }
        EXPECT_EQ(client_->Post(path, std::string(1024 * 1024 + 1, ' '), kForm)->status, 413) << path;
    }
    EXPECT_EQ(kept_rules(), 0U);
}

TEST_F(CollectionsTest, EachWrongFieldOfARouterIsNamed) {
    for (const auto& [body, expected] : std::vector<std::pair<std::string, std::vector<std::string>>>{
             {"{}", {"name: is missing", "router_ip: is missing"}},
             {R"({"name": 5, "router_ip": 6})", {"name: a text is expected, not 5", "router_ip: a text"}},
             {R"({"name": "", "router_ip": "192.0.2.1"})", {"name: "}},
             {R"({"name": " ", "router_ip": "192.0.2.1"})", {"name: "}},
             {R"({"name": "a\nb", "router_ip": "192.0.2.1"})", {"name: a text without line breaks"}},
             {R"({"name": "a", "router_ip": "192.0.2.1/32"})", {"router_ip: the address"}},
             {R"({"name": "a", "router_ip": "edge.example"})", {"router_ip: "}},
             {R"({"name": "a", "router_ip": "0.0.0.0"})", {"router_ip: "}},
             {R"({"name": "a", "router_ip": "::"})", {"router_ip: "}},
             {R"({"name": "a", "router_ip": "224.0.0.1"})", {"router_ip: "}},
             {R"({"name": "a", "router_ip": "ff02::1"})", {"router_ip: "}},
             {R"({"name": "a", "router_ip": "192.0.2.1", "default_sampling": -1})", {"default_sampling: "}},
             {R"({"name": "a", "router_ip": "192.0.2.1", "default_sampling": 4294967296})",
              {"default_sampling: a whole number from 0 to 4294967295 is expected, not 4294967296"}},
             {R"({"name": "a", "router_ip": "192.0.2.1", "default_sampling": "1000"})",
              {"default_sampling: a whole number from 0 to 4294967295 is expected, not the text \"1000\""}},
             {R"({"name": "a", "router_ip": "192.0.2.1", "default_sampling": 1.5})", {"default_sampling: "}},
             {R"({"name": "a", "router_ip": "192.0.2.1", "defaut_sampling": 5})",
              {"unknown field \"defaut_sampling\"; the nearest is default_sampling"}}}) {
        const auto answer = client_->Post("/routers", body, kForm);
        EXPECT_EQ(answer->status, 422) << body;
        const auto all = messages(answer);
        ASSERT_EQ(all.size(), expected.size()) << body << answer->body;
        for (std::size_t i = 0; i < all.size(); ++i) {
            EXPECT_EQ(all[i].rfind(expected[i], 0), 0U) << body << ": " << all[i];
        }
    }
    EXPECT_EQ(opened(client_->Get("/routers"))["result"], json::array());
}

TEST_F(CollectionsTest, RoutersTakeTheEdgesOfTheirFields) {
    for (const char* body : {R"({"name": "a", "router_ip": "127.0.0.1", "default_sampling": 0})",
                             R"({"name": "b", "router_ip": "fe80::1", "default_sampling": 4294967295})",
                             R"({"name": "c", "router_ip": "10.0.0.1", "default_sampling": 1e3})",
                             R"({"name": "d", "router_ip": "10.0.0.2", "default_sampling": null})"}) {
        EXPECT_EQ(client_->Post("/routers", body, kForm)->status, 201) << body;
    }
    const json all = opened(client_->Get("/routers"))["result"];
    EXPECT_EQ(all[1]["default_sampling"], 4294967295U);
    EXPECT_EQ(all[2]["default_sampling"], 1000);
}

TEST_F(CollectionsTest, NamesAreCountedInCharactersNotBytes) {
    std::string longest;
    for (int i = 0; i < 256; ++i) longest += "\xc3\xa4";
    EXPECT_EQ(created("/rules",
                      fmt::format(R"({{"name": "{}", "prefixes": ["10.0.0.0/8"], "type": "advanced_ddos"}})",
                                  longest))["name"],
              longest);
    EXPECT_EQ(told_once({{"name", longest + "x"}}),
              "name: a text of 1 to 256 characters is expected, not one of 257");
}

TEST_F(CollectionsTest, PrefixesAreHeldToTheirFormAndToldTheRightOne) {
    for (const auto& [prefix, message] : std::vector<std::pair<std::string, std::string>>{
             {"10.1.2.3/8",
              "prefixes[0]: \"10.1.2.3/8\" has bits beyond its length; the prefix is 10.0.0.0/8"},
             {"2001:db8::1/32",
              "prefixes[0]: \"2001:db8::1/32\" has bits beyond its length; the prefix is 2001:db8::/32"},
             {"10.0.0.1", "prefixes[0]: \"10.0.0.1\" has no length; one address is 10.0.0.1/32"},
             {"2001:db8::1", "prefixes[0]: \"2001:db8::1\" has no length; one address is 2001:db8::1/128"},
             {"10.0.0.0/33", "prefixes[0]: the length after / is 0 to 32, not as in \"10.0.0.0/33\""},
             {"10.0.0.0/255.0.0.0",
              "prefixes[0]: the length after / is a plain number, not as in \"10.0.0.0/255.0.0.0\""},
             {"everything",
              "prefixes[0]: a prefix such as 192.0.2.0/24 or 2001:db8::/32 is expected, not "
              "\"everything\""}}) {
        EXPECT_EQ(told_once({{"prefixes", {prefix}}}), message);
    }
    EXPECT_EQ(told_once({{"prefixes", json::array()}}), "prefixes: at least one prefix is expected");
    EXPECT_EQ(told_once({{"prefixes", nullptr}}).rfind("prefixes: is missing", 0), 0U);
    EXPECT_EQ(told_once({{"prefixes", "10.0.0.0/8"}}),
              "prefixes: a list of texts is expected, not the text \"10.0.0.0/8\"");
    EXPECT_EQ(told_once({{"prefixes", {"10.0.0.0/8", 5}}}), "prefixes[1]: a text is expected, not 5");
    EXPECT_EQ(told_once({{"prefixes", {"10.0.0.0/8", "::/0", "10.0.0.0/8"}}}),
              "prefixes[2]: 10.0.0.0/8 is in prefixes[0] already");
    EXPECT_EQ(kept_rules(), 0U);
}

TEST_F(CollectionsTest, ARuleHasAtMostFiveThousandPrefixes) {
    json prefixes = json::array();
    for (int i = 0; i < 5000; ++i) prefixes.push_back(fmt::format("10.{}.{}.0/24", i / 256, i % 256));
    json rule = json::parse(kRule);
    rule["prefixes"] = prefixes;
    EXPECT_EQ(created("/rules", rule.dump())["prefixes"], prefixes);
    prefixes.push_back("192.0.2.0/24");
    EXPECT_EQ(told_once({{"prefixes", prefixes}}), "prefixes: at most 5000 are possible, 5001 are given");
}

TEST_F(CollectionsTest, ThousandsOfMistakesMakeAShortAnswer) {
    const auto all = told({{"prefixes", std::vector<std::string>(5000, "x")}});
    EXPECT_EQ(all.size(), 21U);
    EXPECT_EQ(all.back(), "and more");
}

TEST_F(CollectionsTest, NumbersOfARuleAreWholeAndInRange) {
    for (const auto& [field, most] : {std::pair{"bandwidth_threshold", "9223372036854775807"},
                                      {"packet_threshold", "9223372036854775807"},
                                      {"duration", "60"}}) {
        for (const char* wrong : {"0", "-1", "1.5", "\"5\"", "true", "[]", "{}", "1e300", "-0.5",
                                  "9223372036854775808", "18446744073709551616"}) {
            const std::string message = told_once({{field, json::parse(wrong)}});
            EXPECT_EQ(message.rfind(std::string{field} + ": a whole number of ", 0), 0U) << message;
            EXPECT_NE(message.find(std::string{" from 1 to "} + most + " is expected"), std::string::npos)
                << message;
        }
    }
    EXPECT_EQ(told_once({{"duration", 61}}),
              "duration: a whole number of minutes from 1 to 60 is expected, not 61");
    EXPECT_EQ(
        told_once({{"bandwidth_threshold", "1 Gbps"}}),
        "bandwidth_threshold: a whole number of bits/s from 1 to 9223372036854775807 is expected, not the "
        "text \"1 Gbps\"");
    json rule = json::parse(kRule);
    rule["bandwidth_threshold"] = 9223372036854775807U;
    rule["duration"] = 60;
    rule["packet_threshold"] = 1.0;
    const json made = created("/rules", rule.dump());
    EXPECT_EQ(made["bandwidth_threshold"], 9223372036854775807U);
    EXPECT_EQ(made["packet_threshold"], 1) << "a zero fraction is none";
    EXPECT_EQ(made["duration"], 60);
}

TEST_F(CollectionsTest, AThresholdRuleNeedsAThresholdAndAZscoreRuleBothFields) {
    EXPECT_EQ(
        told_once({{"bandwidth_threshold", nullptr}}),
        "bandwidth_threshold: a rule of type threshold needs it (bits/s), or packet_threshold (packets/s)");
    EXPECT_EQ(told({{"type", "zscore"}, {"bandwidth_threshold", nullptr}}),
              (std::vector<std::string>{"zscore_sensitivity: is missing; low, medium or high is expected",
                                        "zscore_target: is missing; bits or packets is expected"}));
    EXPECT_EQ(told_once({{"type", "zscore"}, {"bandwidth_threshold", nullptr}, {"zscore_target", "bits"}}),
              "zscore_sensitivity: is missing; low, medium or high is expected");
    EXPECT_EQ(told_once({{"type", nullptr}}),
              "type: is missing; threshold, zscore or advanced_ddos is expected");
}

TEST_F(CollectionsTest, FieldsOfAnotherTypeAreRefused) {
    EXPECT_EQ(told_once({{"zscore_target", "bits"}}), "zscore_target: a rule of type threshold has none");
    EXPECT_EQ(told({{"type", "advanced_ddos"}, {"packet_threshold", 5}}),
              (std::vector<std::string>{"bandwidth_threshold: a rule of type advanced_ddos has none",
                                        "packet_threshold: a rule of type advanced_ddos has none"}));
    EXPECT_EQ(told_once({{"type", "zscore"},
                         {"bandwidth_threshold", nullptr},
                         {"zscore_target", "bits"},
                         {"zscore_sensitivity", "low"},
                         {"duration", 5}}),
              "duration: a rule of type zscore judges each minute; leave it out");
}

TEST_F(CollectionsTest, ChoicesAreNamed) {
    EXPECT_EQ(told_once({{"type", "Threshold"}}),
              "type: threshold, zscore or advanced_ddos is expected, not the text \"Threshold\"");
    EXPECT_EQ(told_once({{"scope", "all"}}),
              "scope: per_prefix or aggregate is expected, not the text \"all\"");
    EXPECT_EQ(told_once({{"scope", 1}}), "scope: a text is expected, not 1");
    const auto zscore = told({{"type", "zscore"},
                              {"bandwidth_threshold", nullptr},
                              {"zscore_sensitivity", "extreme"},
                              {"zscore_target", "flows"}});
    ASSERT_EQ(zscore.size(), 2U);
    EXPECT_EQ(zscore[0].rfind("zscore_sensitivity: low, medium or high", 0), 0U);
    EXPECT_EQ(zscore[1].rfind("zscore_target: bits or packets", 0), 0U);
}

TEST_F(CollectionsTest, UnknownFieldsAreRefusedWithTheNearestNameOrAllOfThem) {
    EXPECT_EQ(told_once({{"duraton", 5}}), "unknown field \"duraton\"; the nearest is duration");
    const std::string message = told_once({{"automatic_advertisement", false}});
    EXPECT_NE(message.find("there are "), std::string::npos) << message;
    EXPECT_NE(message.find("zscore_sensitivity"), std::string::npos) << message;
    EXPECT_LT(told_once({{std::string(100'000, 'x'), 1}}).size(), 1000U);
}

TEST_F(CollectionsTest, ListsComeInPartsThatLeadToTheNext) {
    std::vector<std::string> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(created("/rules", kRule)["id"]);
    EXPECT_EQ(client_->Get("/rules")->get_header_value("Link"), "");
    std::vector<std::string> found;
    std::string next = "/rules?limit=2";
    int parts = 0;
    for (; !next.empty() && parts < 9; ++parts) {
        const auto answer = client_->Get(next);
        const json body = opened(answer);
        for (const json& rule : body["result"]) found.push_back(rule["id"]);
        const std::string link = answer->get_header_value("Link");
        next = link.empty() ? "" : link.substr(1, link.find('>') - 1);
    }
    EXPECT_EQ(parts, 3);
    EXPECT_EQ(found, ids);
    EXPECT_EQ(rules_.last_asked().after, ids[3]);
    EXPECT_EQ(rules_.last_asked().limit, 3U) << "a page and one to know whether there is more";
    EXPECT_EQ(opened(client_->Get("/rules?after=" + ids[4]))["result"], json::array());
    EXPECT_EQ(client_->Get("/rules?limit=5")->get_header_value("Link"), "") << "that was all";
    for (const char* query : {"after=none", "after=", "limit=0", "limit=1001", "limit=x", "page=2"}) {
        const auto answer = client_->Get(std::string{"/rules?"} + query);
        EXPECT_EQ(answer->status, 422) << query;
        EXPECT_NE(messages(answer)[0].find(std::string{query}.substr(0, 4)), std::string::npos) << query;
    }
}

TEST_F(CollectionsTest, TroubleOfTheDatabaseIs500WithItsReason) {
    const std::string id = created("/rules", kRule)["id"];
    fault_ = Error{ErrorCode::kFull, "magic_transit.db: disk full"};
    EXPECT_EQ(client_->Get("/rules")->status, 500);
    EXPECT_EQ(client_->Get("/rules/" + id)->status, 500);
    EXPECT_EQ(client_->Put("/rules/" + id, kRule, kForm)->status, 500);
    EXPECT_EQ(client_->Delete("/rules/" + id)->status, 500);
    const auto post = client_->Post("/rules", kRule, kForm);
    EXPECT_EQ(post->status, 500);
    EXPECT_EQ(messages(post)[0], "magic_transit.db: disk full");
    EXPECT_EQ(client_->Post("/rules", "{}", kForm)->status, 422) << "a wrong body is told first";
}

TEST_F(CollectionsTest, WritesNeedTheTokenAndForeignPagesMayNotWrite) {
    const auto foreign = client_->Post("/rules", {{"Origin", "https://evil.example"}}, kRule, kForm);
    EXPECT_EQ(foreign->status, 403);
    start(Secret{"s3cret"});
    EXPECT_EQ(client_->Post("/rules", kRule, kForm)->status, 401);
    EXPECT_EQ(client_->Delete("/rules/x")->status, 401);
    EXPECT_EQ(client_->Get("/rules/x")->status, 401) << "a stranger does not learn which ids exist";
    client_->set_bearer_token_auth("s3cret");
    EXPECT_EQ(client_->Post("/rules", kRule, kForm)->status, 201);
    EXPECT_EQ(kept_rules(), 1U);
}

}  // namespace
}  // namespace cam::api
