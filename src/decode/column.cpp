#include "decode/column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <span>
#include <type_traits>

#include "cam/base/byte_reader.h"
#include "cam/decode/packet_header.h"
#include "decode/rates.h"

namespace cam::decode {
namespace {

constexpr std::size_t kMostNumberBytes = 8;
/// 9999-12-31: later times came from a broken exporter, and would overflow what prints them.
constexpr std::int64_t kLatestMs = 253'402'300'799'999;
/// Seconds from NTP's epoch (1900) to 1970.
constexpr std::int64_t kNtpToUnix = 2'208'988'800;

WallTime wall_time(std::int64_t since_1970_ms) noexcept {
    return WallTime{std::chrono::milliseconds{std::clamp<std::int64_t>(since_1970_ms, 0, kLatestMs)}};
}

std::uint64_t load_any(const std::uint8_t* from, std::size_t width) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value << 8U | from[i];
    return value;
}

/// A number of `Width` bytes in network order; Width 0: of `width`, at most 8.
template <std::size_t Width>
std::uint64_t load(const std::uint8_t* from, std::size_t width) noexcept {
    if constexpr (Width == 1) {
        return *from;
    } else if constexpr (Width == 2) {
        std::uint16_t value = 0;
        std::memcpy(&value, from, sizeof value);
        return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
    } else if constexpr (Width == 4) {
        std::uint32_t value = 0;
        std::memcpy(&value, from, sizeof value);
        return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
    } else if constexpr (Width == 8) {
        std::uint64_t value = 0;
        std::memcpy(&value, from, sizeof value);
        return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
    } else {
        return load_any(from, std::min(width, kMostNumberBytes));
    }
}

/// Calls `move(record, from)` for each row. The one place where pointers into a set move: see Rows and
/// Column.
template <typename Move>
void each_row(const Column& column, const Rows& rows, Move move) {
    const std::uint8_t* from = rows.first + column.offset;
    FlowRecord* const end = rows.out + rows.count;
    for (FlowRecord* record = rows.out; record != end; ++record, from += rows.stride) move(*record, from);
}

/// A number goes into a member; of one that is wider than the member its low bytes.
template <auto Member>
struct Into {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        using Number = std::remove_reference_t<decltype(record.*Member)>;
        record.*Member = static_cast<Number>(value);
    }
};
struct IntoIcmp {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        record.icmp_type = static_cast<std::uint8_t>(value >> 8U);
        record.icmp_code = static_cast<std::uint8_t>(value);
    }
};
struct IntoMplsLabel {  // 20 bits of label, 3 of class, 1 bottom of stack
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        record.mpls_label = static_cast<std::uint32_t>(value >> 4U) & 0xfffffU;
    }
};
template <auto Member>
struct IntoUptime {
    /// The difference is taken modulo 2^32 and signed, so that an uptime which wrapped in between, and a flow
    /// that ended after the header was written, both come out right.
    static void put(FlowRecord& record, std::uint64_t value, const SetContext& context) noexcept {
        const auto before = static_cast<std::int32_t>(context.uptime_ms - static_cast<std::uint32_t>(value));
        record.*Member = wall_time(context.export_ms - before);
    }
};
template <auto Member, std::int64_t Scale>
struct IntoTime {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        record.*Member =
            wall_time(static_cast<std::int64_t>(std::min<std::uint64_t>(value, kLatestMs / Scale)) * Scale);
    }
};
template <auto Member>
struct IntoNtp {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        const auto seconds = static_cast<std::int64_t>(value >> 32U) - kNtpToUnix;
        const auto ms = static_cast<std::int64_t>((value & 0xffffffffU) * 1000 >> 32U);
        record.*Member = wall_time(seconds * 1000 + ms);
    }
};
template <auto Member>
struct IntoBefore {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext& context) noexcept {
        const auto before = static_cast<std::int64_t>(std::min<std::uint64_t>(value / 1000, kLatestMs));
        record.*Member = wall_time(context.export_ms - before);
    }
};
template <std::uint64_t PerMillisecond>
struct IntoDuration {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        const auto longer =
            static_cast<std::int64_t>(std::min<std::uint64_t>(value / PerMillisecond, kLatestMs));
        record.end = wall_time(record.start.time_since_epoch().count() + longer);
    }
};

