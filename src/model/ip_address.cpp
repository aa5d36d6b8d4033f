#include "cam/model/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace cam {
namespace {

constexpr std::size_t kGroups = 8;

struct Run {
    std::size_t begin = kGroups;
    std::size_t length = 0;
};

/// The longest run of two or more zero groups, the first of equals (RFC 5952 4.2).
Run longest_zero_run(const std::array<std::uint16_t, kGroups>& groups) {
    Run best;
    for (std::size_t i = 0; i < kGroups;) {
        std::size_t end = i;
        while (end < kGroups && groups[end] == 0) ++end;
        if (end - i > 1 && end - i > best.length) best = Run{.begin = i, .length = end - i};
        i = end + 1;
    }
    return best;
}

void append_number(std::string& text, unsigned number, int base) {
    std::array<char, 8> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
    text.append(digits.data(), written.ptr);
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
    std::array<std::uint16_t, kGroups> groups{};
    for (std::size_t i = 0; i < kGroups; ++i) {
        groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8U | bytes[2 * i + 1]);
    }
    const Run zeros = longest_zero_run(groups);
    std::string text;
    text.reserve(INET6_ADDRSTRLEN);
    for (std::size_t i = 0; i < kGroups; ++i) {
        if (i == zeros.begin) {
            text += "::";
            i += zeros.length - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') text += ':';
        append_number(text, groups[i], 16);
    }
    return text;
}

/// Spreads the bits: addresses of one prefix differ in few of them.
std::uint64_t mix(std::uint64_t value) {
    value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ value >> 27U) * 0x94d049bb133111ebULL;
    return value ^ value >> 31U;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::copy(text.begin(), text.end(), terminated.begin());
    if (text.find(':') != std::string_view::npos) {
        std::array<std::uint8_t, 16> bytes{};
        if (inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
        return v6(bytes);
    }
    std::array<std::uint8_t, 4> bytes{};
    if (inet_pton(AF_INET, terminated.data(), bytes.data()) != 1) return std::nullopt;
    return v4(bytes);
}

std::string IpAddress::text() const {
    if (family_ == Family::kV6) return v6_text(bytes_);
    std::string text;
    text.reserve(INET_ADDRSTRLEN);
    for (std::size_t i = 0; i < 4; ++i) {
        if (i > 0) text += '.';
        append_number(text, bytes_[i], 10);
    }
    return text;
}

}  // namespace cam

std::size_t std::hash<cam::IpAddress>::operator()(const cam::IpAddress& address) const noexcept {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), address.bytes().data(), sizeof halves);
    return cam::mix(halves[0] + cam::mix(halves[1] + address.width()));
}
