#include <optional>
#include <string>

#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"
#include "cam/base/time_text.h"
#include "cam/notify/render.h"
#include "notify/amounts.h"
#include "notify/country_names.h"
#include "notify/layout.h"
#include "notify/markdown.h"
#include "notify/origin.h"

namespace cam::notify {
namespace {

/// How much of a rule id stands for a rule without a name, as the SOC knows it from the Python monitor.
constexpr std::size_t kRuleIdLength = 12;

Lines identity_lines(const MitigationEvent& event) {
    Lines lines;
    if (event.time) {
        lines.push_back("⏱️ *Time:* " + code(european_time(*event.time)));
    } else if (const auto as_sent = shown(event.datetime, kWordCap)) {
        lines.push_back("⏱️ *Time:* " + code(*as_sent));
    }
    if (const auto id = shown(event.attack_id, kNameCap)) lines.push_back("🆔 *Attack ID:* " + code(*id));
    return lines;
}

std::string short_rule_id(const std::string& id) {
    const std::string_view start = first_code_points(id, kRuleIdLength);
    return start.size() == id.size() ? id : std::string(start) + "...";
}

Lines attack_lines(const MitigationEvent& event) {
    Lines lines;
    const auto vector = shown(event.attack_vector, kNameCap);
    lines.push_back("💥 *Vector:* " + escape_text(vector.value_or("Generic DDoS")));
    if (const auto rule = shown(event.rule_name, kNameCap)) {
        lines.push_back("📋 *Rule:* " + escape_text(*rule));
    } else if (const auto id = shown(event.rule_id, kNameCap)) {
        lines.push_back("📋 *Rule ID:* " + code(short_rule_id(*id)));
    }
    if (const auto action = shown(event.mitigation_reason, kWordCap))
        lines.push_back("🛡️ *Action:* " + escape_text(*action));
    return lines;
}

/// `192.0.2.1:53`, `[2001:db8::1]:53`, or the address alone.
std::string endpoint(const std::string& address, std::optional<std::uint32_t> port) {
    if (!port) return address;
    const bool has_colons = address.find(':') != std::string::npos;
    return has_colons ? fmt::format("[{}]:{}", address, *port) : fmt::format("{}:{}", address, *port);
}

void add_source(Lines& lines, const EventNotice& notice, const RenderOptions& options) {
    const auto address = address_text(notice.event->source, notice.event->source_ip);
    if (address) {
        lines.push_back("📤 *Source:* " + code(endpoint(*address, notice.event->source_port)));
        if (notice.spoofed) lines.back() += " ⚠️ SPOOFED";
    }
    if (notice.spoofed) {  // its place and network are somebody else's
        lines.push_back(
            fmt::format("⚠️ *Spoofed IP* ({})", escape_text(clean(*notice.spoofed, kWordCap))));
        return;
    }
    const Origin origin = origin_of(*notice.event, options);
    if (const std::string place = place_text(origin); !place.empty()) lines.push_back("🌍 *Origin:* " + place);
    if (const std::string network = network_text(origin); !network.empty())
        lines.push_back("🏢 *ASN:* " + network);
}

Lines network_lines(const EventNotice& notice, const RenderOptions& options) {
    const MitigationEvent& event = *notice.event;
    Lines lines;
    add_source(lines, notice, options);
    if (const auto address = address_text(event.destination, event.destination_ip))
        lines.push_back("📥 *Target:* " + code(endpoint(*address, event.destination_port)));
    if (const auto protocol = shown(event.protocol, kCodeCap))
        lines.push_back("🔧 *Protocol:* " + escape_text(*protocol));
    lines.push_back("🏷️ *TCP Flags:* " + escape_text(shown(event.tcp_flags, kWordCap).value_or("N/A")));
    return lines;
}

Lines metric_lines(const MitigationEvent& event) {
    Lines lines;
    if (event.packets) lines.push_back("📦 *Packets:* " + thousands(*event.packets));
    // A volume, although the SOC's message has always called it bps; the golden text is the contract.
    if (event.bits) lines.push_back("📈 *Data:* " + volume(*event.bits, "bps"));
    return lines;
}

Lines edge_lines(const MitigationEvent& event) {
    Lines parts;
    if (const auto city = shown(event.colo_city, kWordCap)) parts.push_back(escape_text(*city));
    if (const auto country = country_code(event.colo_country))
        parts.push_back(escape_text(country_name(*country)));
    std::string where = join(parts, ", ", parts.size());
    if (const auto colo = shown(event.colo_code, kCodeCap)) {
        const std::string colo_text = escape_text(*colo);
        where = where.empty() ? colo_text : fmt::format("{} ({})", where, colo_text);
    }
    if (where.empty()) return {};
    return {"🌍 *Scrubbed at:* " + where};
}

}  // namespace

Message render_event(const EventNotice& notice, const RenderOptions& options) {
    check(notice.event != nullptr, "render_event needs an event");
    const MitigationEvent& event = *notice.event;
    Layout layout;
    layout.add({"🚨 *MITIGATION EVENT*"});
    layout.add(identity_lines(event));
    layout.add("⚔️ *ATTACK INFO*", attack_lines(event));
    layout.add("🌐 *NETWORK*", network_lines(notice, options));
    layout.add("📊 *METRICS*", metric_lines(event));
    layout.add("📍 *CLOUDFLARE EDGE*", edge_lines(event));
    layout.add({footer("Network Analytics Monitor", options, Footer::kWithGeoip)});
    return {MessageKind::kEvent, shorten_lists(0, [&](std::size_t) { return layout.text(); })};
}

}  // namespace cam::notify
