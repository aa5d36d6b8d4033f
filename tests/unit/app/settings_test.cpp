#include "app/settings.h"

#include <string>
#include <vector>

#include "unit/app/settings_fixture.h"

namespace cam::app {
namespace {

// B30: prefixes, paths and intervals were in the source; a file of then still works.
TEST_F(SettingsTest, TakesAPythonEraFileWithTheContractsDefaults) {
    const LoadedSettings loaded = parse(python_era());
    ASSERT_TRUE(loaded.usable()) << lines(loaded);
    EXPECT_TRUE(loaded.findings.empty()) << lines(loaded);
    const Settings& settings = loaded.settings;
    EXPECT_EQ(settings.cloudflare.account_id, "0123456789abcdef0123456789abcdef");
    EXPECT_EQ(settings.cloudflare.api_token.reveal(), kToken);
    EXPECT_EQ(settings.cloudflare.api_url, "https://api.cloudflare.com/client/v4");
    EXPECT_EQ(settings.telegram.bot_token.reveal(), kBotToken);
    EXPECT_EQ(settings.telegram.chat_id, "-1001234567890");
    EXPECT_EQ(settings.telegram.message_thread_id, std::nullopt);
    EXPECT_EQ(settings.telegram.api_url, "https://api.telegram.org");
    EXPECT_EQ(settings.monitor.poll_interval, std::chrono::seconds{300});
    EXPECT_EQ(settings.monitor.lookback, std::chrono::minutes{15});
    EXPECT_EQ(settings.monitor.min_packets, 1U);
    EXPECT_EQ(settings.monitor.aggregate_above, 3U);
    EXPECT_EQ(settings.monitor.catch_up, std::chrono::hours{24});
    EXPECT_EQ(texts(settings.prefixes.mine), (std::vector<std::string>{"185.54.80.0/22", "2a02:4460::/32"}));
    EXPECT_EQ(texts(settings.prefixes.cloudflare_anycast),
              (std::vector<std::string>{"162.159.0.0/16", "172.64.0.0/13", "104.16.0.0/13"}));
    EXPECT_EQ(
        settings.geoip.city,
        (std::vector<std::string>{"/usr/share/GeoIP/GeoIP2-City.mmdb", "/usr/share/GeoIP/GeoLite2-City.mmdb",
                                  "/var/lib/GeoIP/GeoIP2-City.mmdb", "/var/lib/GeoIP/GeoLite2-City.mmdb"}));
    EXPECT_EQ(
        settings.geoip.asn,
        (std::vector<std::string>{"/usr/share/GeoIP/GeoIP2-ASN.mmdb", "/usr/share/GeoIP/GeoLite2-ASN.mmdb",
                                  "/var/lib/GeoIP/GeoIP2-ASN.mmdb", "/var/lib/GeoIP/GeoLite2-ASN.mmdb"}));
    EXPECT_EQ(settings.paths.database, folder_.file("db/magic_transit.db"));
    EXPECT_EQ(settings.paths.dashboard_prefs, folder_.file("config/dashboard_prefs.json"));
    EXPECT_EQ(settings.paths.log_file, folder_.file("logs/network-analytics-monitor.log"));
    EXPECT_EQ(settings.organization, "GOLINE SOC");
    EXPECT_EQ(settings.services,
              (std::vector<std::pair<std::string, std::string>>{{"Webhook", "cloudflare-webhook"},
                                                                {"Autowithdraw", "cloudflare-autowithdraw"},
                                                                {"Dashboard", "cloudflare-dashboard"}}));
    EXPECT_TRUE(settings.api.enabled);
    EXPECT_EQ(settings.api.listen.text(), "127.0.0.1:8090");
    EXPECT_FALSE(settings.api.token);
    EXPECT_FALSE(settings.flow.enabled);
    ASSERT_EQ(settings.flow.listen.size(), 3U);
    EXPECT_EQ(settings.flow.listen[2].text(), "0.0.0.0:6343");
    EXPECT_EQ(settings.flow.workers, 0U);
    EXPECT_EQ(settings.flow.receive_buffer_bytes, 16'777'216U);
    EXPECT_FALSE(settings.traffic.on_clickhouse());
    EXPECT_FALSE(settings.traffic.only_collects());
    EXPECT_EQ(settings.traffic.clickhouse.url, "http://127.0.0.1:8123");
}

TEST_F(SettingsTest, HoldsEveryNumberInItsRange) {
    struct Range {
        const char* group;
        const char* key;
        std::uint64_t least;
        std::optional<std::uint64_t> most;
    };
    for (const Range& range :
         {Range{"monitor", "poll_interval_seconds", 1, 86'400},
          Range{"monitor", "lookback_minutes", 1, 129'600}, Range{"monitor", "min_packets", 0, std::nullopt},
          Range{"monitor", "aggregate_above", 0, std::nullopt}, Range{"monitor", "catch_up_hours", 0, 2'160},
          Range{"flow", "workers", 0, 256}, Range{"flow", "receive_buffer_bytes", 4'096, 1ULL << 31U}}) {
        const std::string path = fmt::format("{}.{}", range.group, range.key);
        const auto given = [&](const std::string& value) {
            return parse(with(range.group, range.key, value));
        };
        EXPECT_TRUE(given(std::to_string(range.least)).findings.empty()) << path;
        if (range.most) {
            EXPECT_TRUE(given(std::to_string(*range.most)).findings.empty()) << path;
            EXPECT_TRUE(refuses(given(std::to_string(*range.most + 1)), path, "whole number from")) << path;
        } else {
            EXPECT_TRUE(given("9223372036854775807").findings.empty()) << path;
            EXPECT_TRUE(refuses(given("9223372036854775808"), path, "whole number of at least")) << path;
        }
        if (range.least > 0) {
            EXPECT_TRUE(refuses(given(std::to_string(range.least - 1)), path)) << path;
        }
        for (const char* wrong :
             {"-1", "1.5", "1e3", "\"300\"", "null", "true", "[]", "{}", "99999999999999999999999999"}) {
            EXPECT_TRUE(refuses(given(wrong), path, "expected a whole number")) << path << " = " << wrong;
        }
    }
}

TEST_F(SettingsTest, NamesThePathOfEveryWrongType) {
    struct Case {
        const char* group;
        const char* key;
        const char* value;
        const char* where;
    };
    for (const Case& one : {
             Case{"prefixes", "mine", "\"185.54.80.0/22\"", "prefixes.mine"},
             Case{"prefixes", "mine", "[\"185.54.80.0/22\", 7]", "prefixes.mine[1]"},
             Case{"prefixes", "cloudflare_anycast", "{}", "prefixes.cloudflare_anycast"},
             Case{"geoip", "city", "\"x.mmdb\"", "geoip.city"},
             Case{"geoip", "asn", "[null]", "geoip.asn[0]"},
             Case{"paths", "database", "1", "paths.database"},
             Case{"services", "Webhook", "false", "services.Webhook"},
             Case{"api", "enabled", "\"yes\"", "api.enabled"},
             Case{"api", "listen", "8090", "api.listen"},
             Case{"api", "listen", "\"127.0.0.1\"", "api.listen"},
             Case{"api", "listen", "\"127.0.0.1:65536\"", "api.listen"},
             Case{"api", "listen", "\"example.net:8090\"", "api.listen"},
             Case{"api", "listen", "\"::1:8090\"", "api.listen"},
             Case{"flow", "listen", "[\"0.0.0.0:2055\", \"0.0.0.0\"]", "flow.listen[1]"},
             Case{"flow", "listen", "\"0.0.0.0:2055\"", "flow.listen"},
             Case{"traffic", "store", "\"mysql\"", "traffic.store"},
             Case{"traffic", "role", "\"both\"", "traffic.role"},
             Case{"traffic", "clickhouse", R"({"database": "a-b"})", "traffic.clickhouse.database"},
             Case{"traffic", "clickhouse", R"({"cluster": "x y"})", "traffic.clickhouse.cluster"},
             Case{"traffic", "clickhouse", R"({"batch_rows": 10})", "traffic.clickhouse.batch_rows"},
             Case{"traffic", "clickhouse", R"({"kafka": {"brokers": "a:1", "topic": ""}})",
                  "traffic.clickhouse.kafka.topic"},
             Case{"traffic", "clickhouse", R"({"kafka": {"consumers": 0}})",
                  "traffic.clickhouse.kafka.consumers"},
         }) {
        EXPECT_TRUE(refuses(parse(with(one.group, one.key, one.value)), one.where))
            << one.where << " = " << one.value;
    }
    for (const char* group : {"monitor", "prefixes", "geoip", "paths", "api", "flow", "traffic"}) {
        const LoadedSettings loaded = parse(python_era(fmt::format(R"(, "{}": 5)", group)));
        EXPECT_TRUE(refuses(loaded, group, "expected an object")) << group;
        EXPECT_EQ(loaded.findings.size(), 1U) << "once per group, not for each of its keys:\n"
                                              << lines(loaded);
    }
    EXPECT_TRUE(refuses(parse(python_era(R"(, "traffic": {"clickhouse": []})")), "traffic.clickhouse"));
    EXPECT_TRUE(refuses(parse(python_era(R"(, "services": [])")), "services"));
    EXPECT_TRUE(refuses(parse(python_era(R"(, "organization": 7)")), "organization"));
}

TEST_F(SettingsTest, SaysWhichPrefixWasMeantWhereHostBitsAreSet) {
    const LoadedSettings loaded =
        parse(with("prefixes", "mine",
                   R"(["185.54.82.4/22", "2a02:4460::1/32", "::ffff:1.2.3.4/120", "185.54.80.0", "x/8"])"));
    EXPECT_TRUE(refuses(loaded, "prefixes.mine[0]", "host bits set; expected 185.54.80.0/22"))
        << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "prefixes.mine[1]", "host bits set; expected 2a02:4460::/32"))
        << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "prefixes.mine[2]", "host bits set")) << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "prefixes.mine[3]", "expected a prefix such as")) << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "prefixes.mine[4]", "expected a prefix such as")) << lines(loaded);
    EXPECT_EQ(loaded.findings.size(), 5U) << lines(loaded);
}

