#pragma once

#include "app/conditions.h"
#include "cam/base/log.h"
#include "cam/enrich/geo_databases.h"

namespace cam::app {

/// Takes up GeoIP databases that changed on disk, and reports what is missing of them. Safe from any thread.
enrich::GeoState refresh_geo(enrich::GeoDatabases& geo, Conditions& conditions, const Logger& log);

}  // namespace cam::app
