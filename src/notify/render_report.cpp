#include <algorithm>
#include <optional>
#include <string>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/notify/render.h"
#include "notify/amounts.h"
#include "notify/layout.h"
#include "notify/markdown.h"

namespace cam::notify {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kMostServices = 20;
constexpr std::size_t kMostDetails = 40;
constexpr std::size_t kSentenceCap = 300;  ///< problems, headlines, detail lines

const char* name_of(GeoEdition::Type type) {
    switch (type) {
        case GeoEdition::Type::kCommercial:
            return "Commercial";
        case GeoEdition::Type::kFree:
            return "Free";
    }
    return "Free";
}

std::string gap_line(const PollGap& gap) {
    std::string line = fmt::format("⏳ Gap: {} without polling, resumed from {} UTC",
                                   duration_text(gap.length), european_minute(gap.resumed_from));
    if (gap.not_covered > std::chrono::milliseconds::zero())
        line += fmt::format(" | ⚠️ not covered: {}", duration_text(gap.not_covered));
    return line;
}

Lines configuration_lines(const StartupReport& report) {
    Lines lines;
    if (const auto version = shown(report.version, kCodeCap))
        lines.push_back("📌 Version: " + escape_text(*version));
    lines.push_back(
        fmt::format("⏰ Poll: {}s | Lookback: {} min", report.poll_interval.count(), report.lookback.count()));
    if (report.geoip) {
        lines.push_back(fmt::format("🌍 GeoIP: {} (updated: {})", name_of(report.geoip->type),
                                    european_date(report.geoip->built)));
    } else {
        lines.emplace_back("🌍 GeoIP: Not available");
    }
    if (report.gap) lines.push_back(gap_line(*report.gap));
    return lines;
}

/// "All withdrawn" only if every prefix said so: a prefix that says nothing may be advertised.
std::string bgp_line(const std::optional<BgpStatus>& bgp) {
    if (!bgp) return "📡 Prefixes: ❓ Unknown";
    if (bgp->total == 0) return "📡 Prefixes: 0/0 (no BGP prefixes)";
    std::string line = fmt::format("📡 Prefixes: {}/{}", bgp->advertised, bgp->total);
    if (bgp->advertised > 0) line += " ⚠️ ADVERTISED";
    if (bgp->unknown > 0) {
        line += fmt::format("{} ❓ {} unknown", bgp->advertised > 0 ? " |" : "", bgp->unknown);
    } else if (bgp->advertised == 0) {
        line += " ✅ All withdrawn";
    }
    return line;
}

Lines count_lines(const std::optional<AttackHistory>& history, std::string_view after_events) {
    if (!history) return {"🎯 Attacks: ❓ Unknown"};
    return {fmt::format("🎯 Attacks: {} total ({} this month)", thousands(history->attacks_total),
                        thousands(history->attacks_this_month)),
            fmt::format("📊 Mitigations: {} events{}", thousands(history->mitigations), after_events)};
}

void add_last_attack(Lines& lines, const std::optional<LastAttack>& last) {
    if (!last) {
        lines.emplace_back("🚨 Last: No attacks recorded");
        return;
    }
    lines.push_back("🚨 Last: " + (last->at ? code(european_minute(*last->at)) : std::string("❓ Unknown")));
    std::string type = "💥 Type: " + escape_text(shown(last->vector, kNameCap).value_or("Generic DDoS"));
    if (last->megabits_per_second) {
        if (const auto speed = rate(*last->megabits_per_second)) type += ", " + *speed;
    }
    if (const auto target = shown(last->target, kWordCap)) type += " → " + escape_text(*target);
    lines.push_back(std::move(type));
}

Lines history_lines(const std::optional<AttackHistory>& history) {
    Lines lines = count_lines(history, " logged");
    if (history) add_last_attack(lines, history->last);
    return lines;
}

const char* mark(ServiceState state) {
    switch (state) {
        case ServiceState::kActive:
            return "✅";
        case ServiceState::kInactive:
            return "❌";
        case ServiceState::kUnknown:
            return "❓";
    }
    return "❓";
}

Lines service_lines(const std::vector<ServiceReport>& services) {
    Lines marked;
    for (const ServiceReport& service : services) {
        const std::string label = clean(service.label, kWordCap);
        marked.push_back(fmt::format("{} {}", mark(service.state), escape_text(label.empty() ? "?" : label)));
    }
    if (marked.empty()) return {};
    return {join(marked, " | ", kMostServices)};
}

/// Blank sentences vanish.
Lines escaped_sentences(const std::vector<std::string>& sentences) {
    Lines lines;
    for (const std::string& sentence : sentences) {
        std::string text = escape_text(clean(sentence, kSentenceCap));
        if (!text.empty()) lines.push_back(std::move(text));
    }
    return lines;
}

}  // namespace

Message render_startup(const StartupReport& report, const RenderOptions& options) {
    static_cast<void>(
        options);  // the golden text names neither the organisation nor the GeoIP edition in a footer
    const Lines problems = escaped_sentences(report.problems);
    const auto make = [&](std::size_t most_problems) {
        Lines problem_lines;
        add_bullets(problem_lines, problems, most_problems);
        Layout layout;
        layout.add({"🚀 *Network Analytics Monitor STARTED*"});
        layout.add("📊 *Configuration*", configuration_lines(report));
        layout.add("🌐 *BGP Status*", {bgp_line(report.bgp)});
        layout.add("📈 *Attack History*", history_lines(report.history));
        layout.add("⚙️ *Services*", service_lines(report.services));
        layout.add("⚠️ *Degraded*", problem_lines);
        layout.add({"_Monitoring for DDoS mitigation events..._"});
        return layout.text();
    };
    return {MessageKind::kStartup, shorten_lists(kMostProblems, make)};
}

Message render_shutdown(const ShutdownReport& report, const RenderOptions& options) {
    Layout layout;
    layout.add({"⏹️ *Network Analytics Monitor STOPPED*"});
    layout.add("📈 *Stats*", count_lines(report.history, ""));
    layout.add({"⏰ *Stopped at:* " + european_time(report.stopped_at)});
    layout.add({footer("Network Analytics", options, Footer::kPlain)});
    return {MessageKind::kShutdown, layout.text()};
}

Message render_status(StatusTone tone, std::string_view headline, const std::vector<std::string>& details,
                      const RenderOptions& options) {
    const char* sign = tone == StatusTone::kTrouble ? "⚠️" : "✅";
    const std::string title = bold(clean(headline, kSentenceCap));
    const Lines all = escaped_sentences(details);
    const auto make = [&](std::size_t most_details) {
        const std::size_t count = std::min(most_details, all.size());
        Lines kept(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
        if (all.size() > count) kept.push_back(fmt::format("+{} more", all.size() - count));
        Layout layout;
        if (!title.empty()) layout.add({fmt::format("{} {}", sign, title)});
        layout.add(kept);
        layout.add({footer("Network Analytics Monitor", options, Footer::kPlain)});
        return layout.text();
    };
    return {MessageKind::kStatus, shorten_lists(kMostDetails, make)};
}

}  // namespace cam::notify
