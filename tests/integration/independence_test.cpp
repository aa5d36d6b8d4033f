// What is not the core's business cannot stop the core: API, GeoIP, preferences, log file, systemd.

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "integration/site.h"

namespace cam::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using simulator::Fault;
using simulator::Target;

/// A stranger who listens on a port of 127.0.0.1.
class Listener {
public:
    explicit Listener(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int yes = 1;
        ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(socket_, 1), 0);
    }
    ~Listener() { ::close(socket_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

private:
    int socket_;
};

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

class IndependenceTest : public SiteTest {
protected:
    void SetUp() override {
        SiteTest::SetUp();
        use_private_chat();
        configure();
    }
    /// A message of its own for each call.
    std::string add_attack(const json& changes = json::object()) {
        const std::string id = "attack-" + std::to_string(++attacks_);
        json one = event(5, changes);
        one["attackId"] = id;
        world_.add_event(one);
        return "`" + id + "`";
    }
    [[nodiscard]] bool wait_for_text(const std::string& part,
                                     std::chrono::milliseconds patience = 60s) const {
        return world_.wait_until([&](const auto&) { return !messages_with(part).empty(); }, patience);
    }
    [[nodiscard]] bool wait_for_polls(std::size_t more) const {
        return world_.wait_for_requests(Target::kGraphql, world_.requests(Target::kGraphql).size() + more,
                                        20s);
    }
    /// Polling and telling work, whatever else does not.
    void expect_work(Process& daemon) {
        EXPECT_TRUE(wait_for_text(add_attack())) << daemon.err();
        EXPECT_TRUE(wait_for_polls(2)) << daemon.err();
    }
    void expect_clean_stop(Process& daemon) const {
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.wait(), 0) << daemon.err();
    }
    [[nodiscard]] std::string get(std::uint16_t port, const std::string& path) const {
        return run({.arguments = {"-sS", "http://127.0.0.1:" + std::to_string(port) + path},
                    .folder = folder_.path(),
                    .environment = {},
                    .program = "/usr/bin/curl"})
            .out;
    }
    /// Replaces a file as a package or a download does: in one step.
    void replace(const std::string& name, const std::string& source) const {
        fs::create_directories(fs::path(file(name)).parent_path());
        fs::copy_file(source, file(name) + ".new", fs::copy_options::overwrite_existing);
        fs::rename(file(name) + ".new", file(name));
    }
    /// A systemctl of our own in front of the real one.
    [[nodiscard]] Process::Options with_systemctl(const std::string& script) const {
        write("bin/systemctl", "#!/bin/sh\n" + script + "\n");
        ::chmod(file("bin/systemctl").c_str(), 0755);
        Process::Options options = command({});
        options.environment = {"PATH=" + file("bin") + ":/usr/bin:/bin"};
        return options;
    }

    int attacks_ = 0;
};

