#pragma once

#include <string>

#include "cam/base/result.h"

namespace cam::app {

/// Root that works in a folder of somebody else becomes that somebody, so that it leaves no files behind
/// which the service could not open. Call before anything is opened and before any thread is made; the
/// settings and their secrets must have been read. Does nothing for others, and where the folder does not
/// exist yet.
Status become_owner_of(const std::string& database);

}  // namespace cam::app