TEST_F(SettingsTest, RefusesToWatchNothing) {
    EXPECT_TRUE(
        refuses(parse(with("prefixes", "mine", "[]")), "prefixes.mine", "no event would ever be told"));
    EXPECT_TRUE(parse(with("prefixes", "cloudflare_anycast", "[]")).findings.empty());
}

TEST_F(SettingsTest, NamesTheNearestKnownKeyOfOneItDoesNotKnow) {
    struct Case {
        const char* more;
        const char* where;
        const char* nearest;
    };
    for (const Case& one : {
             Case{R"(, "monitor": {"pol_interval_seconds": 5})", "monitor.pol_interval_seconds",
                  "monitor.poll_interval_seconds"},
             Case{R"(, "poll_interval_seconds": 5)", "poll_interval_seconds",
                  "monitor.poll_interval_seconds"},
             Case{R"(, "api": {"lisen": "127.0.0.1:1"})", "api.lisen", "api.listen"},
             Case{R"(, "organisation": "X")", "organisation", "organization"},
             Case{R"(, "traffic": {"clickhouse": {"pasword_file": ""}})", "traffic.clickhouse.pasword_file",
                  "traffic.clickhouse.password_file"},
         }) {
        const LoadedSettings loaded = parse(python_era(one.more));
        EXPECT_TRUE(loaded.usable()) << "an unknown key is a warning";
        EXPECT_TRUE(warns(loaded, one.where, "is not a known key")) << lines(loaded);
        EXPECT_TRUE(warns(loaded, one.where, one.nearest)) << lines(loaded);
    }
    EXPECT_TRUE(parse(python_era(R"(, "services": {"Any label": "any-unit"})")).findings.empty())
        << "keys of services are free";
}