void tell(FlowRecord& record, std::uint64_t one_in) noexcept {
    const auto rate = rate_of(one_in);
    if (!rate) return;
    record.sampling = *rate;
    record.sampling_source = SamplingSource::kRecord;
}
struct IntoRate {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        tell(record, value);
    }
};
template <std::size_t Width>
struct IntoProbability {
    static void put(FlowRecord& record, std::uint64_t value, const SetContext&) noexcept {
        tell(record, one_in_by_probability(value, Width));
    }
};

template <typename Put, std::size_t Width>
void number(const Column& column, const Rows& rows) {
    const std::size_t width = column.width;
    const SetContext& context = *rows.context;
    each_row(column, rows, [width, &context](FlowRecord& record, const std::uint8_t* from) {
        Put::put(record, load<Width>(from, width), context);
    });
}

template <typename Put>
Column::Run number_run(std::uint16_t width) {
    switch (width) {
        case 1:
            return number<Put, 1>;
        case 2:
            return number<Put, 2>;
        case 4:
            return number<Put, 4>;
        case 8:
            return number<Put, 8>;
        case 3:
        case 5:
        case 6:
        case 7:
        case kVariableLength:
            return number<Put, 0>;
        default:
            return nullptr;
    }
}

template <auto Member>
Column::Run into(std::uint16_t width) {
    return number_run<Into<Member>>(width);
}

template <std::size_t Size>
std::array<std::uint8_t, Size> bytes_at(const std::uint8_t* from) noexcept {
    std::array<std::uint8_t, Size> bytes;
    std::memcpy(bytes.data(), from, Size);
    return bytes;
}

/// Made where it belongs: assigned, it would be put together on the stack first, which costs more than all of
/// the decoding of the field.
template <auto Member, typename Make>
void make_address(FlowRecord& record, Make make) noexcept {
    static_assert(std::is_trivially_destructible_v<IpAddress>);
    ::new (static_cast<void*>(&(record.*Member))) IpAddress(make());
}

template <auto Member, WhenZero Zero>
void address4(const Column& column, const Rows& rows) {
    if (column.width != 4) return;
    each_row(column, rows, [](FlowRecord& record, const std::uint8_t* from) {
        if (Zero == WhenZero::kLeave && load<4>(from, 4) == 0) return;
        make_address<Member>(record, [from] { return IpAddress::v4(bytes_at<4>(from)); });
    });
}

template <auto Member>
void address6(const Column& column, const Rows& rows) {
    if (column.width != 16) return;
    each_row(column, rows, [](FlowRecord& record, const std::uint8_t* from) {
        make_address<Member>(record, [from] { return IpAddress::v6(bytes_at<16>(from)); });
    });
}

template <auto Member>
Column::Run into4(std::uint16_t width, WhenZero when_zero) {
    if (width != 4 && width != kVariableLength) return nullptr;
    return when_zero == WhenZero::kTake ? address4<Member, WhenZero::kTake>
                                        : address4<Member, WhenZero::kLeave>;
}

template <auto Member>
Column::Run into6(std::uint16_t width) {
    return width == 16 || width == kVariableLength ? address6<Member> : nullptr;
}

template <auto Member>
void mac(const Column& column, const Rows& rows) {
    if (column.width != 6) return;
    each_row(column, rows,
             [](FlowRecord& record, const std::uint8_t* from) { record.*Member = bytes_at<6>(from); });
}

template <auto Member>
Column::Run into_mac(std::uint16_t width) {
    return width == 6 || width == kVariableLength ? mac<Member> : nullptr;
}

