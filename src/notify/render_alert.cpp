#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/notify/render.h"
#include "notify/amounts.h"
#include "notify/country_names.h"
#include "notify/layout.h"
#include "notify/markdown.h"
#include "notify/origin.h"
#include "notify/traffic_words.h"

namespace cam::notify {
namespace {

constexpr std::size_t kMostListed = 5;
constexpr std::string_view kProgram = "Network Flow Monitor";

std::string_view type_words(RuleType type) {
    switch (type) {
        case RuleType::kThreshold:
            return "threshold";
        case RuleType::kZscore:
            return "z-score";
        case RuleType::kAdvancedDdos:
            return "advanced DDoS";
    }
    return "threshold";
}

Lines identity_lines(const Alert& alert, std::size_t most) {
    Lines lines;
    const std::string rule = shown(alert.rule_name, kNameCap).value_or(clean(alert.rule_id, kNameCap));
    lines.push_back(fmt::format("📋 *Rule:* {} ({})", escape_text(rule), type_words(alert.type)));
    Lines prefixes;
    for (const Prefix& prefix : alert.prefixes) prefixes.push_back(code(prefix.text()));
    if (prefixes.size() == 1) {
        lines.push_back("📥 *Prefix:* " + prefixes.front());
    } else if (!prefixes.empty()) {
        lines.push_back("📥 *Prefixes, summed:* " + join(prefixes, ", ", most));
    }
    if (const std::string id = clean(alert.id, kWordCap); !id.empty())
        lines.push_back("🆔 *Alert ID:* " + code(id));
    return lines;
}

/// `3.4 times`, `250 times`.
std::string times(double factor) {
    if (!std::isfinite(factor)) return {};
    return factor < 100 ? fmt::format("{:.1f} times", factor)
                        : fmt::format("{:.0f} times", std::min(factor, 1e9));
}

void add_factor(Lines& lines, double value, double reference, std::string_view what) {
    if (!(reference > 0)) return;
    if (const std::string factor = times(value / reference); !factor.empty())
        lines.push_back(fmt::format("🔺 *Factor:* {} {}", factor, what));
}

Lines zscore_lines(const Alert& alert, TrafficUnit unit) {
    const Crossing& crossing = alert.crossing;
    Lines lines;
    const double normal = crossing.baseline.value_or(0);
    if (crossing.baseline && crossing.spread) {
        // A flat baseline counts as if it spread by 1 % of its mean.
        const double spread = *crossing.spread > 0 ? *crossing.spread : normal / 100;
        const double measured = normal + crossing.value * spread;
        lines.push_back(fmt::format("📈 *Traffic:* {} (mean of 5 min)", rate_words(measured, unit)));
        lines.push_back(fmt::format("📊 *Normal:* {} ± {} (4 h before)", rate_words(normal, unit),
                                    rate_words(*crossing.spread, unit)));
        lines.push_back(
            fmt::format("🚧 *z-score:* {:.1f}, alert from {:.0f}", crossing.value, crossing.threshold));
        add_factor(lines, measured, normal, "the normal traffic");
        return lines;
    }
    if (crossing.baseline)
        lines.push_back(fmt::format("📊 *Normal:* {} (4 h before)", rate_words(normal, unit)));
    lines.push_back(
        fmt::format("🚧 *z-score:* {:.1f}, alert from {:.0f}", crossing.value, crossing.threshold));
    return lines;
}

Lines crossing_lines(const Alert& alert) {
    const Crossing& crossing = alert.crossing;
    const TrafficUnit unit = unit_of(crossing);
    if (crossing.metric == AlertMetric::kZscore) return zscore_lines(alert, unit);
    Lines lines;
    if (alert.type == RuleType::kAdvancedDdos)
        lines.push_back(fmt::format("💥 *Class:* {}", class_words(crossing.traffic_class)));
    lines.push_back(fmt::format("📈 *Traffic:* {}", rate_words(crossing.value, unit)));
    std::string threshold = fmt::format("🚧 *Threshold:* {}", rate_words(crossing.threshold, unit));
    const auto held = std::chrono::floor<std::chrono::minutes>(alert.raised_at - alert.started_at);
    if (alert.type == RuleType::kThreshold && held.count() > 0)
        threshold += fmt::format(", reached for {} min", held.count());
    lines.push_back(std::move(threshold));
    if (crossing.baseline)
        lines.push_back(fmt::format("📊 *Normal:* {}", rate_words(*crossing.baseline, unit)));
    add_factor(lines, crossing.value, crossing.threshold, "the threshold");
    return lines;
}

Lines rate_lines(const TrafficRate& rate) {
    return {"📈 *Bandwidth:* " + rate_words(rate.bits_per_second, TrafficUnit::kBits),
            "📦 *Packets:* " + rate_words(rate.packets_per_second, TrafficUnit::kPackets)};
}

/// What an alert is made of, as the lines of a message.
class Parts {
public:
    Parts(const AlertExplanation& explanation, TrafficUnit unit)
        : explanation_(explanation), unit_(unit), whole_(amount(explanation.classes[0], unit)) {}