TEST_F(SettingsTest, NamesTheNearestGroupOfOneItDoesNotKnow) {
    const LoadedSettings loaded = parse(python_era(R"(, "moniter": {"poll_interval_seconds": 5})"));
    EXPECT_TRUE(warns(loaded, "moniter", "nearest known key is monitor)")) << lines(loaded);
}

TEST_F(SettingsTest, SaysWhereTheJsonIsBroken) {
    EXPECT_TRUE(refuses(parse("{\n  \"cloudflare\": {},\n  oops\n}"), "", "line 3, column 3"));
    EXPECT_TRUE(refuses(parse("{\"a\": 1,}"), "", "line 1, column 9"));
    EXPECT_TRUE(refuses(parse(""), "", "line 1, column 1"));
    EXPECT_TRUE(refuses(parse("{\n\"a\": \"\xff\"}"), "", "line 2"));
    EXPECT_TRUE(refuses(parse("[]"), "", "is no JSON object"));
    EXPECT_TRUE(refuses(parse("null"), "", "is no JSON object"));
    EXPECT_TRUE(refuses(parse(python_era() + "}"), "", "not valid JSON"));
}

// B36: JSON depth is bounded.
TEST_F(SettingsTest, RefusesDeepNestingWithoutFallingOver) {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    EXPECT_TRUE(refuses(parse(deep), "", "nested deeper than 32 levels"));
    EXPECT_TRUE(refuses(parse(std::string(200'000, '[')), "", "nested deeper"));
    std::string objects;
    for (int i = 0; i < 1'000; ++i) objects += "{\"a\":";
    EXPECT_TRUE(refuses(parse(objects), "", "nested deeper"));
}

TEST_F(SettingsTest, SaysWhatIsMissing) {
    LoadedSettings loaded = parse("{}");
    for (const char* where :
         {"cloudflare.account_id", "cloudflare.api_token", "telegram.bot_token", "telegram.chat_id"}) {
        EXPECT_TRUE(refuses(loaded, where, "is missing")) << where;
    }
    EXPECT_EQ(loaded.findings.size(), 4U) << lines(loaded);

    loaded = parse(R"({"cloudflare": {"account_id": "a1", "api_token": "t"}})", Needs::kCloudflareOnly);
    EXPECT_TRUE(loaded.usable()) << "a dry run needs no Telegram:\n" << lines(loaded);
    EXPECT_TRUE(warns(loaded, "telegram.bot_token", "is missing"));
    EXPECT_TRUE(warns(loaded, "telegram.chat_id", "is missing"));
}

TEST_F(SettingsTest, TakesRelativePathsFromAboveAConfigFolderElseFromTheFilesOwn) {
    const std::string text = python_era(
        R"(, "paths": {"database": "data/x.db", "log_file": "", "dashboard_prefs": "/srv/prefs.json"},
"geoip": {"city": ["geo/City.mmdb"]})");
    const auto parsed = [&](const std::string& file) {
        return parse_settings(text, file, environment_, Needs::kEverything).settings;
    };
    EXPECT_EQ(parsed("/opt/monitor/config/settings.json").paths.database, "/opt/monitor/data/x.db");
    EXPECT_EQ(parsed("/opt/monitor/config/settings.json").geoip.city,
              std::vector<std::string>{"/opt/monitor/geo/City.mmdb"});
    EXPECT_EQ(parsed("/etc/cam/settings.json").paths.database, "/etc/cam/data/x.db");
    EXPECT_EQ(parsed("/etc/cam/../cam2/settings.json").paths.database, "/etc/cam2/data/x.db");
    EXPECT_EQ(parsed("/etc/cam/settings.json").paths.dashboard_prefs, "/srv/prefs.json");
    EXPECT_EQ(parsed("/etc/cam/settings.json").paths.log_file, "") << "empty: no log file";
    EXPECT_TRUE(refuses(parse(with("paths", "database", "\"\"")), "paths.database", "is empty"));
}

TEST_F(SettingsTest, TakesAChatIdAsNumberOrText) {
    const auto chat = [&](const std::string& value) {
        return parse(fmt::format(R"({{"cloudflare": {{"account_id": "a1", "api_token": "t"}},
"telegram": {{"bot_token": "b", "chat_id": {}, "message_thread_id": 7}}}})",
                                 value));
    };
    EXPECT_EQ(chat("-1001234567890").settings.telegram.chat_id, "-1001234567890");
    EXPECT_EQ(chat("42").settings.telegram.chat_id, "42");
    EXPECT_EQ(chat("\"@soc\"").settings.telegram.chat_id, "@soc");
    EXPECT_EQ(chat("42").settings.telegram.message_thread_id, 7);
    EXPECT_TRUE(chat("42").usable());
    EXPECT_TRUE(refuses(chat("1.5"), "telegram.chat_id"));
    for (const char* odd : {"\"soc\"", "\"@\"", "\"-\"", "\"-100 12\"", "\"https://t.me/soc\""})
        EXPECT_TRUE(warns(chat(odd), "telegram.chat_id", "neither a whole number nor @name")) << odd;
    for (const char* good : {"\"@soc\"", "\"-1001234567890\"", "42"})
        EXPECT_FALSE(warns(chat(good), "telegram.chat_id")) << good;
    EXPECT_TRUE(refuses(chat("true"), "telegram.chat_id"));
}

TEST_F(SettingsTest, RefusesAnOpenApiWithoutAToken) {
    const auto api = [&](const std::string& listen, const std::string& more = "") {
        return parse(python_era(fmt::format(R"(, "api": {{"listen": "{}"{}}})", listen, more)));
    };
    for (const char* near : {"127.0.0.1:8090", "127.8.8.8:1", "[::1]:8090", "localhost:8090"}) {
        EXPECT_TRUE(api(near).findings.empty()) << near << "\n" << lines(api(near));
    }
    for (const char* open : {"0.0.0.0:8090", "[::]:8090", "192.0.2.1:8090", "[2001:db8::1]:8090"}) {
        EXPECT_TRUE(refuses(api(open), "api.listen", "there is no token")) << open;
        EXPECT_TRUE(api(open, R"(, "enabled": false)").usable()) << open;
    }
    folder_.write("api-token", "s3cret");
    const LoadedSettings loaded = api("0.0.0.0:8090", R"(, "token_file": "api-token")");
    EXPECT_TRUE(loaded.usable()) << lines(loaded);
    ASSERT_TRUE(loaded.settings.api.token);
    EXPECT_EQ(loaded.settings.api.token->reveal(), "s3cret");
    EXPECT_TRUE(warns(loaded, "api.token_file", "can be guessed")) << lines(loaded);
    folder_.write("api-token", "0123456789abcdef0123456789abcdef");
    EXPECT_TRUE(api("0.0.0.0:8090", R"(, "token_file": "api-token")").findings.empty());
    EXPECT_TRUE(refuses(api("0.0.0.0:8090", R"(, "token_file": "nowhere")"), "api.token_file"));
}

TEST_F(SettingsTest, HoldsUrlsAgainstWhatIsReadableOnTheWay) {
    const auto url = [&](const std::string& value) {
        return parse(fmt::format(R"({{"cloudflare": {{"account_id": "a1", "api_token": "t", "api_url": "{}"}},
"telegram": {{"bot_token": "b", "chat_id": 1}}}})",
                                 value));
    };
    EXPECT_EQ(url("https://proxy.example/v4//").settings.cloudflare.api_url, "https://proxy.example/v4");
    EXPECT_TRUE(url("http://127.0.0.1:8080/client/v4").findings.empty());
    EXPECT_TRUE(warns(url("http://proxy.example"), "cloudflare.api_url", "readable"));
    for (const char* wrong : {"", "ftp://x.example", "api.cloudflare.com", "https://", "https://x y"}) {
        EXPECT_TRUE(refuses(url(wrong), "cloudflare.api_url")) << wrong;
    }
}

