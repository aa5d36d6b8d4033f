#include "app/composer.h"

#include "cam/model/special_purpose.h"
#include "cam/rules/event_filter.h"

namespace cam::app {

std::vector<Message> Composer::compose(const std::vector<MitigationEvent>& events,
                                       const std::vector<std::size_t>& fresh,
                                       std::optional<GeoEdition::Type> geoip) const {
    const notify::RenderOptions render{.organization = options_.organization, .geoip = geoip};
    Sources known;
    std::vector<Message> messages;
    for (const std::vector<std::size_t>& attack : rules::group_by_attack(events, fresh)) {
        std::vector<notify::EventNotice> notices;
        notices.reserve(attack.size());
        for (const std::size_t position : attack) notices.push_back(notice(events[position], known));
        if (attack.size() > options_.aggregate_above) {
            messages.push_back(notify::render_attack(notices, render));
        } else {
            for (const notify::EventNotice& one : notices)
                messages.push_back(notify::render_event(one, render));
        }
    }
    return messages;
}

notify::EventNotice Composer::notice(const MitigationEvent& event, Sources& known) const {
    if (!event.source) return {.event = &event, .place = {}, .spoofed = std::nullopt};
    const auto [entry, is_new] = known.try_emplace(*event.source);
    if (is_new) {
        entry->second.spoofed = special_purpose(*event.source);
        if (!entry->second.spoofed) entry->second.place = geo_.find(*event.source);
    }
    return {.event = &event, .place = entry->second.place, .spoofed = entry->second.spoofed};
}

}  // namespace cam::app
