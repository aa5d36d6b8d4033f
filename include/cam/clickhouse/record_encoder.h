#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::clickhouse {

/// Flow records on their way into `raw`: column after column, each with one value of fixed width per row.
/// RecordWriter makes a block for the server of them.
struct EncodedRecords {
    std::string bytes{};
    std::size_t rows = 0;
    std::string collector{};  ///< of all these rows
};

/// Turns flow records into columns. Pure: no clock, no input or output. Any number may work at the same time,
/// each of one thread; a flow worker owns one.
class RecordEncoder {
public:
    /// `collector` is the name by which the reader tells sources apart (MinuteReader::progress): the host's
    /// name, say, and the worker's number. At most 255 bytes of it are kept.
    explicit RecordEncoder(std::string_view collector);
    /// Appends one row per record. `received`: when the datagram came; it decides the minute. About 200 bytes
    /// a row. Cheaper for many records at once.
    void add(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records);
    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::size_t bytes() const noexcept;
    /// What was added since the last call.
    EncodedRecords take();

private:
    std::string collector_;
    std::vector<std::string> columns_;
    std::size_t rows_ = 0;
};

}  // namespace cam::clickhouse
