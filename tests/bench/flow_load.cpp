// cam-flow-load: sends flow records at a steady rate, encoded beforehand, so that the collector and not the
// sender is what is measured. Prints one JSON object: what was sent, and how long it took.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/generated_flows.h"
#include "simulator/flow_encoder.h"

namespace {

using namespace cam::simulator;
using cam::bench::Family;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kDatagramsOfExporter = 64;
constexpr std::size_t kAtOnce = 32;

struct Arguments {
    std::string to = "127.0.0.1";
    std::uint16_t port = 2055;
    FlowFormat format = FlowFormat::kNetflow9;
    std::map<std::string, std::uint64_t> numbers{{"rate", 200'000},   {"seconds", 5},  {"exporters", 1},
                                                 {"prefixes", 1'000}, {"sampling", 1}, {"records", 24},
                                                 {"ipv6", 0},         {"gso", 0}};
};

Arguments parsed(int argc, char** argv) {
    Arguments out;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        const std::string value = argv[i + 1];
        if (option == "--to") {
            out.to = value.substr(0, value.rfind(':'));
            out.port = static_cast<std::uint16_t>(std::stoul(value.substr(value.rfind(':') + 1)));
        } else if (option == "--format") {
            const auto format = flow_format(value);
            if (!format) throw std::runtime_error("--format: expected v5, v9, ipfix or sflow5");
            out.format = *format;
        } else if (option.starts_with("--") && out.numbers.contains(option.substr(2))) {
            out.numbers[option.substr(2)] = std::stoull(value);
        } else {
            throw std::runtime_error("unknown option " + option);
        }
    }
    if (argc % 2 == 0) throw std::runtime_error("an option lacks its value");
    return out;
}

/// One datagram that can be sent again and again, each time with the next sequence number.
struct Prepared {
    std::string bytes;
    std::uint32_t records = 0;
    std::uint32_t sequence_step = 0;
};

std::size_t sequence_offset(FlowFormat format) {
    switch (format) {
        case FlowFormat::kNetflow5:
            return 16;
        case FlowFormat::kNetflow9:
            return 12;
        case FlowFormat::kIpfix:
            return 8;
        case FlowFormat::kSflow5:
            return 16;
    }
    return 0;
}

/// Messages for sendmmsg out of datagrams that lie one behind the other in `parts`.
class Messages {
public:
    enum class Offload {
        kNone,     ///< a message for each datagram
        kSegment,  ///< datagrams of one size are one message, which the kernel cuts (UDP_SEGMENT, udp(7))
    };
    Messages(std::array<iovec, kAtOnce>& parts, std::size_t used, Offload offload) {
        for (std::size_t at = 0; at < used;) {
            const std::size_t size = parts[at].iov_len;
            std::size_t end = at + 1;
            while (offload == Offload::kSegment && end < used && parts[end].iov_len == size &&
                   (end - at + 1) * size <= kMostBytes) {
                ++end;
            }
            add(&parts[at], end - at, size);
            at = end;
        }
    }
    /// Throws what the kernel says, unless nobody listens or no buffer is free: then it tries again.
    void send(int socket) {
        for (std::size_t done = 0; done < count_;) {
            const int sent = ::sendmmsg(socket, &messages_[done], static_cast<unsigned>(count_ - done), 0);
            if (sent < 0 && errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR) {
                throw std::runtime_error(std::string("cannot send: ") + std::strerror(errno));
            }
            if (sent > 0) done += static_cast<std::size_t>(sent);
        }
    }

private:
    static constexpr std::size_t kMostBytes = 65'000;  ///< of a message; the kernel takes 64 segments

    void add(iovec* first, std::size_t datagrams, std::size_t size) {
        msghdr& message = messages_[count_].msg_hdr;
        message.msg_iov = first;
        message.msg_iovlen = datagrams;
        if (datagrams > 1) {
            message.msg_control = controls_[count_].bytes.data();
            message.msg_controllen = CMSG_LEN(sizeof(std::uint16_t));
            cmsghdr* const control = CMSG_FIRSTHDR(&message);
            control->cmsg_level = SOL_UDP;
            control->cmsg_type = UDP_SEGMENT;
            control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
            const auto segment = static_cast<std::uint16_t>(size);
            std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
        }
        ++count_;
    }

