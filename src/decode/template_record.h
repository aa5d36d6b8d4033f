#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cam/base/byte_reader.h"
#include "decode/template_field.h"

namespace cam::decode {

/// How template records are written in a set.
enum class TemplateFormat : std::uint8_t { kNetflow9, kNetflow9Options, kIpfix, kIpfixOptions };

[[nodiscard]] constexpr bool is_options(TemplateFormat format) {
    return format == TemplateFormat::kNetflow9Options || format == TemplateFormat::kIpfixOptions;
}

/// The set ids below which no data set lies (RFC 3954 5.2, RFC 7011 3.3.2).
inline constexpr std::uint16_t kFirstDataSet = 256;

/// One template record as it came.
struct TemplateRecord {
    enum class Kind : std::uint8_t {
        kTemplate,
        kWithdrawal,  ///< IPFIX: no fields (RFC 7011 8.1); id 2 or 3 stands for all templates
        kRefused,     ///< well-formed, but too many fields or an id that no data set can have
    };
    Kind kind = Kind::kTemplate;
    std::uint16_t id = 0;
    std::span<const std::uint8_t> bytes;  ///< all of it; into the datagram
    std::vector<TemplateField> fields;    ///< of kTemplate
};

/// Reads the template record that `set` begins with into `record`, whose memory is used again, and goes on
/// behind it. False if it does not fit into the set or contradicts itself: nothing behind it can be read
/// then.
bool read_template(ByteReader& set, TemplateFormat format, std::size_t most_fields, TemplateRecord& record);

/// Only padding follows: nothing, or zeros where an id must be.
[[nodiscard]] bool is_padding(ByteReader set) noexcept;

}  // namespace cam::decode
