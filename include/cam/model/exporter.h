#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "cam/model/ip_address.h"

namespace cam {

/// Who sent a datagram: the source address. The port is no part of it, since exporters change theirs over
/// restarts and some send templates and data from two. Immutable.
class ExporterKey {
public:
    explicit ExporterKey(const IpAddress& address) noexcept : address_(address) {}
    [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
    [[nodiscard]] std::string text() const { return address_.text(); }
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the 0 in code that the compiler makes
    friend auto operator<=>(const ExporterKey&, const ExporterKey&) = default;

private:
    IpAddress address_;
};

/// How a datagram is encoded.
enum class ExportProtocol : std::uint8_t { kNetflow5, kNetflow9, kIpfix, kSflow5 };
inline constexpr std::size_t kExportProtocolCount = 4;

/// Also the value of the label `protocol` in metrics and of `version` in JSON.
[[nodiscard]] constexpr const char* name(ExportProtocol protocol) {
    switch (protocol) {
        case ExportProtocol::kNetflow5:
            return "v5";
        case ExportProtocol::kNetflow9:
            return "v9";
        case ExportProtocol::kIpfix:
            return "ipfix";
        case ExportProtocol::kSflow5:
            return "sflow5";
    }
    return "unknown";
}

}  // namespace cam

template <>
struct std::hash<cam::ExporterKey> {
    std::size_t operator()(const cam::ExporterKey& key) const noexcept {
        return std::hash<cam::IpAddress>{}(key.address());
    }
};