    [[nodiscard]] std::string title(std::string_view emoji, std::string_view words) const {
        return fmt::format("{} *{}* (share of {})", emoji, words, unit_words(unit_));
    }

    /// `UDP 85%, TCP 15% (SYN 12%)`.
    [[nodiscard]] Lines protocols() const {
        static constexpr std::array kApart{TrafficClass::kTcp, TrafficClass::kUdp, TrafficClass::kIcmp,
                                           TrafficClass::kGre, TrafficClass::kEsp, TrafficClass::kOther};
        std::vector<TrafficClass> classes;
        for (const TrafficClass each : kApart) {
            if (share_of(each) > 0) classes.push_back(each);
        }
        std::stable_sort(classes.begin(), classes.end(),
                         [this](TrafficClass a, TrafficClass b) { return share_of(a) > share_of(b); });
        Lines words;
        for (const TrafficClass each : classes) {
            words.push_back(fmt::format("{} {}", class_words(each), percent(share_of(each), whole_)));
            if (each == TrafficClass::kTcp) words.back() += tcp_flags();
        }
        if (words.empty()) return {};
        return {join(words, ", ", words.size())};
    }

    [[nodiscard]] Lines bullets(TrafficFacet facet, std::size_t most) const {
        Lines words;
        for (const AlertContributor* each : largest(facet, most)) words.push_back("• " + words_of(*each));
        return words;
    }

    /// On one line, behind `label`; empty if there is nothing of that facet.
    [[nodiscard]] Lines line(std::string_view label, TrafficFacet facet, std::size_t most) const {
        Lines words;
        for (const AlertContributor* each : largest(facet, most)) words.push_back(words_of(*each));
        if (words.empty()) return {};
        return {fmt::format("{} {}", label, join(words, ", ", words.size()))};
    }

private:
    [[nodiscard]] double share_of(TrafficClass traffic_class) const {
        return amount(explanation_.classes[static_cast<std::size_t>(traffic_class)], unit_);
    }

    /// Those of a tenth of all traffic and more.
    [[nodiscard]] std::string tcp_flags() const {
        Lines words;
        for (const auto& [flags, text] :
             {std::pair(TrafficClass::kTcpSyn, "SYN"), std::pair(TrafficClass::kTcpAck, "ACK"),
              std::pair(TrafficClass::kTcpRst, "RST")}) {
            if (share_of(flags) > 0 && share_of(flags) * 10 >= whole_)
                words.push_back(fmt::format("{} {}", text, percent(share_of(flags), whole_)));
        }
        return words.empty() ? std::string() : fmt::format(" ({})", join(words, ", ", words.size()));
    }

    /// By share, most first; ties by key.
    [[nodiscard]] std::vector<const AlertContributor*> largest(TrafficFacet facet, std::size_t most) const {
        std::vector<const AlertContributor*> found;
        for (const AlertContributor& each : explanation_.contributors) {
            if (each.facet == facet) found.push_back(&each);
        }
        std::sort(found.begin(), found.end(), [this](const AlertContributor* a, const AlertContributor* b) {
            const double share_a = amount(a->volume, unit_);
            const double share_b = amount(b->volume, unit_);
            return share_a != share_b ? share_a > share_b : a->key < b->key;
        });
        found.resize(std::min({found.size(), most, kMostListed}));
        return found;
    }

    [[nodiscard]] std::string words_of(const AlertContributor& each) const {
        std::string words = key_words(each);
        if (const std::string share = percent(amount(each.volume, unit_), whole_); !share.empty())
            words += " " + share;
        if (each.facet != TrafficFacet::kSource) return words;
        if (each.spoofed) return words + " ⚠️ _Spoofed_";
        const Origin origin = origin_of(each.place);
        Lines known;
        if (std::string place = place_text(origin); !place.empty()) known.push_back(std::move(place));
        if (std::string network = network_text(origin); !network.empty()) known.push_back(std::move(network));
        if (!known.empty()) words += " 🌍 " + join(known, ", ", known.size());
        return words;
    }

