#pragma once

#include <vector>

#include "app/settings.h"
#include "app/settings_reader.h"

namespace cam::app {

/// Checks `flow.listen`: none is an error. One whose datagrams another takes as well (the same twice, or
/// beside the one for all addresses) is left out of `listen` with a warning, since no two can have the same
/// port.
void check_flow_listen(SettingsReader& reader, std::vector<ListenAddress>& listen);

}  // namespace cam::app
