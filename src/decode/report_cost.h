#pragma once

#include <cstddef>

#include "cam/decode/decoder.h"

namespace cam::decode {

/// What a row of ExporterReport::sampling takes in two reports: the one that is shown and the next. Whoever
/// keeps what becomes a row counts this with it, so that strangers cannot grow the reports either.
inline constexpr std::size_t kReportedRowBytes = 2 * sizeof(ExporterReport::Sampling);

}  // namespace cam::decode
