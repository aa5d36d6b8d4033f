// The flow monitor as an operator uses it: real exporters' datagrams, real minutes, curl, the chat. Named
// Heavy since minutes last a minute.

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "integration/site.h"
#include "simulator/flow_exporter.h"

namespace cam::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using simulator::Flow;
using simulator::FlowAddress;
using simulator::FlowExporter;
using simulator::FlowFormat;

/// A stranger who receives UDP on a port of 127.0.0.1.
class UdpStranger {
public:
    explicit UdpStranger(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    ~UdpStranger() { ::close(socket_); }
    UdpStranger(const UdpStranger&) = delete;
    UdpStranger& operator=(const UdpStranger&) = delete;

private:
    int socket_;
};

int second_of_minute() {
    return static_cast<int>(std::time(nullptr) % 60);
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

void wait_for_second(int second) {
    while (second_of_minute() != second) pause(50ms);
}

/// The mission's commands as they stand, but for the port.
constexpr const char* kMissionCommands[] = {
    R"(curl -X POST http://localhost:8090/routers \
  -d '{
    "name": "my-router",
    "router_ip": "127.0.0.1",
    "default_sampling": 1000
  }')",
    R"(curl -X POST http://localhost:8090/rules \
  -d '{
    "name": "Production Network - High Bandwidth",
    "prefixes": ["10.0.0.0/8"],
    "type": "threshold",
    "bandwidth_threshold": 1000000000,
    "duration": 5
  }')",
    R"(curl -X POST http://localhost:8090/rules \
  -d '{
    "name": "DDoS Detection - Packet Flood",
    "prefixes": ["203.0.113.0/24"],
    "type": "threshold",
    "packet_threshold": 1000000,
    "duration": 3
  }')",
    R"(curl -X POST http://localhost:8090/rules \
  -d '{
    "name": "Web Servers - Bandwidth Anomaly",
    "prefixes": ["10.20.30.0/24"],
    "type": "zscore",
    "zscore_sensitivity": "medium",
    "zscore_target": "bits"
  }')"};

