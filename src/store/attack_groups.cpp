#include "attack_groups.h"

#include <algorithm>
#include <utility>

#include "cam/base/time_text.h"

namespace cam::store {
namespace {

std::optional<WallTime> time_of(const std::string& text) {
    return text.empty() ? std::nullopt : parse_time(text);
}

}  // namespace

void Tally::add(std::string_view key, std::string_view name, const AttackRow& row) {
    if (key.empty()) return;
    auto entry = volumes_.find(key);
    if (entry == volumes_.end()) {
        if (volumes_.size() == kMostKept) {
            beyond_.try_emplace(TextHash{}(key), true);
            return;
        }
        entry = volumes_.try_emplace(std::string(key)).first;
    }
    if (entry->second.name.empty()) entry->second.name = name;
    store::add(entry->second.volume, row);
}

Breakdown Tally::breakdown(std::size_t most) const {
    std::vector<const std::pair<const std::string, Entry>*> order;
    order.reserve(volumes_.size());
    for (const auto& entry : volumes_) order.push_back(&entry);
    const std::size_t shown = std::min(most, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [](const auto* a, const auto* b) {
                          const DroppedVolume& left = a->second.volume;
                          const DroppedVolume& right = b->second.volume;
                          if (left.packets != right.packets) return left.packets > right.packets;
                          if (left.bits != right.bits) return left.bits > right.bits;
                          return a->first < b->first;
                      });
    Breakdown made;
    for (std::size_t i = 0; i < shown; ++i) {
        const auto& [key, entry] = *order[i];
        made.largest.push_back({.key = key,
                                .name = entry.name.empty() ? std::nullopt : std::optional{entry.name},
                                .volume = entry.volume});
    }
    made.left_out = count() - shown;
    return made;
}

void add_name(std::vector<std::string>& names, std::string_view name) {
    if (name.empty() || names.size() == Attack::kMostNames) return;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

void AttackGroup::add(const AttackRow& row) {
    add_name(vectors_, known(row.vector));
    add_name(rule_names_, known(row.rule_name).empty() ? known(row.rule_id) : known(row.rule_name));
    if (!row.datetime.empty()) {
        if (first_.empty() || row.datetime < first_) first_ = row.datetime;
        if (row.datetime > last_) {
            last_ = row.datetime;
            newest_event_ = row.id;
        }
    }
    if (newest_event_ == 0) newest_event_ = row.id;
    store::add(volume_, row);
    targets_.add(row.destination, {}, row);
    if (!row.source.empty()) sources_.push_back(TextHash{}(row.source));
}

Attack AttackGroup::attack() const {
    Attack made;
    made.attack_id = id_;
    made.vectors = vectors_;
    made.rule_names = rule_names_;
    made.first_seen = time_of(first_);
    made.last_seen = time_of(last_);
    made.volume = volume_;
    for (Share& target : targets_.breakdown(Attack::kMostTargets).largest) {
        made.targets.push_back(std::move(target.key));
    }
    made.target_count = targets_.count();
    std::vector<std::uint64_t> sources = sources_;
    std::sort(sources.begin(), sources.end());
    made.source_count =
        static_cast<std::uint64_t>(std::unique(sources.begin(), sources.end()) - sources.begin());
    made.newest_event = newest_event_;
    return made;
}

void AttackGroups::add(const AttackRow& row) {
    const std::string_view named = known(row.attack_id);
    if (!named.empty() && latest_ < groups_.size() && groups_[latest_].id() == named) {
        groups_[latest_].add(row);
        return;
    }
    const std::string id = attack_id_of(row);
    const auto [place, is_new] = places_.try_emplace(id, groups_.size());
    if (is_new) groups_.emplace_back(id);
    latest_ = place->second;
    groups_[latest_].add(row);
}

}  // namespace cam::store
