#include "record_id.h"

#include <sys/random.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"

namespace cam::store {

std::string make_id(WallTime now) {
    constexpr std::uint64_t kTwelveDigits = 0xffff'ffff'ffff;
    std::array<unsigned char, 10> random{};
    // As few bytes as these come at once and cannot fail once the machine has started.
    const ssize_t got = getrandom(random.data(), random.size(), 0);
    check(got == static_cast<ssize_t>(random.size()), "the kernel gave no random bytes");
    std::string id =
        fmt::format("{:012x}", static_cast<std::uint64_t>(now.time_since_epoch().count()) & kTwelveDigits);
    for (const unsigned char byte : random) id += fmt::format("{:02x}", byte);
    return id;
}

}  // namespace cam::store
