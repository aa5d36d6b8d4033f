#include "decode/saved_state.h"

#include <cstdint>
#include <cstring>
#include <vector>

#include "cam/base/byte_reader.h"
#include "decode/rates.h"

namespace cam::decode {
namespace {

constexpr std::string_view kMagic = "CAMD";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kRateBytes = 18;
constexpr std::size_t kBootBytes = 13;
constexpr std::uint64_t kLatestMs = 253'402'300'799'999;  // the year 9999

template <typename Number>
void put(std::string& out, Number value) {
    for (std::size_t i = sizeof value; i-- > 0;) {
        out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xffU));
    }
}

std::uint64_t checksum(std::string_view bytes) {
    std::uint64_t sum = 0xcbf29ce484222325ULL;
    for (const char byte : bytes) sum = (sum ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3ULL;
    return sum;
}

/// Only those that have templates.
std::optional<ExportProtocol> protocol_of(std::uint8_t value) {
    for (const ExportProtocol protocol : {ExportProtocol::kNetflow9, ExportProtocol::kIpfix}) {
        if (value == static_cast<std::uint8_t>(protocol)) return protocol;
    }
    return std::nullopt;
}

std::optional<TemplateFormat> format_of(std::uint8_t value, ExportProtocol protocol) {
    const bool is_netflow9 = protocol == ExportProtocol::kNetflow9;
    const TemplateFormat data = is_netflow9 ? TemplateFormat::kNetflow9 : TemplateFormat::kIpfix;
    const TemplateFormat options =
        is_netflow9 ? TemplateFormat::kNetflow9Options : TemplateFormat::kIpfixOptions;
    if (value == static_cast<std::uint8_t>(data)) return data;
    if (value == static_cast<std::uint8_t>(options)) return options;
    return std::nullopt;
}

bool restore_template(ByteReader& reader, const Decoder::Options& options, SteadyTime now,
                      ExporterState& exporter) {
    const auto protocol_byte = reader.u8();
    const auto domain = reader.u32();
    const auto format_byte = reader.u8();
    const auto length = reader.u16();
    if (!length) return false;
    auto body = reader.sub(*length);
    const auto protocol = protocol_of(*protocol_byte);
    if (!body || !protocol) return false;
    const auto format = format_of(*format_byte, *protocol);
    TemplateRecord record;
    if (!format || !read_template(*body, *format, options.fields_per_template, record)) return false;
    if (!body->empty() || record.kind != TemplateRecord::Kind::kTemplate) return false;
    const TemplateTable::Limits limits{.templates = options.templates_per_exporter,
                                       .bytes = options.template_bytes_per_exporter,
                                       .idle = options.template_idle};
    const TemplateKey key{*protocol, *domain, record.id};
    return exporter.templates.learn(key, *format, record, limits, now) == TemplateTable::Learned::kNew;
}

bool restore_rate(ByteReader& reader, ExporterState& exporter) {
    const auto protocol_byte = reader.u8();
    const auto scope = reader.u8();
    const auto domain = reader.u32();
    const auto id = reader.u64();
    const auto one_in = reader.u32();
    if (!one_in) return false;
    const auto protocol = protocol_of(*protocol_byte);
    const auto rate = SamplingRate::one_in(*one_in);
    if (!protocol || !rate || *scope > static_cast<std::uint8_t>(SamplingScope::kInterface)) return false;
    return exporter.sampling.tell({*protocol, static_cast<SamplingScope>(*scope), *domain, *id}, *rate);
}

bool restore_boot(ByteReader& reader, SteadyTime now, ExporterState& exporter) {
    const auto protocol_byte = reader.u8();
    const auto domain = reader.u32();
    const auto boot = reader.u64();
    if (!boot || *boot > kLatestMs) return false;
    const auto protocol = protocol_of(*protocol_byte);
    if (!protocol) return false;
    exporter.domain(*protocol, *domain, now).boot_ms = static_cast<std::int64_t>(*boot);
    return true;
}

}  // namespace

std::string save_state(const ExporterState& exporter) {
    std::string out{kMagic};
    put(out, kVersion);
    put(out, static_cast<std::uint32_t>(exporter.templates.size()));
    for (const auto& one : exporter.templates.all()) {
        put(out, static_cast<std::uint8_t>(one->key.protocol));
        put(out, one->key.domain);
        put(out, static_cast<std::uint8_t>(one->format));
        put(out, static_cast<std::uint16_t>(one->bytes.size()));
        out.append(one->bytes.begin(), one->bytes.end());
    }
    put(out, static_cast<std::uint32_t>(exporter.sampling.entries().size()));
    for (const SamplingTable::Entry& entry : exporter.sampling.entries()) {
        const SamplingTable::Key& key = entry.key;
        put(out, static_cast<std::uint8_t>(key.protocol));
        put(out, static_cast<std::uint8_t>(key.scope));
        put(out, key.domain);
        put(out, key.id);
        put(out, entry.rate.n());
    }
    std::string boots;
    for (const DomainState& domain : exporter.domains()) {
        if (!domain.boot_ms) continue;
        put(boots, static_cast<std::uint8_t>(domain.protocol));
        put(boots, domain.domain);
        put(boots, static_cast<std::uint64_t>(*domain.boot_ms));
    }
    put(out, static_cast<std::uint32_t>(boots.size() / kBootBytes));
    out += boots;
    put(out, checksum(out));
    return out;
}

bool restore_state(std::string_view bytes, const Decoder::Options& options, SteadyTime now,
                   ExporterState& exporter) {
    if (bytes.size() < kMagic.size() + 1 + kChecksumBytes || !bytes.starts_with(kMagic)) return false;
    const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    ByteReader all{copy};
    ByteReader reader = *all.sub(copy.size() - kChecksumBytes);
    if (all.u64() != checksum(bytes.substr(0, bytes.size() - kChecksumBytes))) return false;
    reader.skip(kMagic.size());
    if (reader.u8() != kVersion) return false;

    // Each round reads at least one byte or ends: counts need no trust.
    const auto templates = reader.u32();
    for (std::uint32_t i = 0; templates && i < *templates; ++i) {
        if (!restore_template(reader, options, now, exporter)) return false;
    }
    const auto rates = reader.u32();
    if (!rates || *rates > reader.remaining() / kRateBytes) return false;
    for (std::uint32_t i = 0; i < *rates; ++i) {
        if (!restore_rate(reader, exporter)) return false;
    }
    const auto boots = reader.u32();
    if (!boots || *boots > reader.remaining() / kBootBytes) return false;
    for (std::uint32_t i = 0; i < *boots; ++i) {
        if (!restore_boot(reader, now, exporter)) return false;
    }
    return reader.empty();
}

}  // namespace cam::decode