TEST_F(SettingsTest, TellsEveryProblemInOnePass) {
    const LoadedSettings loaded = parse(
        R"({"cloudflare": {"api_url": "x"}, "telegram": {"chat_id": []}, "moniter": {},
"monitor": {"poll_interval_seconds": 0, "lookback_minutes": "15", "catch_up_hours": 9999},
"prefixes": {"mine": ["185.54.82.4/22"]}, "api": {"listen": "0.0.0.0:1"}, "traffic": {"store": "x"}})");
    for (const char* where :
         {"cloudflare.api_url", "cloudflare.account_id", "cloudflare.api_token", "telegram.bot_token",
          "telegram.chat_id", "monitor.poll_interval_seconds", "monitor.lookback_minutes",
          "monitor.catch_up_hours", "prefixes.mine[0]", "api.listen", "traffic.store"}) {
        EXPECT_TRUE(refuses(loaded, where)) << where;
    }
    EXPECT_TRUE(warns(loaded, "moniter"));
    EXPECT_EQ(loaded.findings.size(), 12U) << lines(loaded);
}

TEST_F(SettingsTest, ReadsAFileAndSaysWhyItCannot) {
    const std::string file = folder_.write("config/settings.json", python_era());
    EXPECT_TRUE(load_settings(file, environment_, Needs::kEverything).usable());
    const LoadedSettings missing =
        load_settings(folder_.file("nowhere.json"), environment_, Needs::kEverything);
    EXPECT_TRUE(refuses(missing, "", "No such file or directory")) << lines(missing);
    EXPECT_EQ(missing.file, folder_.file("nowhere.json"));
    EXPECT_TRUE(
        refuses(load_settings(folder_.path(), environment_, Needs::kEverything), "", "not a regular file"));
    folder_.write("big.json", std::string(2'000'000, ' '));
    EXPECT_TRUE(refuses(load_settings(folder_.file("big.json"), environment_, Needs::kEverything), "",
                        "larger than"));
}