TEST_F(IndependenceTest, ATakenApiPortStopsNothingAndTheApiComesOnceItIsFree) {
    const std::uint16_t port = free_port();
    auto stranger = std::make_unique<Listener>(port);
    configure({{"api", {{"enabled", true}, {"listen", "127.0.0.1:" + std::to_string(port)}}}});
    Process daemon(command({}));
    ASSERT_TRUE(daemon.wait_for_log("condition raised condition=api_listener state=taken")) << daemon.err();
    expect_work(daemon);
    EXPECT_EQ(count(daemon.err(), "condition=api_listener"), 1U) << daemon.err();
    stranger.reset();
    ASSERT_TRUE(daemon.wait_for_log("condition cleared condition=api_listener", 20s)) << daemon.err();
    EXPECT_NE(get(port, "/readyz").find("\"success\":true"), std::string::npos) << get(port, "/readyz");
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, ClientsThatHoldEveryConnectionDoNotStopPolling) {
    const std::uint16_t port = free_port();
    configure({{"api", {{"enabled", true}, {"listen", "127.0.0.1:" + std::to_string(port)}}}});
    Process daemon(command({}));
    ASSERT_TRUE(eventually([&] { return !get(port, "/healthz").empty(); })) << daemon.err();
    std::vector<int> sockets;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 200; ++i) {
        sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        static_cast<void>(
            ::connect(sockets.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
        static_cast<void>(::send(sockets.back(), "GET /ev", 7, MSG_NOSIGNAL));
    }
    expect_work(daemon);
    expect_work(daemon);
    const auto before = std::chrono::steady_clock::now();
    expect_clean_stop(daemon);
    EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
    for (const int one : sockets) ::close(one);
}

TEST_F(IndependenceTest, WithoutUsableGeoIpEventsAreToldWithoutPlaces) {  // B28
    write("geoip/garbage.mmdb", std::string(20'000, 'g'));
    write("geoip/empty.mmdb", "");
    fs::create_directories(file("geoip/folder.mmdb"));
    for (const char* name : {"missing", "garbage", "empty", "folder"}) {
        const std::string path = file("geoip/" + std::string{name} + ".mmdb");
        configure({{"geoip", {{"city", {path}}, {"asn", {path}}}}});
        Process daemon(command({}));
        const std::string mine = add_attack();
        ASSERT_TRUE(wait_for_text(mine)) << name << daemon.err();
        expect_work(daemon);
        expect_work(daemon);
        EXPECT_EQ(count(daemon.err(), "condition raised condition=geoip"), 1U) << name << daemon.err();
        EXPECT_EQ(messages_with(mine).at(0).find("_GeoIP:"), std::string::npos);
        EXPECT_NE(messages_with("STARTED").back().find("GeoIP: Not available"), std::string::npos);
        expect_clean_stop(daemon);
    }
}

TEST_F(IndependenceTest, AGeoIpDatabaseReplacedOnDiskIsUsedFromTheNextMessageOn) {  // B21, B28
    const std::string fixtures = std::string{CAM_TEST_DATA} + "/geoip/";
    replace("geoip/city.mmdb", fixtures + "GeoLite2-City.mmdb");
    configure({{"geoip", {{"city", {file("geoip/city.mmdb")}}, {"asn", json::array()}}}});
    Process daemon(command({}));
    const std::string before = add_attack({{"ipSourceAddress", "193.0.6.139"}});
    ASSERT_TRUE(wait_for_text(before)) << daemon.err();
    EXPECT_EQ(messages_with(before).at(0).find("Amsterdam"), std::string::npos);
    EXPECT_NE(messages_with(before).at(0).find("_GeoIP: Free_"), std::string::npos);

    replace("geoip/city.mmdb", fixtures + "GeoIP2-City.mmdb");
    const std::string after = add_attack({{"ipSourceAddress", "193.0.6.139"}});
    ASSERT_TRUE(wait_for_text(after)) << daemon.err();
    EXPECT_NE(messages_with(after).at(0).find("Amsterdam, Netherlands (NL)"), std::string::npos)
        << messages_with(after).at(0);
    EXPECT_NE(messages_with(after).at(0).find("_GeoIP: Commercial_"), std::string::npos);

    // Overwritten with garbage in place: what was there stays in use.
    write("geoip/city.mmdb", std::string(5'000, 'g'));
    const std::string later = add_attack({{"ipSourceAddress", "193.0.6.139"}});
    ASSERT_TRUE(wait_for_text(later)) << daemon.err();
    EXPECT_NE(messages_with(later).at(0).find("Amsterdam, Netherlands (NL)"), std::string::npos);
    EXPECT_TRUE(daemon.wait_for_log("condition raised condition=geoip")) << daemon.err();
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, PreferencesThatCannotBeUsedCountAsMineOnlyWithOneWarning) {  // B27
    const std::string path = file("config/dashboard_prefs.json");
    const std::vector<std::pair<std::string, std::function<void()>>> states{
        {"missing", [] {}},
        {"malformed", [&] { write("config/dashboard_prefs.json", "{\"my_prefixes_only\": fal"); }},
        {"of another type", [&] { write("config/dashboard_prefs.json", "{\"my_prefixes_only\": \"no\"}"); }},
        {"empty", [&] { write("config/dashboard_prefs.json", ""); }},
        {"a folder", [&] { fs::create_directories(path); }},
        {"a pipe nobody writes to", [&] { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); }},
        {"a link to nowhere", [&] { fs::create_symlink("nowhere", path); }},
    };
    for (const auto& [name, make] : states) {
        fs::remove_all(path);
        make();
        Process daemon(command({}));
        const std::string foreign = add_attack({{"ipDestinationAddress", "104.16.1.1"}});
        expect_work(daemon);
        EXPECT_TRUE(messages_with(foreign).empty()) << name;
        EXPECT_EQ(count(daemon.err(), "condition raised condition=preferences"), 1U) << name << daemon.err();
        EXPECT_TRUE(messages_with("*Preference file").empty()) << "no business of the SOC";
        daemon.signal(SIGKILL);
        ASSERT_TRUE(daemon.wait());
        world_.clear_events();
    }
}

TEST_F(IndependenceTest, TheToggleWorksFromOnePollToTheNext) {
    write("config/dashboard_prefs.json", R"({"my_prefixes_only": true, "theme": "dark"})");
    Process daemon(command({}));
    const std::string anycast = add_attack({{"ipDestinationAddress", "104.16.1.1"}});
    const std::string stranger = add_attack({{"ipDestinationAddress", "198.51.100.1"}});
    expect_work(daemon);
    EXPECT_TRUE(messages_with(anycast).empty());
    // What was left out is told as long as the lookback reaches it.
    write("config/dashboard_prefs.json", R"({"my_prefixes_only": false, "theme": "dark"})");
    ASSERT_TRUE(wait_for_text(anycast)) << daemon.err();
    write("config/dashboard_prefs.json", R"({"my_prefixes_only": true, "theme": "dark"})");
    ASSERT_TRUE(wait_for_polls(2));
    const std::string second = add_attack({{"ipDestinationAddress", "172.64.0.1"}});
    expect_work(daemon);
    EXPECT_TRUE(messages_with(second).empty());
    EXPECT_TRUE(messages_with(stranger).empty());
    EXPECT_EQ(messages_with(anycast).size(), 1U);
    EXPECT_EQ(count(daemon.err(), "condition=preferences"), 0U) << daemon.err();
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, ALogFileThatCannotBeWrittenIsToldOnceEachWay) {  // B31
    for (const std::string& path :
         {std::string{"/dev/full"}, file("config"), file("no/such/folder/monitor.log")}) {
        world_.forget();
        configure({{"paths", {{"log_file", path}, {"database", "db/" + std::to_string(attacks_) + ".db"}}}});
        Process::Options options = command({});
        options.environment = {"WATCHDOG_USEC=3000000"};  // the main thread looks once a second then
        Process daemon(options);
        ASSERT_TRUE(wait_for_text("The log file cannot be written")) << daemon.err();
        expect_work(daemon);
        expect_work(daemon);
        expect_clean_stop(daemon);
        EXPECT_EQ(count(daemon.err(), "log file cannot be written file="), 2U)
            << "a line of its own and the condition's\n"
            << daemon.err();
        EXPECT_EQ(messages_with("*The log file cannot be written").size(), 1U) << path;
    }
}

TEST_F(IndependenceTest, ALogFileThatCanBeWrittenAgainIsTakenUpAndTold) {  // B31
    configure({{"paths", {{"log_file", file("later/folder/monitor.log")}}}});
    Process::Options options = command({});
    options.environment = {"WATCHDOG_USEC=3000000"};
    Process daemon(options);
    ASSERT_TRUE(wait_for_text("The log file cannot be written")) << daemon.err();
    fs::create_directories(file("later/folder"));
    ASSERT_TRUE(wait_for_text("The log file is written again", 30s)) << daemon.err();
    expect_work(daemon);
    expect_clean_stop(daemon);
    EXPECT_NE(read_text(file("later/folder/monitor.log")).find("stopped"), std::string::npos);
}

TEST_F(IndependenceTest, AHangingSystemctlDelaysOnlyTheReport) {
    configure({{"services", {{"Webhook", "cloudflare-webhook"}, {"Dashboard", "cloudflare-dashboard"}}}});
    const std::string attack = add_attack();
    const auto begin = std::chrono::steady_clock::now();
    Process daemon(with_systemctl("exec sleep 600"));
    ASSERT_TRUE(world_.wait_for_requests(Target::kGraphql, 1)) << daemon.err();
    const auto polled = world_.now();
    ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
    EXPECT_GE(world_.now() - polled, 1s) << "the first poll waited the 5 s for systemctl, too";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);
    EXPECT_NE(messages_with("STARTED")[0].find("❓ Dashboard | ❓ Webhook"), std::string::npos)
        << messages_with("STARTED")[0];
    ASSERT_TRUE(wait_for_text(attack)) << daemon.err();
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, TheStartupReportListsWhatIsDegraded) {
    const std::uint16_t port = free_port();
    const Listener stranger(port);
    write("config/dashboard_prefs.json", "{");
    configure({{"api", {{"enabled", true}, {"listen", "127.0.0.1:" + std::to_string(port)}}},
               {"geoip", {{"city", {file("no.mmdb")}}, {"asn", {file("no.mmdb")}}}},
               {"paths", {{"log_file", file("no/such/folder/monitor.log")}}},
               {"services", {{"Webhook", "cloudflare-webhook"}}}});
    Process daemon(with_systemctl("sleep 1; echo active"));  // the report waits that long for the others
    ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
    const std::string report = messages_with("STARTED")[0];
    EXPECT_NE(report.find("⚠️ *Degraded*\n"), std::string::npos) << report;
    for (const char* problem : {"GeoIP is incomplete", "Preference file cannot be used",
                                "API cannot listen on 127.0.0.1", "The log file cannot be written"}) {
        EXPECT_EQ(count(report, std::string("• ") + problem), 1U) << problem << "\n" << report;
    }
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, TheStartupReportSpeaksOfNothingDegradedWhereNothingIs) {
    write("config/dashboard_prefs.json", "{\"my_prefixes_only\": true}");
    const std::string fixtures = std::string{CAM_TEST_DATA} + "/geoip/";
    configure(
        {{"geoip", {{"city", {fixtures + "GeoIP2-City.mmdb"}}, {"asn", {fixtures + "GeoIP2-ASN.mmdb"}}}}});
    Process daemon(command({}));
    ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
    EXPECT_EQ(messages_with("STARTED")[0].find("Degraded"), std::string::npos) << messages_with("STARTED")[0];
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, AnOddSystemctlSaysWhatItSaysOrNothing) {
    configure({{"services", {{"Webhook", "cloudflare-webhook"}, {"Dashboard", "cloudflare-dashboard"}}}});
    const std::vector<std::pair<std::string, std::string>> scripts{
        {"echo active; echo failed; exit 3", "✅ Dashboard | ❌ Webhook"},
        {"echo active", "✅ Dashboard | ❓ Webhook"},
        {"exec yes garbage", "❓ Dashboard | ❓ Webhook"},
        {"exit 127", "❓ Dashboard | ❓ Webhook"},
        {"kill -9 $$", "❓ Dashboard | ❓ Webhook"},
    };
    for (const auto& [script, line] : scripts) {
        world_.forget();
        Process daemon(with_systemctl(script));
        ASSERT_TRUE(wait_for_text("STARTED")) << script << daemon.err();
        EXPECT_NE(messages_with("STARTED")[0].find(line), std::string::npos) << script << "\n"
                                                                             << messages_with("STARTED")[0];
        expect_clean_stop(daemon);
    }
}

TEST_F(IndependenceTest, TheReportNamesTheServicesInTheOrderOfTheSettings) {
    std::string text = read_text(settings_file());
    const std::string none = "\"services\": {}";
    ASSERT_NE(text.find(none), std::string::npos) << text;
    text.replace(text.find(none), none.size(),
                 R"("services": {"Webhook": "a", "Autowithdraw": "b", "Dashboard": "c"})");
    write("config/settings.json", text);
    Process daemon(with_systemctl("echo active; echo failed; echo active; exit 3"));
    ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
    EXPECT_NE(messages_with("STARTED")[0].find("✅ Webhook | ❌ Autowithdraw | ✅ Dashboard"), std::string::npos)
        << messages_with("STARTED")[0];
    expect_clean_stop(daemon);
}

TEST_F(IndependenceTest, AHangingBgpQuestionDelaysOnlyTheReport) {  // B20
    world_.add_fault(Fault::stall().on(Target::kPrefixes));
    const std::string attack = add_attack();
    Process daemon(command({}));
    ASSERT_TRUE(wait_for_text(attack)) << daemon.err();
    ASSERT_TRUE(wait_for_text("STARTED")) << daemon.err();
    EXPECT_NE(world_.messages()[0].text.find(attack), std::string::npos) << "the report came first";
    EXPECT_NE(messages_with("STARTED")[0].find("Prefixes: ❓ Unknown"), std::string::npos)
        << messages_with("STARTED")[0];
    expect_clean_stop(daemon);
}

}  // namespace
}  // namespace cam::test
