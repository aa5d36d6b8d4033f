#include "app/capture_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <pcap/pcap.h>
#include <spdlog/fmt/fmt.h>

#include "cam/base/byte_reader.h"
#include "cam/base/log.h"

namespace cam::app {
namespace {

using decode::LinkType;

/// A frame of LINKTYPE_LINUX_SLL2: the ether type comes first, and what it names behind 20 bytes.
std::optional<CapturedFrame> unwrap_cooked2(std::span<const std::uint8_t> frame) {
    constexpr std::size_t kHeader = 20;
    constexpr std::size_t kTagControl = 2;   // of a VLAN tag; the ether type follows
    constexpr std::size_t kPppoeHeader = 6;  // RFC 2516 4: version, code, session, length
    ByteReader reader{frame};
    const std::uint16_t ether_type = reader.u16().value_or(0);
    std::size_t header = kHeader;
    LinkType link = LinkType::kIp;
    switch (ether_type) {
        case 0x8100:
        case 0x88a8:
        case 0x9100:
        case 0x9200:
            header += kTagControl;
            link = LinkType::kEtherType;
            break;
        case 0x8847:
        case 0x8848:
            link = LinkType::kMpls;
            break;
        case 0x8864:
            header += kPppoeHeader;
            link = LinkType::kPpp;
            break;
        default:
            break;
    }
    if (frame.size() < header) return std::nullopt;
    return CapturedFrame{.bytes = frame.subspan(header), .link = link};
}

/// Where the packet begins in a frame of this link type (tcpdump.org/linktypes.html); nullopt if there is
/// none.
std::optional<CapturedFrame> unwrap(int link_type, std::span<const std::uint8_t> frame) {
    const auto behind = [frame](std::size_t header, LinkType link) -> std::optional<CapturedFrame> {
        if (frame.size() < header) return std::nullopt;
        return CapturedFrame{.bytes = frame.subspan(header), .link = link};
    };
    switch (link_type) {
        case DLT_EN10MB:
            return behind(0, LinkType::kEthernet);
        case DLT_RAW:
        case DLT_IPV4:
        case DLT_IPV6:
            return behind(0, LinkType::kIp);
        case DLT_NULL:
        case DLT_LOOP:
            return behind(4, LinkType::kIp);  // the address family, in somebody's byte order
        case DLT_PPP:
            return behind(0, LinkType::kPpp);
        case DLT_LINUX_SLL:
            return behind(14, LinkType::kEtherType);
        case DLT_LINUX_SLL2:
            return unwrap_cooked2(frame);
        default:
            return std::nullopt;
    }
}

bool is_known(int link_type) {
    constexpr std::array kKnown{DLT_EN10MB, DLT_RAW, DLT_IPV4,      DLT_IPV6,      DLT_NULL,
                                DLT_LOOP,   DLT_PPP, DLT_LINUX_SLL, DLT_LINUX_SLL2};
    for (const int known : kKnown) {
        if (known == link_type) return true;
    }
    return false;
}

/// A damaged file can tell any time; the year 9999 is the last that its text has room for.
WallTime time_of(const timeval& stamp) {
    constexpr std::int64_t kLast = 253'402'300'799;
    const std::chrono::seconds whole{std::clamp<std::int64_t>(stamp.tv_sec, 0, kLast)};
    return WallTime{whole +
                    std::chrono::milliseconds{std::clamp<std::int64_t>(stamp.tv_usec / 1000, 0, 999)}};
}

}  // namespace

void CaptureFile::Closer::operator()(pcap* handle) const noexcept {
    pcap_close(handle);
}

Result<CaptureFile> CaptureFile::open(const std::string& path) {
    const std::string shown = path == "-" ? "standard input" : quote(path);
    if (path != "-" && ::access(path.c_str(), R_OK) != 0) {
        const int why = errno;
        return Error{ErrorCode::kNotFound,
                     fmt::format("cannot read {}: {}", shown, std::generic_category().message(why))};
    }
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    std::unique_ptr<pcap, Closer> handle{pcap_open_offline(path.c_str(), why.data())};
    if (!handle) {
        return Error{
            ErrorCode::kInvalid,
            fmt::format("{} is no capture that can be read: {}; expected pcap or pcapng, as tcpdump -w "
                        "and Wireshark write them",
                        shown, why.data())};
    }
    const int link_type = pcap_datalink(handle.get());
    if (!is_known(link_type)) {
        const char* const name = pcap_datalink_val_to_name(link_type);
        return Error{
            ErrorCode::kInvalid,
            fmt::format("{} has frames of link type {} ({}); expected Ethernet, Linux cooked, raw IP, "
                        "loopback or PPP",
                        shown, link_type, name == nullptr ? "unknown" : name)};
    }
    return CaptureFile{shown, std::move(handle), link_type};
}

Result<std::optional<CapturedFrame>> CaptureFile::next() {
    pcap_pkthdr* about = nullptr;
    const u_char* bytes = nullptr;
    const int outcome = pcap_next_ex(handle_.get(), &about, &bytes);
    if (outcome == PCAP_ERROR_BREAK) return std::optional<CapturedFrame>{};
    if (outcome != 1) {
        return Error{ErrorCode::kBroken,
                     fmt::format("{} cannot be read to its end: {}", name_, pcap_geterr(handle_.get()))};
    }
    std::optional<CapturedFrame> frame = unwrap(link_type_, {bytes, about->caplen});
    if (!frame) frame = CapturedFrame{};  // too short for its own header: a frame all the same
    frame->time = time_of(about->ts);
    return frame;
}

}  // namespace cam::app
