#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "cam/model/ip_address.h"

namespace cam {

/// A CIDR range without host bits, such as `185.54.80.0/22`. Immutable.
class Prefix {
public:
    /// Why a text is no prefix.
    enum class Fault { kSyntax, kLength, kHostBits };

    /// nullopt if `text` is no prefix; `why`, if given, then says why. A bare address is refused (kSyntax). A
    /// prefix of IPv4-mapped addresses becomes the IPv4 prefix it stands for (`::ffff:1.2.3.0/120` is
    /// `1.2.3.0/24`).
    static std::optional<Prefix> parse(std::string_view text, Fault* why = nullptr);
    /// The prefix of that length which covers the address; `length` is at most the address' width.
    static Prefix covering(const IpAddress& address, unsigned length);

    [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
    [[nodiscard]] unsigned length() const noexcept { return length_; }
    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;
    [[nodiscard]] std::string text() const;

    // clang-tidy 14 means the 0 in code that the compiler makes.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const Prefix&, const Prefix&) = default;

private:
    Prefix(const IpAddress& address, unsigned length) : address_(address), length_(length) {}
    IpAddress address_;
    unsigned length_;
};

}  // namespace cam
