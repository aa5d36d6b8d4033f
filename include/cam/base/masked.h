#pragma once

#include <string>

#include "cam/base/secret.h"

namespace cam {

/// The text with `***` in place of the secret, for words of a server that may echo it. Safe from any thread.
[[nodiscard]] std::string masked(std::string text, const Secret& secret);

}  // namespace cam