template <std::uint64_t (*OneIn)(std::uint64_t, std::uint64_t)>
void rate_pair(const Column& column, const Rows& rows) {
    const std::ptrdiff_t to_second = std::ptrdiff_t{column.second_offset} - std::ptrdiff_t{column.offset};
    each_row(column, rows, [&column, to_second](FlowRecord& record, const std::uint8_t* from) {
        tell(record, OneIn(load<0>(from, column.width), load<0>(from + to_second, column.second_width)));
    });
}

/// An uptime in a record that also says when it began. A beginning that cannot be one leaves no times.
template <auto Member>
void uptime_pair(const Column& column, const Rows& rows) {
    const std::ptrdiff_t to_second = std::ptrdiff_t{column.second_offset} - std::ptrdiff_t{column.offset};
    SetContext context = *rows.context;
    each_row(column, rows, [&column, &context, to_second](FlowRecord& record, const std::uint8_t* from) {
        const std::uint64_t boot = load<0>(from + to_second, column.second_width);
        if (boot == 0 || boot > kLatestMs) {
            record.fields.remove(FlowField::kStart);
            record.fields.remove(FlowField::kEnd);
            return;
        }
        set_uptime(context, static_cast<std::int64_t>(boot));
        IntoUptime<Member>::put(record, load<0>(from, column.width), context);
    });
}

/// A sample of packets in a flow record's clothes (PSAMP): one packet, and as long as its headers say unless
/// another field knows better.
template <LinkType Link>
void section(const Column& column, const Rows& rows) {
    each_row(column, rows, [&column](FlowRecord& record, const std::uint8_t* from) {
        const std::optional<std::uint32_t> length =
            decode_packet_header(ByteReader{std::span{from, column.width}}, Link, record).length;
        if (!record.has(FlowField::kPackets)) record.packets = 1;
        if (!record.has(FlowField::kBytes)) record.bytes = length.value_or(column.width);
    });
}

}  // namespace