    struct Control {
        alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> bytes{};
    };
    std::array<mmsghdr, kAtOnce> messages_{};
    std::array<Control, kAtOnce> controls_{};
    std::size_t count_ = 0;
};

class Exporter {
public:
    Exporter(const Arguments& arguments, std::size_t number)
        : offset_(sequence_offset(arguments.format)),
          offload_(arguments.numbers.at("gso") > 0 ? Messages::Offload::kSegment : Messages::Offload::kNone) {
        std::mt19937 random(static_cast<unsigned>(number));
        const auto family = number % 2 < arguments.numbers.at("ipv6") ? Family::kV6 : Family::kV4;
        FlowEncoder encoder({.format = arguments.format,
                             .sampling = static_cast<std::uint32_t>(arguments.numbers.at("sampling")),
                             .records_per_datagram = arguments.numbers.at("records"),
                             .templates_every = kDatagramsOfExporter});
        while (prepared_.size() < kDatagramsOfExporter) {
            std::size_t most = arguments.numbers.at("records");
            if (arguments.format == FlowFormat::kNetflow5) most = std::min<std::size_t>(most, 30);
            if (arguments.format == FlowFormat::kSflow5) most = std::min<std::size_t>(most, 8);
            const auto flows =
                cam::bench::generate_flows(random, most, arguments.numbers.at("prefixes"), family);
            const auto records = static_cast<std::uint32_t>(flows.size());
            const bool counts_records =
                arguments.format == FlowFormat::kNetflow5 || arguments.format == FlowFormat::kIpfix;
            std::uint32_t step = counts_records ? records : 1;
            if (arguments.format == FlowFormat::kIpfix && prepared_.empty()) step += 1;  // the options record
            prepared_.push_back({encoder.encode(flows, 1'800'000'000).front(), records, step});
        }
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + static_cast<std::uint32_t>(number));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(arguments.port);
        ::inet_pton(AF_INET, arguments.to.c_str(), &to.sin_addr);
        socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const int buffer = 4 * 1024 * 1024;
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            throw std::runtime_error(std::string("cannot send: ") + std::strerror(errno));
        }
    }
    ~Exporter() { ::close(socket_); }
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

    /// Sends about `records` of them; how many it were.
    std::uint64_t send(std::uint64_t records) {
        std::array<iovec, kAtOnce> parts{};
        std::size_t used = 0;
        std::uint64_t sent = 0;
        while (used < kAtOnce && sent < records) {
            Prepared& one = prepared_[next_];
            next_ = (next_ + 1) % prepared_.size();
            const std::uint32_t sequence = htonl(sequence_);
            std::memcpy(one.bytes.data() + offset_, &sequence, sizeof sequence);
            sequence_ += one.sequence_step;
            parts[used] = {one.bytes.data(), one.bytes.size()};
            bytes_ += one.bytes.size();
            sent += one.records;
            ++used;
        }
        Messages(parts, used, offload_).send(socket_);
        datagrams_ += used;
        return sent;
    }
    [[nodiscard]] std::uint64_t datagrams() const { return datagrams_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    std::vector<Prepared> prepared_;
    std::size_t next_ = 0;
    std::size_t offset_;
    Messages::Offload offload_;
    std::uint32_t sequence_ = 1;
    std::uint64_t datagrams_ = 0;
    std::uint64_t bytes_ = 0;
    int socket_ = -1;
};

void run(const Arguments& arguments) {
    const double rate = static_cast<double>(arguments.numbers.at("rate"));
    const double seconds = static_cast<double>(arguments.numbers.at("seconds"));
    std::vector<std::unique_ptr<Exporter>> exporters;
    for (std::size_t i = 0; i < arguments.numbers.at("exporters"); ++i) {
        exporters.push_back(std::make_unique<Exporter>(arguments, i));
    }
    const auto begin = Steady::now();
    std::uint64_t sent = 0;
    std::size_t turn = 0;
    double elapsed = 0;
    while (elapsed < seconds) {
        const auto due = static_cast<std::uint64_t>(rate * elapsed);
        if (due > sent) {
            sent += exporters[turn++ % exporters.size()]->send(due - sent);
        } else {
            std::this_thread::sleep_for(std::chrono::microseconds{200});
        }
        elapsed = std::chrono::duration<double>(Steady::now() - begin).count();
    }
    std::uint64_t datagrams = 0;
    std::uint64_t bytes = 0;
    for (const auto& exporter : exporters) {
        datagrams += exporter->datagrams();
        bytes += exporter->bytes();
    }
    std::cout << "{\"records\": " << sent << ", \"datagrams\": " << datagrams << ", \"bytes\": " << bytes
              << ", \"seconds\": " << elapsed << "}" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        run(parsed(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        std::cerr
            << "cam-flow-load: " << error.what() << "\n"
            << "usage: cam-flow-load --to ADDRESS:PORT [--format v5|v9|ipfix|sflow5] [--rate "
               "RECORDS_PER_SECOND]\n"
               "           [--seconds N] [--exporters N] [--prefixes N] [--sampling N] [--records "
               "PER_DATAGRAM]\n"
               "           [--ipv6 1]  (the flows of every second exporter)\n"
            << "           [--gso 1]   (many datagrams in one system call and one pass of the IP stack)\n";
        return 2;
    }
}
