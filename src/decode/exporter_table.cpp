#include "decode/exporter_table.h"

#include <algorithm>

namespace cam::decode {
namespace {

void drop_held(ExporterState& state, std::size_t sets, DecodeReport& report) {
    report.dropped[static_cast<std::size_t>(DropReason::kNoTemplate)] += sets;
    state.dropped[static_cast<std::size_t>(DropReason::kNoTemplate)] += sets;
}

}  // namespace

ExporterTable::List& ExporterTable::list_of(const ExporterState& state) {
    if (state.is_pinned) return pinned_;
    return state.has_decoded ? decoding_ : fresh_;
}

ExporterState* ExporterTable::find(const ExporterKey& key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &*found->second;
}

ExporterState* ExporterTable::find_or_add(const ExporterKey& key, SteadyTime now, DecodeReport& report) {
    if (const auto found = index_.find(key); found != index_.end()) {
        List& list = list_of(*found->second);
        list.splice(list.end(), list, found->second);
        found->second->last_seen = now;
        return &*found->second;
    }
    const bool is_pinned = pinned_keys_.contains(key);
    if (!is_pinned && decoding_.size() + fresh_.size() >= options_.exporters &&
        !evict(nullptr, now, report)) {
        return nullptr;
    }
    List& list = is_pinned ? pinned_ : fresh_;
    ExporterState& made = list.emplace_back(key);
    made.is_pinned = is_pinned;
    made.last_seen = now;
    index_.emplace(key, std::prev(list.end()));
    return &made;
}

bool ExporterTable::adopt(ExporterState&& state, SteadyTime now) {
    if (index_.contains(state.key)) return false;
    DecodeReport unused;
    ExporterState* const made = find_or_add(state.key, now, unused);
    if (made == nullptr) return false;
    state.is_pinned = made->is_pinned;
    state.last_seen = now;
    *made = std::move(state);
    account(*made, 0, made->memory_bytes());
    mark_decoding(*made, now);
    return true;
}

void ExporterTable::mark_decoding(ExporterState& state, SteadyTime now) {
    state.last_decoded = now;
    if (state.has_decoded) return;
    List& from = list_of(state);
    state.has_decoded = true;
    List& to = list_of(state);
    if (&from != &to) to.splice(to.end(), from, index_.at(state.key));
}

void ExporterTable::pin(std::span<const ExporterKey> keys) {
    pinned_keys_ = {keys.begin(), keys.end()};
    stranger_bytes_ = 0;
    for (const auto& [key, place] : index_) {
        List& from = list_of(*place);
        place->is_pinned = pinned_keys_.contains(key);
        List& to = list_of(*place);
        if (&from != &to) to.splice(to.begin(), from, place);
        if (!place->is_pinned) stranger_bytes_ += place->memory_bytes();
    }
}

bool ExporterTable::evict(const ExporterState* asker, SteadyTime now, DecodeReport& report) {
    for (List* const list : {&fresh_, &decoding_}) {
        auto oldest = list->begin();
        if (oldest != list->end() && &*oldest == asker) ++oldest;
        if (oldest == list->end()) continue;
        if (oldest->has_decoded && now - oldest->last_decoded < options_.exporter_idle) continue;
        erase(*list, oldest, report);
        ++report.evicted_exporters;
        return true;
    }
    return false;
}

void ExporterTable::erase(List& list, List::iterator place, DecodeReport& report) {
    drop_held(*place, place->held.size(), report);
    held_bytes_ -= place->held_bytes;
    stranger_bytes_ -= place->memory_bytes();
    index_.erase(place->key);
    list.erase(place);
}

bool ExporterTable::has_room_for(const ExporterState& asker, SteadyTime now, DecodeReport& report) {
    if (asker.is_pinned) return true;
    while (stranger_bytes_ >= options_.stranger_bytes) {
        if (!evict(&asker, now, report)) return false;
    }
    return true;
}

void ExporterTable::account(const ExporterState& state, std::size_t before, std::size_t after) {
    if (!state.is_pinned) stranger_bytes_ = stranger_bytes_ - before + after;
}

void ExporterTable::hold(ExporterState& state, HeldSet&& set) {
    state.held_bytes += set.body.size();
    held_bytes_ += set.body.size();
    state.held.push_back(std::move(set));
}

void ExporterTable::expire_held(ExporterState& state, SteadyTime now, DecodeReport& report) {
    if (state.held.empty()) return;
    const auto too_old = [&](const HeldSet& set) { return now - set.since >= options_.held_for; };
    drop_held(state, take_held(state, too_old).size(), report);
}

}  // namespace cam::decode
