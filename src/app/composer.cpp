#include "app/composer.h"

#include <unordered_map>

#include "cam/model/special_purpose.h"
#include "cam/rules/event_filter.h"

namespace cam::app {

std::vector<Message> Composer::compose(const std::vector<MitigationEvent>& events,
                                       const std::vector<std::size_t>& fresh,
                                       std::optional<GeoEdition::Type> geoip) const {
    std::unordered_map<IpAddress, Place> known;
    const auto place_of = [&](const IpAddress& address) {
        const auto [entry, is_new] = known.try_emplace(address);
        if (is_new) entry->second = geo_.find(address);
        return entry->second;
    };
    const notify::RenderOptions render{
        .organization = options_.organization, .geoip = geoip, .place_of = place_of};
    std::vector<Message> messages;
    for (const std::vector<std::size_t>& attack : rules::group_by_attack(events, fresh)) {
        std::vector<notify::EventNotice> notices;
        notices.reserve(attack.size());
        for (const std::size_t position : attack) {
            const MitigationEvent& event = events[position];
            notices.push_back({&event, event.source ? special_purpose(*event.source) : std::nullopt});
        }
        if (attack.size() > options_.aggregate_above) {
            messages.push_back(notify::render_attack(notices, render));
        } else {
            for (const notify::EventNotice& one : notices)
                messages.push_back(notify::render_event(one, render));
        }
    }
    return messages;
}

}  // namespace cam::app
