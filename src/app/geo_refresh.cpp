#include "app/geo_refresh.h"

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {

enrich::GeoState refresh_geo(enrich::GeoDatabases& geo, Conditions& conditions, const Logger& log) {
    enrich::GeoState state = geo.refresh();
    if (state.changed && state.edition()) {
        log->info("geoip databases opened city={} asn={} built={}", quote(state.city ? state.city->path : ""),
                  quote(state.asn ? state.asn->path : ""), rfc3339(state.edition()->built));
    }
    if (state.problems.empty()) {
        conditions.clear(Condition::kGeoIp, "geoip databases are complete", nullptr);
    } else {
        conditions.raise(
            Condition::kGeoIp,
            {.state = fmt::format("{}", fmt::join(state.problems, "; ")),
             .headline = "GeoIP is incomplete: sources are told without all of place and network",
             .details = state.problems},
            nullptr);
    }
    return state;
}

}  // namespace cam::app
