#include "cam/model/prefix.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <system_error>

#include "cam/base/check.h"

namespace cam {
namespace {

/// Where the IPv4 address begins in an IPv4-mapped IPv6 address.
constexpr unsigned kMappedBits = 96;
constexpr unsigned kV6Bits = 128;

/// The first `length` bits of the address, the rest zero.
IpAddress without_host_bits(const IpAddress& address, unsigned length) {
    std::array<std::uint8_t, 16> bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::size_t kept = std::min<std::size_t>(8, length - std::min<std::size_t>(length, 8 * i));
        bytes[i] = static_cast<std::uint8_t>(bytes[i] & 0xff00U >> kept);
    }
    if (address.family() == IpAddress::Family::kV4) {
        return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    }
    return IpAddress::v6(bytes);
}

/// Decimal digits without a sign or a leading zero; a number too large for the type is the type's largest.
std::optional<unsigned> parse_length(std::string_view text) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    unsigned length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) return std::numeric_limits<unsigned>::max();
    return length;
}

}  // namespace

std::optional<Prefix> Prefix::parse(std::string_view text, Fault* why) {
    const auto refuse = [why](Fault fault) {
        if (why != nullptr) *why = fault;
        return std::optional<Prefix>{};
    };
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return refuse(Fault::kSyntax);
    const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, slash));
    const std::optional<unsigned> length = parse_length(text.substr(slash + 1));
    if (!address || !length) return refuse(Fault::kSyntax);

    const bool written_as_v6 = text.substr(0, slash).find(':') != std::string_view::npos;
    if (*length > (written_as_v6 ? kV6Bits : address->width())) return refuse(Fault::kLength);
    const bool mapped = written_as_v6 && address->family() == IpAddress::Family::kV4;
    // The 16 one-bits that mark a mapped address end at bit 96: shorter than that, they are host bits.
    if (mapped && *length < kMappedBits) return refuse(Fault::kHostBits);
    const Prefix prefix = covering(*address, mapped ? *length - kMappedBits : *length);
    if (prefix.address() != *address) return refuse(Fault::kHostBits);
    return prefix;
}

Prefix Prefix::covering(const IpAddress& address, unsigned length) {
    check(length <= address.width(), "a prefix longer than its address");
    return Prefix{without_host_bits(address, length), length};
}

bool Prefix::contains(const IpAddress& address) const noexcept {
    if (address.family() != address_.family()) return false;
    const std::size_t whole = length_ / 8;
    const auto& ours = address_.bytes();
    const auto& theirs = address.bytes();
    if (!std::equal(ours.begin(), ours.begin() + static_cast<std::ptrdiff_t>(whole), theirs.begin()))
        return false;
    const unsigned rest = length_ % 8;
    return rest == 0 || ((ours[whole] ^ theirs[whole]) & 0xff00U >> rest & 0xffU) == 0;
}

std::string Prefix::text() const {
    std::string text = address_.text();
    text += '/';
    text += std::to_string(length_);
    return text;
}

}  // namespace cam
