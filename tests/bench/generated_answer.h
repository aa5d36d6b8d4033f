#pragma once

#include <cstddef>
#include <string>

namespace cam::bench {

/// What Cloudflare answers while one attack runs: `rows` rows of 25 fields (23 dimensions, 2 sums), one
/// attack id, spread over 15 minutes, each an event of its own; of 10,000 rows some 8,000 sources, half of
/// which the GeoIP fixtures know or which are private. The same arguments give the same bytes; another
/// `series` has other times and thus other events.
[[nodiscard]] std::string generated_answer(std::size_t rows, unsigned series);

}  // namespace cam::bench
