#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::clickhouse {

/// Flow records as rows of ClickHouse's format RowBinary, for the columns that `record_columns` names.
struct EncodedRecords {
    std::string bytes;
    std::size_t rows = 0;
};

/// The columns of the rows, as an INSERT names them.
[[nodiscard]] const std::string& record_columns();

/// Turns flow records into rows. Pure: no clock, no input or output. Any number may work at the same time,
/// each of one thread; a flow worker owns one.
class RecordEncoder {
public:
    /// `collector` is the name by which the reader tells sources apart (MinuteReader::progress): the host's
    /// name, say, and the worker's number. At most 255 bytes of it are kept.
    explicit RecordEncoder(std::string_view collector);
    /// Appends one row per record. `received`: when the datagram came; it decides the minute. About 200 bytes
    /// a row.
    void add(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records);
    [[nodiscard]] std::size_t rows() const noexcept { return encoded_.rows; }
    [[nodiscard]] std::size_t bytes() const noexcept { return encoded_.bytes.size(); }
    /// What was added since the last call.
    EncodedRecords take();

private:
    std::string collector_;  // length-prefixed, as it is written
    EncodedRecords encoded_;
};

}  // namespace cam::clickhouse
