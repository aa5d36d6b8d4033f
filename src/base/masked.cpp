#include "cam/base/masked.h"

#include <string_view>

namespace cam {

std::string masked(std::string text, const Secret& secret) {
    constexpr std::string_view kMask = "***";
    if (secret.empty()) return text;
    for (std::size_t at = text.find(secret.reveal()); at != std::string::npos;
         at = text.find(secret.reveal(), at + kMask.size())) {
        text.replace(at, secret.reveal().size(), kMask);
    }
    return text;
}

}  // namespace cam
