// Thousands of forged exporters, half of whose datagrams are damaged, beside one real router: memory stays,
// and the router's traffic is counted to the byte. CAM_SOAK_SECONDS says for how long (60).

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "integration/site.h"
#include "simulator/flow_exporter.h"
#include "soak/mangler.h"

namespace cam::test {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// Sends from any address of 127.0.0.0/8.
class Forger {
public:
    explicit Forger(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        if (socket_ < 0) throw std::runtime_error("no socket");
        to_.sin_family = AF_INET;
        to_.sin_port = htons(port);
        to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    ~Forger() { ::close(socket_); }
    Forger(const Forger&) = delete;
    Forger& operator=(const Forger&) = delete;

    void send(std::uint32_t source, std::string datagram) {
        iovec part{datagram.data(), datagram.size()};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(in_pktinfo))> control{};
        msghdr message{};
        message.msg_name = &to_;
        message.msg_namelen = sizeof to_;
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        in_pktinfo from{};
        from.ipi_spec_dst.s_addr = htonl(source);
        std::memcpy(CMSG_DATA(header), &from, sizeof from);
        if (::sendmsg(socket_, &message, 0) < 0) throw std::runtime_error(std::strerror(errno));
        ++sent_;
    }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

private:
    int socket_;
    sockaddr_in to_{};
    std::uint64_t sent_ = 0;
};

class HeavyFlowSoakTest : public SiteTest {
protected:
    static constexpr const char* kRouter = "127.0.0.21";
    static constexpr const char* kPrefix = "198.51.100.0/24";
    static constexpr std::uint32_t kForged = 6'000;  // more than the decoder has room for
    static constexpr std::uint32_t kSampling = 1'000;

    void SetUp() override {
        SiteTest::SetUp();
        const auto at = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
        configure({{"api", {{"enabled", true}, {"listen", at(api_)}}},
                   {"monitor", {{"poll_interval_seconds", 60}}},
                   {"flow", {{"enabled", true}, {"workers", 1}, {"listen", {at(port_)}}}}});
    }
    static std::chrono::seconds duration() {
        const char* told = std::getenv("CAM_SOAK_SECONDS");
        return std::chrono::seconds{told == nullptr ? 60 : std::stol(told)};
    }
    [[nodiscard]] std::string curl(std::vector<std::string> arguments, const std::string& path) const {
        arguments.insert(arguments.begin(), "-sS");
        arguments.push_back("http://127.0.0.1:" + std::to_string(api_) + path);
        return run({.arguments = std::move(arguments),
                    .folder = folder_.path(),
                    .environment = {},
                    .program = "/usr/bin/curl"})
            .out;
    }
    [[nodiscard]] double metric(const std::string& name) const {
        std::istringstream lines(curl({}, "/metrics"));
        double sum = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name)) sum += std::stod(line.substr(line.rfind(' ') + 1));
        }
        return sum;
    }
    static long resident_kib(const Process& daemon) {
        std::ifstream status("/proc/" + std::to_string(daemon.pid()) + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
        }
        return 0;
    }
    static std::vector<simulator::Flow> router_flows() {
        std::vector<simulator::Flow> flows(20);
        for (std::size_t i = 0; i < flows.size(); ++i) {
            flows[i].source = simulator::FlowAddress::of("103.118.76." + std::to_string(i));
            flows[i].destination = simulator::FlowAddress::of("198.51.100." + std::to_string(i));
            flows[i].packets = 7;
            flows[i].bytes = 7'001;
        }
        return flows;
    }

    const std::uint16_t api_ = free_port();
    const std::uint16_t port_ = free_port();
};

TEST_F(HeavyFlowSoakTest, ForgedAndMangledDatagramsNeitherGrowMemoryNorTouchTheRoutersCounts) {
    Process daemon(command({}));
    ASSERT_TRUE(daemon.wait_for_log("flow monitor listening", 60s)) << daemon.err();
    static_cast<void>(
        curl({"-d", R"({"name": "edge", "router_ip": "127.0.0.21", "default_sampling": 1})"}, "/routers"));
    static_cast<void>(curl(
        {"-d",
         R"({"name": "watched", "prefixes": ["198.51.100.0/24"], "type": "threshold", "bandwidth_threshold": 999000000000})"},
        "/rules"));
    static_cast<void>(curl(
        {"-d",
         R"({"name": "hit", "prefixes": ["10.0.0.0/8", "185.54.80.0/22", "2a02:4460::/32"], "type": "advanced_ddos"})"},
        "/rules"));
    ASSERT_TRUE(daemon.wait_for_log("rules read rules=2 routers=1", 30s)) << daemon.err();
    const auto minutes = [&] { return metric("cam_flow_windows_total"); };
    ASSERT_TRUE(eventually([&] { return minutes() >= 1; }, 90s)) << "the rules hold from the next minute";

    // Templates once: from then on the router depends on its place in the table.
    simulator::FlowExporter router({.encoding = {.format = simulator::FlowFormat::kNetflow9,
                                                 .sampling = kSampling,
                                                 .templates_every = 0},
                                    .source = kRouter,
                                    .port = port_});
    const auto flows = router_flows();
    Mangler mangler(CAM_TEST_DATA "/flows", 20'260'120);
    ASSERT_GT(mangler.originals(), 100U);
    Forger forger(port_);
    std::uint64_t helpings = 0;
    std::vector<long> resident;
    const auto begin = Steady::now();
    const auto end = begin + duration();
    auto look = begin + duration() / 10;
    for (std::uint32_t round = 0; Steady::now() < end; ++round) {
        if (round % 20 == 0) {
            router.send(flows);
            ++helpings;
        }
        for (int i = 0; i < 10; ++i) forger.send(0x7F100000U + mangler.below(kForged), mangler.next());
        pause(5ms);
        if (Steady::now() < look) continue;
        resident.push_back(resident_kib(daemon));
        look += duration() / 10;
    }
    pause(3s);
    EXPECT_EQ(metric("cam_flow_kernel_drops_total"), 0);
    EXPECT_GT(metric("cam_flow_dropped_total{reason=\"malformed\"}"), 100);
    EXPECT_GT(metric("cam_flow_dropped_total{reason=\"no_template\"}"), 0);
    EXPECT_NE(curl({}, "/exporters").find(kRouter), std::string::npos);
    daemon.signal(SIGTERM);
    ASSERT_EQ(daemon.wait(60s), 0) << daemon.err();

    const std::uint64_t times = helpings * flows.size() * kSampling;
    EXPECT_EQ(
        query(std::string(
                  "SELECT sum(m.bytes) || ' ' || sum(m.packets) || ' ' || sum(m.flows) FROM flow_minutes m "
                  "JOIN flow_prefixes p ON p.id = m.prefix_id WHERE p.prefix = '") +
              kPrefix + "'"),
        std::to_string(times * 7'001) + " " + std::to_string(times * 7) + " " + std::to_string(times));
    std::cout << "forged datagrams " << forger.sent() << ", router's helpings " << helpings
              << ", resident KiB at each tenth:";
    for (const long one : resident) std::cout << " " << one;
    std::cout << "\n";
    ASSERT_GE(resident.size(), 8U);
    // What strangers may take is bounded (docs/security.md: 36 MiB a worker); nearly all of it is taken
    // early.
    EXPECT_LT(resident.back(), 96L * 1024);
    EXPECT_LT(resident.back() - resident[resident.size() / 2], 16L * 1024);
}

}  // namespace
}  // namespace cam::test
