#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"
#include "cam/base/time_text.h"
#include "cam/notify/render.h"
#include "notify/amounts.h"
#include "notify/layout.h"
#include "notify/markdown.h"
#include "notify/origin.h"

namespace cam::notify {
namespace {

constexpr std::size_t kTopSources = 3;
constexpr std::size_t kTopEdges = 5;
constexpr std::size_t kMostVectors = 10;

/// The address, or where it is none the text as it came.
struct SourceKey {
    std::optional<IpAddress> address;
    MaybeText text;
    explicit SourceKey(const MitigationEvent& event)
        : address(event.source), text(event.source ? MaybeText{} : event.source_ip) {}
    friend bool operator==(const SourceKey&, const SourceKey&) = default;
};

struct HashSourceKey {
    std::size_t operator()(const SourceKey& key) const noexcept {
        return key.address ? std::hash<IpAddress>{}(*key.address) : std::hash<std::string_view>{}(*key.text);
    }
};

struct Source {
    std::uint64_t packets = 0;
    bool spoofed = false;
};
using Sources = std::unordered_map<SourceKey, Source, HashSourceKey>;

using Colo = std::array<std::string_view, 3>;  ///< code, city, country
using PacketsByText = std::map<std::string, std::uint64_t>;

/// What all events of an attack add up to. Keys are texts as they came, views into the events: they repeat
/// from event to event, and are cleaned once instead of for each.
struct Totals {
    std::set<std::string_view> attack_ids;
    Sources sources;
    std::map<std::string_view, std::uint64_t> packets_by_vector;
    std::map<Colo, std::uint64_t> packets_by_colo;
    std::optional<WallTime> first;
    std::optional<WallTime> last;
    std::optional<std::uint64_t> packets;
    std::optional<std::uint64_t> bits;
};

void add_to(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& number) {
    if (number) sum = add_saturating(sum.value_or(0), *number);
}

void add_source(Sources& sources, const EventNotice& notice, std::uint64_t packets) {
    const SourceKey key(*notice.event);
    const auto found = sources.find(key);
    if (found == sources.end() && !address_text(key.address, key.text)) return;
    Source& source = found == sources.end() ? sources.try_emplace(key).first->second : found->second;
    source.packets = add_saturating(source.packets, packets);
    source.spoofed = source.spoofed || notice.spoofed.has_value();
}

Totals add_up(const std::vector<EventNotice>& notices) {
    Totals totals;
    totals.sources.reserve(notices.size());
    for (const EventNotice& notice : notices) {
        check(notice.event != nullptr, "render_attack needs events");
        const MitigationEvent& event = *notice.event;
        const std::uint64_t packets = event.packets.value_or(0);
        const auto add_packets = [packets](std::uint64_t& sum) { sum = add_saturating(sum, packets); };
        totals.attack_ids.insert(*event.attack_id);
        add_source(totals.sources, notice, packets);
        add_packets(totals.packets_by_vector.try_emplace(*event.attack_vector).first->second);
        const Colo colo{*event.colo_code, *event.colo_city, *event.colo_country};
        add_packets(totals.packets_by_colo.try_emplace(colo).first->second);
        if (event.time) {
            totals.first = std::min(totals.first.value_or(*event.time), *event.time);
            totals.last = std::max(totals.last.value_or(*event.time), *event.time);
        }
        add_to(totals.packets, event.packets);
        add_to(totals.bits, event.bits);
    }
    return totals;
}

/// `SOF (BG)`; the city stands for a colo without a code.
std::optional<std::string> edge_text(const Colo& colo) {
    const auto& [code, city, its_country] = colo;
    std::optional<std::string> place = shown(code, kCodeCap);
    if (!place) place = shown(city, kWordCap);
    auto country = country_code(its_country);
    if (!place) return country;
    if (!country) return place;
    return fmt::format("{} ({})", *place, *country);
}

/// Adds up what looks the same once `text_of` has made it a text to show; what it cannot is left out.
template <typename Key, typename TextOf>
PacketsByText shown_texts(const std::map<Key, std::uint64_t>& packets, TextOf text_of) {
    PacketsByText shown_packets;
    for (const auto& [key, count] : packets) {
        const std::optional<std::string> text = text_of(key);
        if (!text) continue;
        std::uint64_t& sum = shown_packets.try_emplace(*text).first->second;
        sum = add_saturating(sum, count);
    }
    return shown_packets;
}

std::size_t distinct_ids(const Totals& totals) {
    std::set<std::string> ids;
    for (const std::string_view sent : totals.attack_ids) {
        if (auto id = shown(sent, kNameCap)) ids.insert(std::move(*id));
    }
    return ids.size();
}

/// By packets, most first; ties stay in the order of their texts.
Lines escaped_names(const PacketsByText& all) {
    std::vector<std::pair<std::string, std::uint64_t>> rows(all.begin(), all.end());
    std::stable_sort(rows.begin(), rows.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    Lines names;
    for (const auto& row : rows) names.push_back(escape_text(row.first));
    return names;
}

Lines summary_lines(const Totals& totals, std::size_t events) {
    const auto spoofed = std::count_if(totals.sources.begin(), totals.sources.end(),
                                       [](const auto& row) { return row.second.spoofed; });
    Lines lines{"📦 *Events:* " + thousands(events)};
    if (const std::size_t ids = distinct_ids(totals); ids > 0)
        lines.push_back("🆔 *Attack IDs:* " + thousands(ids));
    if (!totals.sources.empty()) lines.push_back("📍 *Unique Sources:* " + thousands(totals.sources.size()));
    if (spoofed > 0)
        lines.push_back(fmt::format("⚠️ *Spoofed IPs:* {}/{}",
                                    thousands(static_cast<std::uint64_t>(spoofed)),
                                    thousands(totals.sources.size())));
    return lines;
}

Lines time_lines(const Totals& totals) {
    if (!totals.first || !totals.last) return {};
    return {"🕐 *From:* " + code(european_time(*totals.first)),
            "🕑 *To:* " + code(european_time(*totals.last))};
}

Lines metric_lines(const Totals& totals) {
    Lines lines;
    if (totals.packets) lines.push_back("📦 *Packets Dropped:* " + thousands(*totals.packets));
    if (totals.bits) lines.push_back("📈 *Data Blocked:* " + volume(*totals.bits, "b"));
    return lines;
}

/// The first that is known of a source's place and network; its events may know more than one another.
std::string place_text(const SourceKey& key, const std::vector<EventNotice>& notices,
                       const RenderOptions& options) {
    std::optional<std::string> country;
    std::optional<std::uint32_t> asn;
    for (const EventNotice& notice : notices) {
        if (country && asn) break;
        if (!(SourceKey(*notice.event) == key)) continue;
        const Origin origin = origin_of(*notice.event, options);
        if (!country) country = origin.country_code ? origin.country_code : origin.country;
        if (!asn) asn = origin.asn;
    }
    std::string text;
    if (country) text += " 🌍 " + escape_text(*country);
    if (asn) text += fmt::format(" (AS{})", *asn);
    return text;
}

/// The largest sources only, ties by address: how many there are stands in the summary.
Lines source_lines(const Totals& totals, const std::vector<EventNotice>& notices,
                   const RenderOptions& options) {
    std::vector<const Sources::value_type*> rows;
    rows.reserve(totals.sources.size());
    for (const auto& row : totals.sources) rows.push_back(&row);
    const auto last_shown = rows.begin() + static_cast<std::ptrdiff_t>(std::min(kTopSources, rows.size()));
    std::partial_sort(rows.begin(), last_shown, rows.end(), [](const auto* a, const auto* b) {
        if (a->second.packets != b->second.packets) return a->second.packets > b->second.packets;
        return address_text(a->first.address, a->first.text) < address_text(b->first.address, b->first.text);
    });
    Lines lines;
    for (auto row = rows.begin(); row != last_shown; ++row) {
        const auto& [key, source] = **row;
        lines.push_back("• " + code(address_text(key.address, key.text).value_or("")));
        lines.back() += source.spoofed ? " ⚠️ _Spoofed_" : place_text(key, notices, options);
    }
    return lines;
}

}  // namespace

Message render_attack(const std::vector<EventNotice>& notices, const RenderOptions& options) {
    const Totals totals = add_up(notices);
    Lines vectors = escaped_names(shown_texts(
        totals.packets_by_vector, [](std::string_view vector) { return shown(vector, kNameCap); }));
    if (vectors.empty()) vectors.emplace_back("Generic DDoS");
    const Lines edges = escaped_names(shown_texts(totals.packets_by_colo, edge_text));
    const Lines sources = source_lines(totals, notices, options);
    const auto make = [&](std::size_t most_vectors) {
        Lines vector_lines;
        add_bullets(vector_lines, vectors, most_vectors);
        Layout layout;
        layout.add({"🚨 *BULK MITIGATION EVENTS*"});
        layout.add("📊 *SUMMARY*", summary_lines(totals, notices.size()));
        layout.add("⏱️ *TIME RANGE*", time_lines(totals));
        layout.add("⚔️ *ATTACK VECTORS*", vector_lines);
        layout.add("📊 *TOTAL METRICS*", metric_lines(totals));
        layout.add("📤 *TOP SOURCE IPs*", sources);
        if (!edges.empty()) layout.add("🌍 *EDGE LOCATIONS*", {join(edges, ", ", kTopEdges)});
        layout.add({footer("Network Analytics Monitor", options, Footer::kWithGeoip)});
        return layout.text();
    };
    return {MessageKind::kAttack, shorten_lists(kMostVectors, make)};
}

}  // namespace cam::notify
