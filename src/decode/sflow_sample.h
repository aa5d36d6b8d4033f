#pragma once

#include <cstdint>

#include "cam/base/byte_reader.h"
#include "cam/decode/decoder.h"
#include "cam/model/flow_record.h"

namespace cam::decode {

/// What the flow records of one sFlow sample say, merged into `record` (see sflow.h); `count` is how many the
/// sample claims to hold. False if the sample cannot be trusted: its records do not fit, or that which holds
/// the packet is cut. An extended record that is cut is counted in `report` and left out.
bool read_sampled_packet(ByteReader records, std::uint32_t count, FlowRecord& record, DecodeReport& report);

}  // namespace cam::decode
