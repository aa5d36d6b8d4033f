#include <algorithm>
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

struct Source {
    std::uint64_t packets = 0;
    bool spoofed = false;
    std::optional<std::string> country;
    std::optional<std::uint32_t> asn;
};

/// What all events of an attack add up to. Keys are cleaned texts.
struct Totals {
    std::set<std::string> attack_ids;
    std::unordered_map<std::string, Source> sources;
    std::map<std::string, std::uint64_t> packets_by_vector;
    std::map<std::string, std::uint64_t> packets_by_edge;
    std::optional<WallTime> first;
    std::optional<WallTime> last;
    std::optional<std::uint64_t> packets;
    std::optional<std::uint64_t> bits;
};

void add_packets(std::uint64_t& sum, const MitigationEvent& event) {
    sum = add_saturating(sum, event.packets.value_or(0));
}

void add_to(std::optional<std::uint64_t>& sum, const std::optional<std::uint64_t>& number) {
    if (number) sum = add_saturating(sum.value_or(0), *number);
}

void add_source(Totals& totals, const EventNotice& notice) {
    const auto address = address_text(notice.event->source, notice.event->source_ip);
    if (!address) return;
    Source& source = totals.sources.try_emplace(*address).first->second;
    add_packets(source.packets, *notice.event);
    source.spoofed = source.spoofed || notice.spoofed.has_value();
    // Only three sources are shown in the end; most need to be looked at but once.
    if (source.spoofed || (source.country && source.asn)) return;
    const Origin origin = origin_of(notice);
    if (!source.country) source.country = origin.country_code ? origin.country_code : origin.country;
    if (!source.asn) source.asn = origin.asn;
}

/// `SOF (BG)`; the city stands for a colo without a code.
std::optional<std::string> edge_text(const MitigationEvent& event) {
    std::optional<std::string> place = shown(event.colo_code, kCodeCap);
    if (!place) place = shown(event.colo_city, kWordCap);
    auto country = country_code(event.colo_country);
    if (!place) return country;
    if (!country) return place;
    return fmt::format("{} ({})", *place, *country);
}

Totals add_up(const std::vector<EventNotice>& notices) {
    Totals totals;
    for (const EventNotice& notice : notices) {
        check(notice.event != nullptr, "render_attack needs events");
        const MitigationEvent& event = *notice.event;
        if (const auto id = shown(event.attack_id, kNameCap)) totals.attack_ids.insert(*id);
        add_source(totals, notice);
        if (const auto vector = shown(event.attack_vector, kNameCap))
            add_packets(totals.packets_by_vector.try_emplace(*vector).first->second, event);
        if (const auto edge = edge_text(event))
            add_packets(totals.packets_by_edge.try_emplace(*edge).first->second, event);
        if (event.time) {
            totals.first = std::min(totals.first.value_or(*event.time), *event.time);
            totals.last = std::max(totals.last.value_or(*event.time), *event.time);
        }
        add_to(totals.packets, event.packets);
        add_to(totals.bits, event.bits);
    }
    return totals;
}

/// By packets, most first; ties stay in the order of their texts.
Lines escaped_names(const std::map<std::string, std::uint64_t>& all) {
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
    if (!totals.attack_ids.empty()) lines.push_back("🆔 *Attack IDs:* " + thousands(totals.attack_ids.size()));
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

std::string source_text(const std::string& address, const Source& source) {
    std::string text = code(address);
    if (source.spoofed) return text + " ⚠️ _Spoofed_";
    if (source.country) text += " 🌍 " + escape_text(*source.country);
    if (source.asn) text += fmt::format(" (AS{})", *source.asn);
    return text;
}

/// The largest sources only, ties by address: how many there are stands in the summary.
Lines source_lines(const Totals& totals) {
    std::vector<const std::pair<const std::string, Source>*> rows;
    rows.reserve(totals.sources.size());
    for (const auto& row : totals.sources) rows.push_back(&row);
    const std::size_t shown_rows = std::min(kTopSources, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown_rows), rows.end(),
                      [](const auto* a, const auto* b) {
                          if (a->second.packets != b->second.packets)
                              return a->second.packets > b->second.packets;
                          return a->first < b->first;
                      });
    Lines lines;
    for (std::size_t i = 0; i < shown_rows; ++i) {
        lines.push_back("• " + source_text(rows[i]->first, rows[i]->second));
    }
    return lines;
}

}  // namespace

Message render_attack(const std::vector<EventNotice>& notices, const RenderOptions& options) {
    const Totals totals = add_up(notices);
    Lines vectors = escaped_names(totals.packets_by_vector);
    if (vectors.empty()) vectors.emplace_back("Generic DDoS");
    const Lines edges = escaped_names(totals.packets_by_edge);
    const auto make = [&](std::size_t most_vectors) {
        Lines vector_lines;
        add_bullets(vector_lines, vectors, most_vectors);
        Layout layout;
        layout.add({"🚨 *BULK MITIGATION EVENTS*"});
        layout.add("📊 *SUMMARY*", summary_lines(totals, notices.size()));
        layout.add("⏱️ *TIME RANGE*", time_lines(totals));
        layout.add("⚔️ *ATTACK VECTORS*", vector_lines);
        layout.add("📊 *TOTAL METRICS*", metric_lines(totals));
        layout.add("📤 *TOP SOURCE IPs*", source_lines(totals));
        if (!edges.empty()) layout.add("🌍 *EDGE LOCATIONS*", {join(edges, ", ", kTopEdges)});
        layout.add({footer("Network Analytics Monitor", options, Footer::kWithGeoip)});
        return layout.text();
    };
    return {MessageKind::kAttack, shorten_lists(kMostVectors, make)};
}

}  // namespace cam::notify
