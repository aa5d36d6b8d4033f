#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cam/enrich/geo_databases.h"
#include "cam/model/message.h"
#include "cam/model/mitigation_event.h"
#include "cam/notify/render.h"

namespace cam::app {

/// Makes the messages about new events: enriches their sources, groups them by attack, renders. One thread at
/// a time; the databases must outlive it.
class Composer {
public:
    struct Options {
        std::string organization;
        std::uint64_t aggregate_above = 3;
    };
    Composer(const enrich::GeoDatabases& geo, Options options) : geo_(geo), options_(std::move(options)) {}

    /// The messages for `events` at positions `fresh`: one for each event of an attack, or one for the attack
    /// if it has more than `aggregate_above` of them.
    [[nodiscard]] std::vector<Message> compose(const std::vector<MitigationEvent>& events,
                                               const std::vector<std::size_t>& fresh,
                                               std::optional<GeoEdition::Type> geoip) const;

private:
    const enrich::GeoDatabases& geo_;
    Options options_;
};

}  // namespace cam::app