Column::Run column_run(ColumnKind kind, std::uint16_t width, WhenZero when_zero) {
    using R = FlowRecord;
    switch (kind) {
        case ColumnKind::kBytes:
            return into<&R::bytes>(width);
        case ColumnKind::kPackets:
            return into<&R::packets>(width);
        case ColumnKind::kProtocol:
            return into<&R::protocol>(width);
        case ColumnKind::kTos:
            return into<&R::tos>(width);
        case ColumnKind::kTcpFlags:
            return into<&R::tcp_flags>(width);
        case ColumnKind::kSourcePort:
            return into<&R::source_port>(width);
        case ColumnKind::kDestinationPort:
            return into<&R::destination_port>(width);
        case ColumnKind::kInputInterface:
            return into<&R::input_interface>(width);
        case ColumnKind::kOutputInterface:
            return into<&R::output_interface>(width);
        case ColumnKind::kSourceAs:
            return into<&R::source_as>(width);
        case ColumnKind::kDestinationAs:
            return into<&R::destination_as>(width);
        case ColumnKind::kSourceMask:
            return into<&R::source_mask>(width);
        case ColumnKind::kDestinationMask:
            return into<&R::destination_mask>(width);
        case ColumnKind::kTtl:
            return into<&R::ttl>(width);
        case ColumnKind::kIcmpType:
            return into<&R::icmp_type>(width);
        case ColumnKind::kIcmpCode:
            return into<&R::icmp_code>(width);
        case ColumnKind::kIcmpTypeAndCode:
            return number_run<IntoIcmp>(width);
        case ColumnKind::kSourceVlan:
            return into<&R::source_vlan>(width);
        case ColumnKind::kDestinationVlan:
            return into<&R::destination_vlan>(width);
        case ColumnKind::kEtherType:
            return into<&R::ether_type>(width);
        case ColumnKind::kFragmentId:
            return into<&R::fragment_id>(width);
        case ColumnKind::kFragmentOffset:
            return into<&R::fragment_offset>(width);
        case ColumnKind::kIpv6FlowLabel:
            return into<&R::ipv6_flow_label>(width);
        case ColumnKind::kForwardingStatus:
            return into<&R::forwarding_status>(width);
        case ColumnKind::kDirection:
            return into<&R::direction>(width);
        case ColumnKind::kSampler:
            return into<&R::sampler>(width);
        case ColumnKind::kMplsLabel:
            return width == 3 || width == kVariableLength ? number_run<IntoMplsLabel>(width) : nullptr;
        case ColumnKind::kSource4:
            return into4<&R::source>(width, when_zero);
        case ColumnKind::kSource6:
            return into6<&R::source>(width);
        case ColumnKind::kDestination4:
            return into4<&R::destination>(width, when_zero);
        case ColumnKind::kDestination6:
            return into6<&R::destination>(width);
        case ColumnKind::kNextHop4:
            return into4<&R::next_hop>(width, when_zero);
        case ColumnKind::kNextHop6:
            return into6<&R::next_hop>(width);
        case ColumnKind::kBgpNextHop4:
            return into4<&R::bgp_next_hop>(width, when_zero);
        case ColumnKind::kBgpNextHop6:
            return into6<&R::bgp_next_hop>(width);
        case ColumnKind::kSourceMac:
            return into_mac<&R::source_mac>(width);
        case ColumnKind::kDestinationMac:
            return into_mac<&R::destination_mac>(width);
        case ColumnKind::kStartUptime:
            return number_run<IntoUptime<&R::start>>(width);
        case ColumnKind::kEndUptime:
            return number_run<IntoUptime<&R::end>>(width);
        case ColumnKind::kStartUptimeSince:
            return number_run<IntoUptime<&R::start>>(width) == nullptr ? nullptr : uptime_pair<&R::start>;
        case ColumnKind::kEndUptimeSince:
            return number_run<IntoUptime<&R::end>>(width) == nullptr ? nullptr : uptime_pair<&R::end>;
        case ColumnKind::kStartSeconds:
            return number_run<IntoTime<&R::start, 1000>>(width);
        case ColumnKind::kEndSeconds:
            return number_run<IntoTime<&R::end, 1000>>(width);
        case ColumnKind::kStartMilliseconds:
            return number_run<IntoTime<&R::start, 1>>(width);
        case ColumnKind::kEndMilliseconds:
            return number_run<IntoTime<&R::end, 1>>(width);
        case ColumnKind::kStartNtp:
            return width == 8 ? number_run<IntoNtp<&R::start>>(width) : nullptr;
        case ColumnKind::kEndNtp:
            return width == 8 ? number_run<IntoNtp<&R::end>>(width) : nullptr;
        case ColumnKind::kStartBefore:
            return number_run<IntoBefore<&R::start>>(width);
        case ColumnKind::kEndBefore:
            return number_run<IntoBefore<&R::end>>(width);
        case ColumnKind::kEndByDuration:
            return number_run<IntoDuration<1>>(width);
        case ColumnKind::kEndByDurationMicroseconds:
            return number_run<IntoDuration<1000>>(width);
        case ColumnKind::kRateProbability:
            if (width == 4) return number_run<IntoProbability<4>>(width);
            return width == 8 ? number_run<IntoProbability<8>>(width) : nullptr;
        case ColumnKind::kRatePopulation:
            return number_run<IntoRate>(width) == nullptr ? nullptr : rate_pair<one_in_by_population>;
        case ColumnKind::kRatePacketSpace:
            return number_run<IntoRate>(width) == nullptr ? nullptr : rate_pair<one_in_by_space>;
        case ColumnKind::kRateInterval:
            return number_run<IntoRate>(width);
        case ColumnKind::kFrameSection:
            return width == 0 ? nullptr : section<LinkType::kEthernet>;
        case ColumnKind::kIpSection:
            return width == 0 ? nullptr : section<LinkType::kIp>;
    }
    return nullptr;
}

}  // namespace cam::decode
