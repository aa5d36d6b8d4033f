#pragma once

#include <string>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::app {

/// Appends one line: a JSON object of the record, and a line feed. The members up to `flow_end` are always
/// there, null where the record does not tell them; those behind only where it does (docs/operations.md lists
/// them). `received` is when the datagram came. Times are RFC 3339 in UTC with milliseconds.
void append_json_line(const ExporterKey& exporter, const FlowRecord& record, WallTime received,
                      std::string& out);

}  // namespace cam::app
