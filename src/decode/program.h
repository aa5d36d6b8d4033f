#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cam/base/byte_reader.h"
#include "cam/model/flow_record.h"
#include "decode/column.h"
#include "decode/template_field.h"

namespace cam::decode {

/// A template for flow records, compiled: what to move from where, and how long a record is. Immutable.
class Program {
public:
    /// nullopt if no record of these fields fits into a datagram, or if its shortest record is empty.
    static std::optional<Program> compile(std::span<const TemplateField> fields);

    /// Which fields a record has, before anything that only its own bytes tell.
    [[nodiscard]] FlowFields fields() const noexcept { return fields_; }
    /// Bytes of the shortest record; of every record unless one is_variable. At least 1.
    [[nodiscard]] std::size_t record_bytes() const noexcept { return record_bytes_; }
    [[nodiscard]] bool is_variable() const noexcept { return !lengths_.empty(); }
    [[nodiscard]] bool needs_uptime() const noexcept { return needs_uptime_; }
    /// What it takes in memory, about.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// Decodes `rows.count` records of record_bytes(). Not for variable ones.
    void run(const Rows& rows) const;
    /// The length of the record that `rest` begins with; nullopt if it does not fit.
    [[nodiscard]] std::optional<std::size_t> measure(ByteReader rest) const;
    /// Decodes the variable record that `rest` begins with. False, and `out` half written, if it does not
    /// fit.
    bool run_variable(ByteReader& rest, const SetContext& context, FlowRecord& out) const;

    /// Fields that a template may have at most, whatever Decoder::Options allow.
    static constexpr std::size_t kMostFields = 1024;

private:
    Program() = default;

    std::vector<Column> columns_;
    std::vector<std::uint16_t> lengths_;  ///< of each field, where some are variable
    std::size_t record_bytes_ = 0;
    FlowFields fields_;
    bool needs_uptime_ = false;
};

}  // namespace cam::decode
