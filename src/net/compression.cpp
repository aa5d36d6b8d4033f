#include "cam/net/compression.h"

#include <zstd.h>

#include <spdlog/fmt/fmt.h>

namespace cam::net {

Result<std::string> compress_zstd(std::string_view bytes) {
    constexpr int kFast = 1;
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kFast);
    if (ZSTD_isError(size) != 0) {
        return Error{ErrorCode::kInternal, fmt::format("cannot compress: {}", ZSTD_getErrorName(size))};
    }
    out.resize(size);
    out.shrink_to_fit();  // the bound is more than the bytes themselves
    return out;
}

}  // namespace cam::net
