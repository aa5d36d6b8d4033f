#include "cam/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace cam {

void check(bool holds, std::string_view what) {
    if (holds) [[likely]]
        return;
    std::fprintf(stderr, "internal error: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

}  // namespace cam
