#pragma once

#include "cam/base/byte_reader.h"
#include "decode/record_batch.h"
#include "decode/sflow_exporter.h"

namespace cam::decode {

/// Decodes one sFlow datagram (sflow.org/sflow_version_5.txt) from its version field on. Each flow sample,
/// compact or expanded, gives one flow record: one packet of its frame length (with the layer 2 header and
/// the FCS, and with what the agent stripped, as the frame length has them; of layer 3 where only a sampled
/// IPv4 or IPv6 record tells a length), with the sample's own rate. All records of the sample that are
/// understood are merged into it: a raw header wins over a sampled IPv4 or IPv6 record, an extended record
/// over the header's VLAN.
///
/// Counted, and no flow records: counter samples; discarded packets (sflow.org/sflow_drops.txt), since they
/// are notifications without a rate of packets that the flow samples cover already. Versions 2 and 4 and
/// samples of other formats: kUnsupported. A sample whose lengths do not fit is left out (kMalformed) and its
/// neighbours are not; an extended record that does not fit is left out of its sample.
///
/// Adds to `report` and `batch` what `batch.end()` does not; `exporter` must be the sender's. Allocates
/// nothing but the exporter's state, as far as there is `room`. One thread at a time.
void decode_sflow(ByteReader datagram, RecordBatch& batch, DecodeReport& report, SflowExporter& exporter,
                  const SflowExporter::Room& room);

}  // namespace cam::decode
