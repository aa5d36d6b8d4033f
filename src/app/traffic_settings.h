#pragma once

#include "app/settings.h"
#include "app/settings_reader.h"

namespace cam::app {

/// Where traffic is kept and who judges it: the keys under `traffic`, but for the password. After those of
/// `flow`.
void read_traffic(SettingsReader& reader, Settings& settings);

}  // namespace cam::app