TEST_F(SettingsTest, WritesAFindingAsOneLine) {
    EXPECT_EQ(finding_line("s.json", {Finding::Severity::kError, "api.listen", "is 5; expected x"}),
              "s.json: error: api.listen is 5; expected x");
    EXPECT_EQ(finding_line("s.json", {Finding::Severity::kWarning, "", "is no JSON object"}),
              "s.json: warning: the file is no JSON object");
    const LoadedSettings loaded = parse(with("traffic", "store", "\"a\\nb\\u001b[31m\""));
    EXPECT_EQ(lines(loaded).find("\n"), lines(loaded).size() - 1) << "a value cannot start a line of its own";
    EXPECT_EQ(lines(loaded).find('\x1b'), std::string::npos);
}

TEST_F(SettingsTest, ACollectorNeedsClickHouseAndFlowsAndAsksCloudflareNothing) {
    const auto telegram = std::string{R"("telegram": {"bot_token": "1:a", "chat_id": "1"}, )"};
    const LoadedSettings good = parse("{" + telegram +
                                      R"("flow": {"enabled": true}, "prefixes": {"mine": []},
                                          "traffic": {"store": "clickhouse", "role": "collector"}})");
    EXPECT_TRUE(good.usable()) << lines(good);
    EXPECT_TRUE(good.settings.traffic.only_collects());
    EXPECT_TRUE(
        refuses(parse("{" + telegram + R"("flow": {"enabled": true}, "traffic": {"role": "collector"}})"),
                "traffic.role", "set traffic.store"));
    EXPECT_TRUE(refuses(parse("{" + telegram + R"("traffic": {"store": "clickhouse", "role": "collector"}})"),
                        "traffic.role", "set flow.enabled"));
}