class HeavyFlowTest : public SiteTest {
protected:
    void SetUp() override {
        SiteTest::SetUp();
        use_private_chat();
        configure({{"api", {{"enabled", true}, {"listen", "127.0.0.1:" + std::to_string(api_)}}},
                   {"flow",
                    {{"enabled", true},
                     {"workers", 2},
                     {"listen", {"127.0.0.1:" + std::to_string(port_), "[::1]:" + std::to_string(port_)}}}}});
        for (const auto& [source, format, sampling, announces] : kRouters) {
            exporters_.push_back(std::make_unique<FlowExporter>(FlowExporter::Options{
                .encoding = {.format = format, .sampling = sampling, .announces_sampling = announces},
                .source = source,
                .destination = source[0] == ':' ? "::1" : "127.0.0.1",
                .port = port_}));
        }
    }
    [[nodiscard]] json shell(std::string command) const {
        const auto at = command.find("8090");
        if (at != std::string::npos) command.replace(at, 4, std::to_string(api_));
        const Finished done = run({.arguments = {"-c", command + " --silent"},
                                   .folder = folder_.path(),
                                   .environment = {},
                                   .program = "/bin/sh"});
        EXPECT_EQ(done.status, 0) << command << done.err;
        return json::parse(done.out, nullptr, false);
    }
    [[nodiscard]] json ask(const std::string& method, const std::string& path,
                           const json& body = nullptr) const {
        std::string command = "curl -X " + method + " 'http://localhost:8090" + path + "'";
        if (!body.is_null()) command += " -d '" + body.dump() + "'";
        return shell(command);
    }
    /// The sum of a metric over its labels.
    [[nodiscard]] double metric(const std::string& name) const {
        const Finished done =
            run({.arguments = {"-sS", "http://127.0.0.1:" + std::to_string(api_) + "/metrics"},
                 .folder = folder_.path(),
                 .environment = {},
                 .program = "/usr/bin/curl"});
        std::istringstream lines(done.out);
        double sum = 0;
        for (std::string line; std::getline(lines, line);) {
            const bool is_it = line.starts_with(name + "{") || line.starts_with(name + " ");
            if (is_it) sum += std::stod(line.substr(line.rfind(' ') + 1));
        }
        return sum;
    }
    void add_rules() {
        for (const char* command : kMissionCommands) {
            const json answer = shell(command);
            EXPECT_TRUE(answer.value("success", false)) << answer;
        }
        // For the sake of the test's duration: one minute is enough.
        const json made = ask("GET", "/rules").at("result");
        ASSERT_EQ(made.size(), 3U);
        for (const json& rule : made) {
            if (rule.at("type") != "threshold") continue;
            json changed = {{"duration", 1}};
            for (const char* key : {"name", "prefixes", "type", "bandwidth_threshold", "packet_threshold"}) {
                if (!rule.at(key).is_null()) changed[key] = rule.at(key);
            }
            const json answer = ask("PUT", "/rules/" + rule.at("id").get<std::string>(), changed);
            EXPECT_TRUE(answer.value("success", false)) << answer;
        }
        const auto add = [&](const json& rule) {
            const json answer = ask("POST", "/rules", rule);
            EXPECT_TRUE(answer.value("success", false)) << answer;
        };
        add({{"name", "ipfix"},
             {"prefixes", {"185.54.82.0/24"}},
             {"type", "threshold"},
             {"bandwidth_threshold", 100'000'000}});
        add({{"name", "sflow"},
             {"prefixes", {"185.54.83.0/24"}},
             {"type", "threshold"},
             {"bandwidth_threshold", 100'000'000}});
        add({{"name", "six"},
             {"prefixes", {"2a02:4460::/32"}},
             {"type", "threshold"},
             {"bandwidth_threshold", 100'000'000}});
        add({{"name", "both"},
             {"prefixes", {"185.54.82.0/24", "185.54.83.0/24"}},
             {"type", "threshold"},
             {"bandwidth_threshold", 200'000'000},
             {"scope", "aggregate"}});
        add({{"name", "quiet"},
             {"prefixes", {"185.54.80.0/22"}},
             {"type", "threshold"},
             {"bandwidth_threshold", 900'000'000'000}});
    }
    static Flow flow(const std::string& destination, std::uint32_t packets, std::uint32_t bytes) {
        Flow made;
        made.source =
            FlowAddress::of(destination.find(':') != std::string::npos ? "2001:4860::8" : "103.118.76.9");
        made.destination = FlowAddress::of(destination);
        made.source_port = 53;
        made.destination_port = 443;
        made.packets = packets;
        made.bytes = bytes;
        return made;
    }
    /// One helping of the attack: what each of the routers tells. All of it crosses every rule but `quiet`.
    void attack() {
        exporters_[0]->send(std::vector{flow("10.20.30.1", 8'000, 8'000'000)});    // 8 GB
        exporters_[1]->send(std::vector{flow("203.0.113.5", 66'000, 3'960'000)});  // 66 M packets
        exporters_[2]->send(std::vector{flow("185.54.82.4", 9'000, 9'000'000)});   // 900 MB
        exporters_[3]->send(std::vector{flow("185.54.83.4", 90, 90'000)});         // 900 MB
        exporters_[4]->send(std::vector{flow("2a02:4460::5", 9'000, 9'000'000)});  // 900 MB
    }
    /// Records of one helping.
    static constexpr double kRecords = 1 + 1 + 1 + 90 + 1;
    [[nodiscard]] bool wait_for_records(double records) const {
        return eventually([&] { return metric("cam_flow_records_total") >= records; }, 15s);
    }
    [[nodiscard]] bool wait_for_texts(const std::string& part, std::size_t count,
                                      std::chrono::milliseconds patience) const {
        return world_.wait_until([&](const auto&) { return messages_with(part).size() >= count; }, patience);
    }
    [[nodiscard]] std::string sum(const std::string& prefix) const {
        return query(
            "SELECT sum(m.bytes) || ' ' || sum(m.packets) || ' ' || sum(m.flows) FROM flow_minutes m JOIN "
            "flow_prefixes p ON p.id = m.prefix_id WHERE p.prefix = '" +
            prefix + "'");
    }
    [[nodiscard]] Finished alert_command(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), "alert");
        return run(command(std::move(more)));
    }
    /// Everything `helpings` of the attack add up to.
    void expect_sums(std::uint64_t helpings) const {
        const auto of = [&](std::uint64_t bytes, std::uint64_t packets, std::uint64_t flows) {
            return std::to_string(bytes * helpings) + " " + std::to_string(packets * helpings) + " " +
                   std::to_string(flows * helpings);
        };
        EXPECT_EQ(sum("10.0.0.0/8"), of(8'000'000'000, 8'000'000, 1'000));
        EXPECT_EQ(sum("10.20.30.0/24"), of(8'000'000'000, 8'000'000, 1'000));
        EXPECT_EQ(sum("203.0.113.0/24"), of(3'960'000'000, 66'000'000, 1'000));
        EXPECT_EQ(sum("185.54.82.0/24"), of(900'000'000, 900'000, 100));
        EXPECT_EQ(sum("185.54.83.0/24"), of(900'000'000, 900'000, 900'000));
        EXPECT_EQ(sum("185.54.80.0/22"), of(1'800'000'000, 1'800'000, 900'100));
        EXPECT_EQ(sum("2a02:4460::/32"), of(900'000'000, 900'000, 100));
    }
    void expect_started() const {
        const auto text = [&](const std::string& rule) {
            const auto found = messages_with("*Rule:* " + rule);
            EXPECT_EQ(found.size(), 1U) << rule;
            return found.empty() ? std::string{} : found[0];
        };
        const auto expect = [&](const std::string& rule, std::initializer_list<const char*> parts) {
            const std::string told = text(rule);
            for (const char* part : parts)
                EXPECT_NE(told.find(part), std::string::npos) << part << "\n" << told;
        };
        expect("Production Network - High Bandwidth",
               {"1.07 Gbps", "10.0.0.0/8", "103.118.76.0/24", "127.0.0.1#1"});
        expect("DDoS Detection - Packet Flood", {"1.10 Mpps", "203.0.113.0/24", "127.0.0.22#1"});
        expect("ipfix", {"120.00 Mbps", "127.0.0.23#1", "UDP 100%"});
        expect("sflow", {"120.00 Mbps", "127.0.0.24#1", "185.54.83.4"});
        expect("six", {"120.00 Mbps", "2001:4860::/64", "::1#1"});
        expect("both", {"240.00 Mbps"});
        EXPECT_TRUE(messages_with("*Rule:* quiet").empty());
    }
    void expect_alerts_of(const json& alerts) const {
        std::vector<std::string> rules;
        for (const json& one : alerts) rules.push_back(one.value("rule_name", ""));
        std::sort(rules.begin(), rules.end());
        EXPECT_EQ(rules, (std::vector<std::string>{"DDoS Detection - Packet Flood",
                                                   "Production Network - High Bandwidth", "both", "ipfix",
                                                   "sflow", "six"}));
    }

    struct RouterOf {
        std::string source;
        FlowFormat format;
        std::uint32_t sampling;
        bool announces;
    };
    const std::vector<RouterOf> kRouters{
        {"127.0.0.1", FlowFormat::kNetflow9, 1, false},  // by default_sampling
        {"127.0.0.22", FlowFormat::kNetflow5, 1'000, true},
        {"127.0.0.23", FlowFormat::kIpfix, 100, true},
        {"127.0.0.24", FlowFormat::kSflow5, 10'000, true},
        {"::1", FlowFormat::kNetflow9, 100, true}};
    const std::uint16_t api_ = free_port();
    const std::uint16_t port_ = free_port();
    std::vector<std::unique_ptr<FlowExporter>> exporters_;
};

TEST_F(HeavyFlowTest, AnAttackIsToldOnceWithItsFiguresOverAKillAndAReload) {
    // Somebody has the port: told, tried again, and the polling goes on.
    auto stranger = std::make_unique<UdpStranger>(port_);
    auto daemon = std::make_unique<Process>(command({}));
    ASSERT_TRUE(daemon->wait_for_log("condition raised condition=flow_listener state=taken", 20s))
        << daemon->err();
    EXPECT_TRUE(wait_for_texts("Flows cannot be received", 1, 20s));
    world_.add_event(event(5));
    EXPECT_TRUE(wait_for_texts("*MITIGATION EVENT*", 1, 20s)) << daemon->err();
    stranger.reset();
    ASSERT_TRUE(daemon->wait_for_log("flow monitor listening", 30s)) << daemon->err();
    EXPECT_TRUE(wait_for_texts("Flows are received again", 1, 20s)) << daemon->err();

    if (second_of_minute() > 45) wait_for_second(0);
    add_rules();
    ASSERT_TRUE(daemon->wait_for_log("rules read rules=8 routers=1", 20s)) << daemon->err();
    wait_for_second(0);  // the rules hold from now on
    pause(2s);
    attack();
    ASSERT_TRUE(wait_for_records(kRecords)) << metric("cam_flow_records_total");
    EXPECT_EQ(alert_command().out, "");
    wait_for_second(0);

    // Told once each, a few seconds after the minute.
    ASSERT_TRUE(wait_for_texts("*TRAFFIC ALERT*", 6, 15s)) << daemon->err();
    expect_started();
    expect_sums(1);
    expect_alerts_of(ask("GET", "/alerts?active=true").at("result"));
    expect_alerts_of(json::parse(alert_command().out, nullptr, false));
    const Finished piped = alert_command({"--", "/bin/sh", "-c", "cat; exit 7"});
    EXPECT_EQ(piped.status, 7);
    expect_alerts_of(json::parse(piped.out, nullptr, false));

    // Killed in the middle of the attack, and later told to read its settings again.
    daemon->signal(SIGKILL);
    EXPECT_EQ(daemon->wait(), 128 + SIGKILL);
    EXPECT_EQ(alert_command().status, 3);
    daemon = std::make_unique<Process>(command({}));
    ASSERT_TRUE(daemon->wait_for_log("flow monitor listening", 20s)) << daemon->err();
    attack();
    ASSERT_TRUE(eventually([&] { return metric("cam_flow_records_total") >= kRecords; }, 15s));
    daemon->signal(SIGHUP);
    ASSERT_TRUE(daemon->wait_for_log("settings reloaded", 20s)) << daemon->err();
    ASSERT_TRUE(eventually([&] { return count(daemon->err(), "flow monitor listening") == 2; }, 20s))
        << daemon->err();
    const double before = metric("cam_flow_records_total");
    attack();
    ASSERT_TRUE(wait_for_records(before + kRecords));
    ASSERT_LT(second_of_minute(), 58) << "the machine is too slow for this test";
    expect_alerts_of(ask("GET", "/alerts?active=true").at("result"));
    wait_for_second(0);
    pause(5s);
    expect_sums(3);

    // The next whole minute is silent: the end, once.
    wait_for_second(0);
    ASSERT_TRUE(wait_for_texts("*TRAFFIC ALERT ENDED*", 6, 20s)) << daemon->err();
    EXPECT_EQ(messages_with("*TRAFFIC ALERT*").size(), 6U) << "told again";
    EXPECT_EQ(messages_with("*TRAFFIC ALERT ENDED*").size(), 6U);
    EXPECT_EQ(ask("GET", "/alerts?active=true").at("result").size(), 0U);
    EXPECT_EQ(ask("GET", "/alerts").at("result").size(), 6U);
    EXPECT_EQ(alert_command().status, 0);
    EXPECT_EQ(alert_command().out, "");
    EXPECT_EQ(metric("cam_flow_dropped_total"), 0);
    EXPECT_EQ(query("SELECT count(*) FROM flow_alerts WHERE end_reason = 'below'"), "6");
    daemon->signal(SIGTERM);
    EXPECT_EQ(daemon->wait(), 0) << daemon->err();
    expect_sums(3);
}

}  // namespace
}  // namespace cam::test