    [[nodiscard]] static std::string key_words(const AlertContributor& each) {
        const std::string key = clean(each.key, kWordCap);
        switch (each.facet) {
            case TrafficFacet::kSource:
            case TrafficFacet::kDestination:
            case TrafficFacet::kInterface:
            case TrafficFacet::kExporter:
                return code(key);
            case TrafficFacet::kSourceAs: {
                const auto organization = shown(each.place.organization, kNameCap);
                std::string words = escape_text("AS" + key);
                return organization ? words + " - " + escape_text(*organization) : words;
            }
            case TrafficFacet::kSourceCountry:
                return escape_text(country_name(key));
            case TrafficFacet::kSourcePort:
            case TrafficFacet::kDestinationPort:
                return port_words(key);
        }
        return escape_text(key);
    }

    const AlertExplanation& explanation_;  // outlives this object
    TrafficUnit unit_;
    double whole_;
};

void append(Lines& lines, const Lines& more) {
    lines.insert(lines.end(), more.begin(), more.end());
}

void add_parts(Layout& layout, const Parts& parts, std::size_t most) {
    layout.add(parts.title("🔧", "PROTOCOLS"), parts.protocols());
    layout.add(parts.title("📤", "TOP SOURCES"), parts.bullets(TrafficFacet::kSource, most));
    layout.add(parts.title("🏢", "SOURCE NETWORKS"), parts.bullets(TrafficFacet::kSourceAs, most));
    Lines more = parts.line("🌍 *Countries:*", TrafficFacet::kSourceCountry, most);
    append(more, parts.line("🚪 *From port:*", TrafficFacet::kSourcePort, most));
    append(more, parts.line("🎯 *To port:*", TrafficFacet::kDestinationPort, most));
    append(more, parts.line("📍 *Targets:*", TrafficFacet::kDestination, most));
    layout.add(more);
    Lines seen = parts.line("📡 *Seen by:*", TrafficFacet::kInterface, most);
    if (seen.empty()) seen = parts.line("📡 *Seen by:*", TrafficFacet::kExporter, most);
    layout.add(seen);
}

std::string reason_words(const std::string& reason) {
    if (reason == "below") return "the traffic is below again";
    if (reason == "rule_deleted") return "the rule was deleted";
    if (reason == "rule_changed") return "the rule was changed";
    return escape_text(clean(reason, kWordCap));
}

}  // namespace

Message render_alert_started(const Alert& alert, const AlertExplanation& explanation,
                             const RenderOptions& options) {
    const Parts parts(explanation, unit_of(alert.crossing));
    const auto make = [&](std::size_t most) {
        Layout layout(kTrafficHeader);
        layout.add({"🚨 *TRAFFIC ALERT*"});
        Lines head{"⏱️ *Since:* " + code(european_time(alert.started_at))};
        append(head, identity_lines(alert, most));
        layout.add(head);
        layout.add("⚔️ *WHAT WAS CROSSED*", crossing_lines(alert));
        layout.add("📊 *TRAFFIC NOW*", rate_lines(alert.current));
        add_parts(layout, parts, most);
        layout.add({footer(kProgram, options, Footer::kWithGeoip)});
        return layout.text();
    };
    return {MessageKind::kAlert, shorten_lists(kMostListed, make)};
}

Message render_alert_ended(const Alert& alert, const RenderOptions& options) {
    const WallTime end = alert.ended_at.value_or(alert.started_at);
    const auto make = [&](std::size_t most) {
        Layout layout(kTrafficHeader);
        layout.add({"✅ *TRAFFIC ALERT ENDED*"});
        layout.add(identity_lines(alert, most));
        layout.add("⏱️ *TIME RANGE*", {"🕐 *From:* " + code(european_time(alert.started_at)),
                                           "🕑 *To:* " + code(european_time(end)),
                                           "⏳ *Duration:* " + duration_text(end - alert.started_at)});
        layout.add("📊 *PEAK*", rate_lines(alert.peak));
        if (!alert.end_reason.empty()) layout.add({"🏁 *Reason:* " + reason_words(alert.end_reason)});
        layout.add({footer(kProgram, options, Footer::kPlain)});
        return layout.text();
    };
    return {MessageKind::kAlert, shorten_lists(kMostListed, make)};
}

}  // namespace cam::notify