TEST_F(SettingsTest, ReadsEveryKeyOfClickHouse) {
    const LoadedSettings loaded = parse(python_era(R"(, "traffic": {"store": "clickhouse", "clickhouse": {
        "url": "https://ch.example:8443", "database": "net", "user": "cam", "ca_file": "ca.pem", "cluster": "main",
        "batch_rows": 5000, "buffer_bytes": 20000000,
        "kafka": {"brokers": "k1:9092,k2:9092", "topic": "t", "group": "g", "consumers": 4}}})"));
    EXPECT_TRUE(loaded.usable()) << lines(loaded);
    const Settings::Traffic& traffic = loaded.settings.traffic;
    EXPECT_TRUE(traffic.on_clickhouse());
    EXPECT_EQ(traffic.clickhouse.url, "https://ch.example:8443");
    EXPECT_EQ(traffic.clickhouse.database, "net");
    EXPECT_TRUE(traffic.clickhouse.ca_file.ends_with("/ca.pem")) << traffic.clickhouse.ca_file;
    EXPECT_EQ(traffic.clickhouse.cluster, "main");
    EXPECT_EQ(traffic.clickhouse.batch_rows, 5'000U);
    EXPECT_EQ(traffic.clickhouse.buffer_bytes, 20'000'000U);
    EXPECT_EQ(traffic.clickhouse.kafka.brokers, "k1:9092,k2:9092");
    EXPECT_EQ(traffic.clickhouse.kafka.consumers, 4U);
}

}  // namespace
}  // namespace cam::app
