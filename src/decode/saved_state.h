#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "decode/exporter_state.h"

namespace cam::decode {

// Templates and sampling of one exporter as bytes, in network order:
//   "CAMD", u8 version (1)
//   u32 templates, each: u8 protocol, u32 domain, u8 format, u16 length, the template record as it came
//   u32 rates, each: u8 protocol, u8 scope, u32 domain, u64 id, u32 rate
//   u32 boot times, each: u8 protocol, u32 domain, u64 milliseconds since 1970
//   u64 checksum (FNV-1a) of everything in front of it

[[nodiscard]] std::string save_state(const ExporterState& exporter);

/// Fills `exporter`, which is new, from bytes that anybody may have written: everything is read and bounded
/// as if it came from the network. False if they are damaged or of another version; `exporter` is of no use
/// then.
[[nodiscard]] bool restore_state(std::string_view bytes, const Decoder::Options& options, SteadyTime now,
                                 ExporterState& exporter);

}  // namespace cam::decode
