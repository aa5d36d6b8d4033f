#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <unordered_set>

#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "cam/model/exporter.h"
#include "decode/exporter_state.h"

namespace cam::decode {

/// The exporters that are known, bounded. UDP sources can be forged, so who gives way to whom is the point:
/// first those that never sent a flow record, the one silent longest first; then those that have not for
/// long; pinned ones never. One thread at a time.
class ExporterTable {
public:
    explicit ExporterTable(const Decoder::Options& options) : options_(options) {}

    /// nullptr: not known.
    ExporterState* find(const ExporterKey& key);
    /// Known or made; nullptr if nobody gives way. Notes that it was seen. What an exporter that gave way
    /// held is counted in `report`. Valid until another exporter is added.
    ExporterState* find_or_add(const ExporterKey& key, SteadyTime now, DecodeReport& report);
    /// Takes an exporter over from a saved state, as one that was decoding until `now`. False if it is known
    /// already or nobody gives way.
    bool adopt(ExporterState&& state, SteadyTime now);
    /// Notes that flow records of it were decoded.
    void mark_decoding(ExporterState& state, SteadyTime now);
    void pin(std::span<const ExporterKey> keys);

    /// Whether what is kept of strangers leaves room for more. Others than `asker` give way for
    /// it.
    bool has_room_for(const ExporterState& asker, SteadyTime now, DecodeReport& report);
    /// An exporter's memory_bytes() are now `after` instead of `before`.
    void account(const ExporterState& state, std::size_t before, std::size_t after);

    [[nodiscard]] bool has_room_to_hold(std::size_t bytes) const {
        return held_bytes_ + bytes <= options_.held_bytes;
    }
    void hold(ExporterState& state, HeldSet&& set);
    /// Takes out the sets that `pick` says yes to.
    template <typename Pick>
    std::vector<HeldSet> take_held(ExporterState& state, Pick pick) {
        std::vector<HeldSet> taken;
        for (HeldSet& set : state.held) {
            if (pick(set)) taken.push_back(std::move(set));
        }
        if (taken.empty()) return taken;
        std::erase_if(state.held, [](const HeldSet& set) { return set.body.empty(); });
        for (const HeldSet& set : taken) {
            state.held_bytes -= set.body.size();
            held_bytes_ -= set.body.size();
        }
        return taken;
    }
    /// Drops what was held too long, and counts it.
    void expire_held(ExporterState& state, SteadyTime now, DecodeReport& report);

    template <typename Visit>
    void each(Visit visit) {
        for (auto* const list : {&pinned_, &decoding_, &fresh_}) {
            for (ExporterState& state : *list) visit(state);
        }
    }

private:
    using List = std::list<ExporterState>;
    List& list_of(const ExporterState& state);
    void move_to_its_list(List::iterator place, List& from);
    /// False if nobody gives way.
    bool evict(const ExporterState* asker, SteadyTime now, DecodeReport& report);
    void erase(List& list, List::iterator place, DecodeReport& report);

    const Decoder::Options options_;
    List pinned_;
    List decoding_;  ///< strangers that flow records came of, the one silent longest in front
    List fresh_;     ///< other strangers, likewise
    std::unordered_map<ExporterKey, List::iterator> index_;
    std::unordered_set<ExporterKey> pinned_keys_;
    std::size_t held_bytes_ = 0;
    std::size_t stranger_bytes_ = 0;
};

}  // namespace cam::decode
