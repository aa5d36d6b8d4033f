#include "decode/template_record.h"

namespace cam::decode {
namespace {

constexpr std::uint16_t kEnterpriseBit = 0x8000;
constexpr std::size_t kFieldBytes = 4;

struct Head {
    std::size_t fields = 0;
    std::size_t scopes = 0;
};

/// What stands between the id and the fields. A withdrawal of an options template has no scope count.
std::optional<Head> read_head(ByteReader& set, TemplateFormat format) {
    if (format == TemplateFormat::kNetflow9Options) {
        const auto scope_bytes = set.u16();
        const auto option_bytes = set.u16();
        if (!scope_bytes || !option_bytes) return std::nullopt;
        if (*scope_bytes % kFieldBytes != 0 || *option_bytes % kFieldBytes != 0) return std::nullopt;
        const std::size_t scopes = *scope_bytes / kFieldBytes;
        return Head{.fields = scopes + *option_bytes / kFieldBytes, .scopes = scopes};
    }
    const auto count = set.u16();
    if (!count) return std::nullopt;
    if (format != TemplateFormat::kIpfixOptions || *count == 0) return Head{.fields = *count, .scopes = 0};
    const auto scopes = set.u16();
    if (!scopes || *scopes > *count) return std::nullopt;
    return Head{.fields = *count, .scopes = *scopes};
}

std::optional<TemplateField> read_field(ByteReader& set, TemplateFormat format) {
    const auto id = set.u16();
    const auto length = set.u16();
    if (!id || !length) return std::nullopt;
    TemplateField field{.enterprise = 0, .id = *id, .length = *length, .is_scope = false};
    // NetFlow v9 has no enterprise bit: ids above 32767 are plain ids of some vendors (nProbe, Cisco).
    const bool is_ipfix = format == TemplateFormat::kIpfix || format == TemplateFormat::kIpfixOptions;
    if (!is_ipfix || (*id & kEnterpriseBit) == 0) return field;
    const auto enterprise = set.u32();
    if (!enterprise) return std::nullopt;
    field.id = static_cast<std::uint16_t>(*id & ~kEnterpriseBit);
    field.enterprise = *enterprise;
    return field;
}

}  // namespace

bool read_template(ByteReader& set, TemplateFormat format, std::size_t most_fields, TemplateRecord& record) {
    record.fields.clear();
    const std::span<const std::uint8_t> all = set.rest();
    const auto id = set.u16();
    if (!id) return false;
    const std::optional<Head> head = read_head(set, format);
    if (!head || head->fields > set.remaining() / kFieldBytes) return false;
    record.id = *id;
    const bool is_too_long = head->fields > most_fields;
    for (std::size_t i = 0; i < head->fields; ++i) {
        std::optional<TemplateField> field = read_field(set, format);
        if (!field) return false;
        field->is_scope = i < head->scopes;
        if (!is_too_long) record.fields.push_back(*field);
    }
    record.bytes = all.first(all.size() - set.remaining());
    const bool is_ipfix = format == TemplateFormat::kIpfix || format == TemplateFormat::kIpfixOptions;
    record.kind = TemplateRecord::Kind::kTemplate;
    if (is_ipfix && head->fields == 0) {
        record.kind = TemplateRecord::Kind::kWithdrawal;
    } else if (is_too_long || head->fields == 0 || *id < kFirstDataSet) {
        record.kind = TemplateRecord::Kind::kRefused;
    }
    return true;
}

bool is_padding(ByteReader set) noexcept {
    const auto id = set.u16();
    return !id || (*id == 0 && set.u16().value_or(0) == 0);
}

}  // namespace cam::decode
