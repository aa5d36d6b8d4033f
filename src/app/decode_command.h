#pragma once

#include "app/command_line.h"

namespace cam::app {

/// `decode FILE [--summary]`: what the collector would make of the datagrams of a capture. The exit status.
[[nodiscard]] int run_decode(const Invocation& asked);

}  // namespace cam::app
