#include "cam/net/udp_receiver.h"

#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "cam/base/unique_fd.h"

namespace cam::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Receivers = std::vector<std::unique_ptr<UdpReceiver>>;

/// Sends from one address of the loopback range.
class Sender {
public:
    explicit Sender(const std::string& from = "127.0.0.1") {
        is_v6_ = from.find(':') != std::string::npos;
        fd_ = UniqueFd{::socket(is_v6_ ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        const auto [address, size] = name(from, 0);
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << from;
    }
    void send(const std::string& bytes, std::uint16_t port) const {
        const auto [address, size] = name(is_v6_ ? "::1" : "127.0.0.1", port);
        EXPECT_EQ(::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                           reinterpret_cast<const sockaddr*>(&address), size),
                  static_cast<ssize_t>(bytes.size()));
    }

private:
    static std::pair<sockaddr_storage, socklen_t> name(const std::string& host, std::uint16_t port) {
        sockaddr_storage out{};
        if (host.find(':') != std::string::npos) {
            sockaddr_in6 v6{};
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(port);
            ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr);
            std::memcpy(&out, &v6, sizeof v6);
            return {out, sizeof v6};
        }
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr);
        std::memcpy(&out, &v4, sizeof v4);
        return {out, sizeof v4};
    }
    bool is_v6_ = false;
    UniqueFd fd_;
};

struct Got {
    std::string source;
    std::uint16_t port;
    std::string payload;
};

/// Everything that waits, until nothing came for a moment (or, with a number `wanted`, for seconds) or
/// `wanted` have come.
std::vector<Got> take_all(UdpReceiver& receiver, std::size_t wanted) {
    std::vector<Got> out;
    for (int quiet = 0; quiet < 2 && out.size() < wanted;) {
        const auto count = receiver.receive(
            milliseconds{wanted == SIZE_MAX ? 100 : 5'000}, [&](std::span<const Datagram> batch) {
                for (const Datagram& one : batch) {
                    out.push_back({one.source.text(), one.source_port,
                                   std::string(one.payload.begin(), one.payload.end())});
                }
            });
        EXPECT_TRUE(count);
        quiet = count && *count == 0 ? quiet + 1 : 0;
    }
    return out;
}

Receivers opened(UdpReceiver::Options options, std::size_t workers = 1) {
    auto receivers = UdpReceiver::open(options, workers);
    EXPECT_TRUE(receivers) << (receivers ? "" : receivers.error().detail);
    return receivers ? std::move(*receivers) : Receivers{};
}

TEST(UdpReceiverTest, HandsOverWholeDatagramsWithTheirSender) {
    const auto receivers = opened({.listen = {{"127.0.0.1", 0}}});
    ASSERT_EQ(receivers.size(), 1U);
    const std::uint16_t port = receivers[0]->ports().at(0);
    ASSERT_NE(port, 0);
    const Sender sender("127.0.0.9");
    sender.send("", port);
    sender.send("hello", port);
    sender.send(std::string(65'507, 'x'), port);  // the longest that IPv4 carries
    const auto got = take_all(*receivers[0], 3);
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[0].payload, "");
    EXPECT_EQ(got[1].payload, "hello");
    EXPECT_EQ(got[1].source, "127.0.0.9");
    EXPECT_NE(got[1].port, 0);
    EXPECT_EQ(got[2].payload.size(), 65'507U);
}

TEST(UdpReceiverTest, ListensOnSeveralAddressesAndBothFamilies) {
    const auto receivers = opened({.listen = {{"127.0.0.1", 0}, {"[::1]", 0}}});
    ASSERT_EQ(receivers.size(), 1U);
    const auto ports = receivers[0]->ports();
    Sender("127.0.0.1").send("four", ports.at(0));
    Sender("::1").send("six", ports.at(1));
    std::map<std::string, std::string> by_source;
    for (const Got& one : take_all(*receivers[0], 2)) by_source[one.source] = one.payload;
    EXPECT_EQ(by_source, (std::map<std::string, std::string>{{"127.0.0.1", "four"}, {"::1", "six"}}));
}

TEST(UdpReceiverTest, TakesIpv4OnTheIpv6WildcardAndNamesItAsIpv4) {
    const auto receivers = opened({.listen = {{"::", 0}}});
    ASSERT_EQ(receivers.size(), 1U);
    Sender("127.0.0.7").send("mapped", receivers[0]->ports().at(0));
    const auto got = take_all(*receivers[0], 1);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].source, "127.0.0.7");
}

