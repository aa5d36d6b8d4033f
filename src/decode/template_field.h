#pragma once

#include <cstdint>

#include "cam/model/exporter.h"

namespace cam::decode {

/// One field of a template as the exporter described it (RFC 3954 5.2, RFC 7011 3.2).
struct TemplateField {
    std::uint32_t enterprise = 0;  ///< 0: an element of IANA's registry, or of v9's own list
    std::uint16_t id = 0;
    std::uint16_t length = 0;  ///< bytes, or kVariableLength
    bool is_scope = false;     ///< of an options template; v9 numbers scopes on their own (RFC 3954 6.1)
};

/// The length is written in front of each value (RFC 7011 7).
inline constexpr std::uint16_t kVariableLength = 65535;

/// What the records of one set take from the header of their datagram.
struct SetContext {
    ExportProtocol protocol = ExportProtocol::kNetflow9;
    std::uint32_t domain = 0;
    std::int64_t export_ms = 0;   ///< by the exporter's clock, since 1970
    std::uint32_t uptime_ms = 0;  ///< of the exporter at that time, modulo 2^32
    bool has_uptime = false;      ///< IPFIX tells it only by systemInitTimeMilliseconds
};

/// The uptime of an exporter of IPFIX that has told when it began.
inline void set_uptime(SetContext& context, std::int64_t boot_ms) noexcept {
    context.uptime_ms = static_cast<std::uint32_t>(context.export_ms - boot_ms);
    context.has_uptime = true;
}

}  // namespace cam::decode
