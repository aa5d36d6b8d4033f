#pragma once

#include "cam/base/byte_reader.h"
#include "decode/program.h"
#include "decode/set_decoder.h"

namespace cam::decode {

/// The layout of NetFlow v5's records, which no datagram describes.
[[nodiscard]] Program netflow5_program();

// Each decodes one datagram, from its version field on, into the place's batch and report.

/// NetFlow v5: `program` is netflow5_program().
void decode_netflow5(ByteReader datagram, const Program& program, const SetDecoder::Place& place);
/// NetFlow v9 (RFC 3954). The count in its header is not looked at: exporters disagree on what it counts.
void decode_netflow9(ByteReader datagram, const SetDecoder::Place& place);
/// IPFIX over UDP (RFC 7011): one message.
void decode_ipfix(ByteReader datagram, const SetDecoder::Place& place);

}  // namespace cam::decode
