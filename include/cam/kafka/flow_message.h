#pragma once

#include <string>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::kafka {

/// Appends one FlowMessage as GoFlow2 (versions 2 and 3, `-format bin`) puts it into Kafka: protobuf with the
/// field numbers of its pb/flow.proto, behind its own length as a varint. `received` decides the minute. A
/// rate that nobody told is left out, so that the reader's default for the router counts; what FlowMessage
/// has no field for (direction, sampler) is left out too. sequence_num is not known of a record. At most 300
/// bytes. Pure.
void append_flow_message(const ExporterKey& exporter, WallTime received, const FlowRecord& record,
                         std::string& out);

}  // namespace cam::kafka