TEST(UdpReceiverTest, KeepsOneSourceAddressOnOneWorkerWhateverItsPort) {
    constexpr std::size_t kWorkers = 3;
    constexpr int kSources = 60;
    constexpr int kPorts = 5;
    for (const std::string listen : {"127.0.0.1", "::"}) {
        const auto receivers = opened({.listen = {{listen, 0}}}, kWorkers);
        ASSERT_EQ(receivers.size(), kWorkers);
        if (!receivers[0]->is_spread_by_address()) GTEST_SKIP() << "this kernel has no reuseport filter";
        const std::uint16_t port = receivers[0]->ports().at(0);
        EXPECT_EQ(receivers[2]->ports().at(0), port);
        for (int source = 1; source <= kSources; ++source) {
            for (int sent = 0; sent < kPorts; ++sent) {
                Sender("127.0.1." + std::to_string(source)).send("x", port);
            }
        }
        std::map<std::string, std::set<std::size_t>> workers_of;
        std::set<std::size_t> used;
        std::size_t total = 0;
        for (std::size_t worker = 0; worker < kWorkers; ++worker) {
            for (const Got& one : take_all(*receivers[worker], SIZE_MAX)) {
                workers_of[one.source].insert(worker);
                used.insert(worker);
                ++total;
            }
        }
        EXPECT_EQ(total, static_cast<std::size_t>(kSources * kPorts)) << listen;
        EXPECT_EQ(used.size(), kWorkers) << listen;
        for (const auto& [source, workers] : workers_of) {
            const std::size_t expected = UdpReceiver::worker_of(*IpAddress::parse(source), kWorkers);
            EXPECT_EQ(workers, std::set<std::size_t>{expected}) << source;
        }
    }
}

TEST(UdpReceiverTest, SpreadsIpv6SourcesToo) {
    const auto receivers = opened({.listen = {{"::1", 0}}}, 2);
    ASSERT_EQ(receivers.size(), 2U);
    if (!receivers[0]->is_spread_by_address()) GTEST_SKIP() << "this kernel has no reuseport filter";
    for (int sent = 0; sent < 8; ++sent) Sender("::1").send("x", receivers[0]->ports().at(0));
    const std::size_t first = take_all(*receivers[0], SIZE_MAX).size();
    const std::size_t second = take_all(*receivers[1], SIZE_MAX).size();
    EXPECT_EQ(first + second, 8U);
    const std::size_t expected = UdpReceiver::worker_of(*IpAddress::parse("::1"), 2);
    EXPECT_EQ(expected == 0 ? first : second, 8U);
}

TEST(UdpReceiverTest, SaysThatAPortIsTakenAlsoByAReceiverThatWouldShare) {
    const auto receivers = opened({.listen = {{"127.0.0.1", 0}}});
    ASSERT_EQ(receivers.size(), 1U);
    const auto second = UdpReceiver::open({.listen = {{"127.0.0.1", receivers[0]->ports().at(0)}}}, 1);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_NE(second.error().detail.find("127.0.0.1:"), std::string::npos);
}

TEST(UdpReceiverTest, RefusesWhatIsNoAddressOfThisMachine) {
    const auto name = UdpReceiver::open({.listen = {{"localhost", 0}}}, 1);
    ASSERT_FALSE(name);
    EXPECT_EQ(name.error().code, ErrorCode::kInvalid);
    const auto foreign = UdpReceiver::open({.listen = {{"192.0.2.1", 0}}}, 1);
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().code, ErrorCode::kInvalid);
}

TEST(UdpReceiverTest, CountsWhatTheKernelDropped) {
    const auto receivers = opened({.listen = {{"127.0.0.1", 0}}, .receive_buffer_bytes = 4'096});
    ASSERT_EQ(receivers.size(), 1U);
    EXPECT_GT(receivers[0]->granted_buffer_bytes(), 0U);
    const std::uint16_t port = receivers[0]->ports().at(0);
    const Sender sender;
    constexpr std::size_t kSent = 200;
    for (std::size_t i = 0; i < kSent; ++i) sender.send(std::string(1'000, 'x'), port);
    std::size_t taken = take_all(*receivers[0], SIZE_MAX).size();
    EXPECT_LT(taken, kSent);
    sender.send("the kernel tells of its drops with the next datagram", port);
    taken += take_all(*receivers[0], 1).size();
    EXPECT_EQ(receivers[0]->kernel_drops(), kSent + 1 - taken);
}

TEST(UdpReceiverTest, EndsItsWaitWhenItIsWoken) {
    const auto receivers = opened({.listen = {{"127.0.0.1", 0}}});
    ASSERT_EQ(receivers.size(), 1U);
    receivers[0]->wake();  // also before the wait
    const auto none = receivers[0]->receive(seconds{60}, [](std::span<const Datagram>) { FAIL(); });
    ASSERT_TRUE(none);
    EXPECT_EQ(*none, 0U);
    std::jthread waker([&] { receivers[0]->wake(); });
    EXPECT_TRUE(receivers[0]->receive(seconds{60}, [](std::span<const Datagram>) { FAIL(); }));
}

}  // namespace
}  // namespace cam::net
