#include "cam/rules/event_filter.h"

#include <cstring>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "cam/base/check.h"

namespace cam::rules {
namespace {

std::vector<Prefix> joined(std::vector<Prefix> prefixes, const std::vector<Prefix>& more) {
    prefixes.insert(prefixes.end(), more.begin(), more.end());
    return prefixes;
}

std::size_t combine(std::size_t seed, std::size_t more) {
    return seed ^ (more + 0x9e3779b97f4a7c15ULL + (seed << 6U) + (seed >> 2U));
}

struct HashIdentity {
    /// An event's hash is a SHA-256: any eight bytes of it are as good as another hash of it.
    std::size_t operator()(const EventHash& identity) const noexcept {
        std::size_t head = 0;
        std::memcpy(&head, identity.data(), sizeof head);
        return head;
    }
};

/// A row as Cloudflare sent it. Points into the events.
struct RawRow {
    const EventHash* identity;
    std::string_view json;
    friend bool operator==(const RawRow& a, const RawRow& b) {
        return *a.identity == *b.identity && a.json == b.json;
    }
};

struct HashRawRow {
    std::size_t operator()(const RawRow& row) const noexcept {
        return combine(HashIdentity{}(*row.identity), std::hash<std::string_view>{}(row.json));
    }
};

/// Unknown plus known is known; two known ones saturate, for both came off the wire.
void add(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& more) {
    if (!more) return;
    const std::uint64_t before = sum.value_or(0);
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    sum = before > kMost - *more ? kMost : before + *more;
}

/// Cloudflare writes "nothing" in four ways: no key, null, "" and `Unknown`.
std::string_view known_text(MaybeText text) {
    if (!text || *text == "Unknown") return {};
    return *text;
}

/// What makes events one attack: the attack id, or else the rest. Points into the events.
struct AttackKey {
    std::string_view attack_id;
    std::optional<IpAddress> target;
    std::string_view target_text;  ///< where the target is no address
    std::string_view vector;
    std::string_view rule;
    friend bool operator==(const AttackKey&, const AttackKey&) = default;
};

struct HashAttackKey {
    std::size_t operator()(const AttackKey& key) const noexcept {
        constexpr std::hash<std::string_view> kHash;
        std::size_t seed = kHash(key.attack_id);
        seed = combine(seed, key.target ? std::hash<IpAddress>{}(*key.target) : kHash(key.target_text));
        return combine(combine(seed, kHash(key.vector)), kHash(key.rule));
    }
};

AttackKey attack_key(const MitigationEvent& event) {
    AttackKey key;
    key.attack_id = known_text(event.attack_id);
    if (!key.attack_id.empty()) return key;
    key.target = event.destination;
    if (!key.target) key.target_text = known_text(event.destination_ip);
    key.vector = known_text(event.attack_vector);
    key.rule = known_text(event.rule_id);
    if (key.rule.empty()) key.rule = known_text(event.rule_name);
    return key;
}

/// Decides which rows stay: adds the others into the first of their identity. Moves nothing.
class IdentityMerger {
public:
    explicit IdentityMerger(std::vector<MitigationEvent>& events) : events_(events) {
        first_.reserve(events.size());
    }

    /// True if the row at that position is the first of its identity and stays.
    bool take(std::size_t position) {
        MitigationEvent& event = events_[position];
        const auto [found, is_first] = first_.try_emplace(event.hash, position);
        if (is_first) return true;
        MitigationEvent& first = events_[found->second];
        note(first);
        if (!note(event)) return false;
        add(first.packets, event.packets);
        add(first.bits, event.bits);
        ++added_;
        return false;
    }
    [[nodiscard]] std::uint64_t added() const noexcept { return added_; }

private:
    /// False if an equal row was seen before. Only rows that share an identity come here, so that the usual
    /// answer, in which none do, costs no hash of its JSON.
    bool note(const MitigationEvent& event) {
        return event.raw.empty() || rows_.insert({&event.hash, event.raw}).second;
    }

    std::vector<MitigationEvent>& events_;  // outlives this object
    std::unordered_map<EventHash, std::size_t, HashIdentity> first_;
    std::unordered_set<RawRow, HashRawRow> rows_;
    std::uint64_t added_ = 0;
};

}  // namespace

EventFilter::EventFilter(const Options& options)
    : mine_(options.mine),
      all_(joined(options.mine, options.cloudflare_anycast)),
      min_packets_(options.min_packets) {}

Verdict EventFilter::judge(const MitigationEvent& event, Scope scope) const {
    const PrefixSet& watched = scope == Scope::kMine ? mine_ : all_;
    if (!event.destination || !watched.contains(*event.destination)) return Verdict::kForeign;
    if (event.packets && *event.packets < min_packets_) return Verdict::kBelowThreshold;
    return Verdict::kNotify;
}

std::uint64_t merge_same_identity(std::vector<MitigationEvent>& events) {
    IdentityMerger merger(events);
    std::vector<bool> stays(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) stays[i] = merger.take(i);

    std::size_t end = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!stays[i]) continue;
        if (end != i) events[end] = std::move(events[i]);
        ++end;
    }
    events.erase(events.begin() + static_cast<std::ptrdiff_t>(end), events.end());
    return merger.added();
}

std::vector<std::vector<std::size_t>> group_by_attack(const std::vector<MitigationEvent>& events,
                                                      const std::vector<std::size_t>& chosen) {
    std::vector<std::vector<std::size_t>> attacks;
    std::unordered_map<AttackKey, std::size_t, HashAttackKey> places;
    places.reserve(chosen.size());
    for (const std::size_t position : chosen) {
        check(position < events.size(), "group_by_attack: a chosen position beyond the events");
        const auto [place, is_new] = places.try_emplace(attack_key(events[position]), attacks.size());
        if (is_new) attacks.emplace_back();
        attacks[place->second].push_back(position);
    }
    return attacks;
}

}  // namespace cam::rules
