#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cam/base/byte_reader.h"
#include "cam/model/exporter.h"
#include "decode/template_field.h"

namespace cam::decode {

/// What an options record tells that we use (RFC 3954 6.1, RFC 7011 3.4.2.2, RFC 5476 6.5).
struct OptionsRecord {
    std::optional<std::uint64_t> sampler;
    std::optional<std::uint64_t> interface;
    std::optional<std::uint32_t> domain;  ///< that it speaks of, if not the one it came in
    std::optional<std::uint64_t> one_in;
    std::optional<std::int64_t> boot_ms;  ///< systemInitTimeMilliseconds (element 160)
};

/// A template for options records. Options are few, so its records are read field by field. Immutable.
class OptionsLayout {
public:
    /// nullopt if no record of these fields fits into a datagram, or if its shortest record is empty.
    static std::optional<OptionsLayout> compile(ExportProtocol protocol,
                                                std::span<const TemplateField> fields);

    /// Bytes of the shortest record, at least 1.
    [[nodiscard]] std::size_t record_bytes() const noexcept { return record_bytes_; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    /// Reads the record that `rest` begins with and goes on behind it; nullopt if it does not fit.
    std::optional<OptionsRecord> read(ByteReader& rest) const;

private:
    /// What a field means to us.
    enum class Meaning : std::uint8_t {
        kNothing,
        kSampler,
        kInterface,
        kDomain,
        kInterval,
        kTaken,       ///< samplingPacketInterval
        kLeftOut,     ///< samplingPacketSpace
        kSize,        ///< samplingSize
        kPopulation,  ///< samplingPopulation
        kProbability,
        kBriefProbability,  ///< of four bytes
        kBoot,
    };
    struct Field {
        std::uint16_t length;
        Meaning meaning;
    };
    static Meaning meaning_of(ExportProtocol protocol, const TemplateField& field);

    std::vector<Field> fields_;
    std::size_t record_bytes_ = 0;
};

}  // namespace cam::decode
