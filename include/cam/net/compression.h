#pragma once

#include <string>
#include <string_view>

#include "cam/base/result.h"

namespace cam::net {

/// `bytes` as one Zstandard frame (RFC 8878), fast rather than small: a body with `Content-Encoding: zstd`.
/// kInternal: no memory.
Result<std::string> compress_zstd(std::string_view bytes);

}  // namespace cam::net
