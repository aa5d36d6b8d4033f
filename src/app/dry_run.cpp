#include <cstdio>
#include <string>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "app/modes.h"
#include "app/monitor_parts.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using std::chrono::seconds;

constexpr seconds kPatience{45};

/// One line of the table.
struct Row {
    std::size_t event;
    std::string result;
};

/// Text from outside for a terminal: control characters cannot move the cursor or change colours.
std::string printable(MaybeText text, const char* absent = "-") {
    if (!text || text->empty()) return absent;
    std::string out = quote(*text, 64);
    return out.substr(1, out.size() - 2);
}

std::string endpoint(MaybeText address, const std::optional<std::uint32_t>& port) {
    std::string shown = printable(address);
    if (!port) return shown;
    return shown.find(':') == std::string::npos ? fmt::format("{}:{}", shown, *port)
                                                : fmt::format("[{}]:{}", shown, *port);
}

/// How wide a text is on a terminal: its code points (good enough for names; no wide glyphs expected).
std::size_t columns(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
    return count;
}

void print_table(const std::vector<MitigationEvent>& events, const std::vector<Row>& rows) {
    std::vector<std::vector<std::string>> cells{
        {"TIME", "TARGET", "SOURCE", "VECTOR", "PACKETS", "BITS", "ATTACK ID", "RESULT"}};
    for (const Row& row : rows) {
        const MitigationEvent& event = events[row.event];
        cells.push_back({printable(event.datetime), endpoint(event.destination_ip, event.destination_port),
                         endpoint(event.source_ip, event.source_port), printable(event.attack_vector),
                         event.packets ? fmt::format("{}", *event.packets) : "-",
                         event.bits ? fmt::format("{}", *event.bits) : "-", printable(event.attack_id),
                         row.result});
    }
    std::vector<std::size_t> widths(cells.front().size(), 0);
    for (const auto& line : cells) {
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], columns(line[i]));
    }
    for (const auto& line : cells) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            text += line[i];
            if (i + 1 < line.size()) text += std::string(widths[i] - columns(line[i]) + 2, ' ');
        }
        std::printf("%s\n", text.c_str());
    }
}

/// Which events the database has already; all new where there is no database yet.
Result<std::vector<bool>> seen_before(const Settings& settings, const std::vector<MitigationEvent>& events) {
    auto store = store::SqliteStore::open(store_options(settings, store::Access::kReadOnly));
    if (!store && store.error().code == ErrorCode::kNotFound) return std::vector<bool>(events.size(), false);
    if (!store) return store.error();
    return (*store)->seen(events);
}

/// What Cloudflare answered.
struct Answer {
    TimeWindow span{};
    std::vector<MitigationEvent> events;
    std::uint64_t merged = 0;
    std::uint64_t left_out = 0;
    std::size_t truncated = 0;
};

/// Asks for the lookback; once more if the answer shows that our clock, and so the window, was wrong.
std::optional<cloudflare::QueryFailure> ask(EventFetcher& fetcher, Clock& clock,
                                            std::chrono::minutes lookback, Answer& answer) {
    const EventFetcher::Patience patience{clock.steady() + kPatience, {}};
    for (int round = 0;; ++round) {
        answer = Answer{};
        const auto skew = fetcher.skew();
        answer.span = {fetcher.now() - lookback, fetcher.now()};
        auto failure = fetcher.fetch(answer.span, patience, [&](EventFetcher::Piece&& piece) {
            answer.merged += rules::merge_same_identity(piece.page.events);
            answer.left_out += piece.page.not_dropped + piece.page.not_ingress + piece.page.unreadable;
            if (piece.truncated) ++answer.truncated;
            std::move(piece.page.events.begin(), piece.page.events.end(), std::back_inserter(answer.events));
            return EventFetcher::Go::kOn;
        });
        const bool clock_was_wrong = std::chrono::abs(fetcher.skew() - skew) > seconds{2};
        if (failure || !clock_was_wrong || round > 0) return failure;
    }
}

std::string verdict_text(rules::Verdict verdict, bool seen) {
    switch (verdict) {
        case rules::Verdict::kForeign:
            return "not notified: target is in no watched prefix";
        case rules::Verdict::kBelowThreshold:
            return "not notified: fewer packets than min_packets";
        case rules::Verdict::kNotify:
            break;
    }
    return seen ? "not notified: already told (in the database)" : "notified";
}

void print_messages(const std::vector<Message>& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        std::printf("----- message %zu of %zu (would be sent) -----\n%s\n", i + 1, messages.size(),
                    messages[i].text.c_str());
    }
    if (!messages.empty()) std::printf("----- end of messages -----\n");
}

/// Which events are told, and the table's line for each.
struct Told {
    std::vector<Row> rows;
    std::vector<std::size_t> fresh;
};

Told judge(const rules::EventFilter& filter, rules::Scope scope, const std::vector<MitigationEvent>& events,
           const std::vector<bool>& seen) {
    Told told;
    for (std::size_t i = 0; i < events.size(); ++i) {
        const rules::Verdict verdict = filter.judge(events[i], scope);
        told.rows.push_back({i, verdict_text(verdict, seen[i])});
        if (verdict == rules::Verdict::kNotify && !seen[i]) told.fresh.push_back(i);
    }
    return told;
}

void print_heading(const EventFetcher& fetcher, const TimeWindow& span, rules::Scope scope) {
    std::printf("Dry run: nothing is sent, nothing is written.\nWindow %s to %s, telling %s.\n",
                european_time(std::max(span.from, span.to - fetcher.retention())).c_str(),
                european_time(span.to).c_str(),
                scope == rules::Scope::kMine ? "my prefixes only" : "my prefixes and Cloudflare's anycast");
    const std::chrono::milliseconds skew = fetcher.skew();
    if (skew == skew.zero()) return;
    std::printf("Note: this machine's clock is %s %s Cloudflare's; the window follows Cloudflare's.\n",
                duration_text(std::chrono::abs(skew)).c_str(), skew < skew.zero() ? "ahead of" : "behind");
}

void print_totals(const Answer& answer, std::size_t fresh, std::size_t messages) {
    std::printf(
        "%zu events, %zu would be notified in %zu messages; %llu rows merged, %llu rows left out (passed, "
        "outgoing or unreadable).\n",
        answer.events.size(), fresh, messages, static_cast<unsigned long long>(answer.merged),
        static_cast<unsigned long long>(answer.left_out));
    if (answer.truncated > 0)
        std::printf("Warning: %zu second(s) were cut at Cloudflare's page limit.\n", answer.truncated);
}

}  // namespace

int run_test(const Invocation& asked) {
    const LoadedSettings loaded = settings_for(asked, Needs::kCloudflareOnly);
    if (!report_findings(loaded)) return kExitUsage;
    const Settings& settings = loaded.settings;

    // No log file and no scratch copy in the database's folder: a dry run leaves no trace.
    SystemClock clock;
    const auto output = LogOutput::open("", asked.log_level);
    MetricRegistry metrics;
    Heartbeats heartbeats(clock);
    Conditions conditions(clock, output->logger(), render_options(settings));
    enrich::GeoDatabases geo({.city = settings.geoip.city, .asn = settings.geoip.asn, .scratch_folder = ""});
    Guarded<std::string> poll_problem;
    FlowBoard flow_board;
    StatusBoard status_board(clock.wall());
    api::EventBoard event_board;
    const Surroundings around{settings, clock,        output->logger(), metrics,      heartbeats, conditions,
                              geo,      poll_problem, flow_board,       status_board, event_board};
    auto cloudflare = CloudflareSide::make(around, heartbeats.add("cam-test"));
    if (!cloudflare) {
        std::fprintf(stderr, "cloudflare-analytics-monitor: %s\n", cloudflare.error().detail.c_str());
        return kExitFailed;
    }

    const PreferenceFile preferences(settings.paths.dashboard_prefs);
    const auto only_mine = preferences.my_prefixes_only();
    const rules::Scope scope =
        only_mine && !*only_mine ? rules::Scope::kMineAndCloudflare : rules::Scope::kMine;
    Answer answer;
    if (const auto failure = ask(*(*cloudflare)->fetcher, clock, settings.monitor.lookback, answer)) {
        std::fprintf(stderr, "cloudflare-analytics-monitor: query failed (%s): %s\n", name(failure->kind),
                     failure->detail.c_str());
        return kExitFailed;
    }
    const std::vector<MitigationEvent>& events = answer.events;
    const auto seen = seen_before(settings, events);
    if (!seen) {
        std::fprintf(stderr, "cloudflare-analytics-monitor: database %s: %s\n",
                     settings.paths.database.c_str(), seen.error().detail.c_str());
        return kExitFailed;
    }

    const Told told = judge(rules::EventFilter(filter_options(settings)), scope, events, *seen);
    const enrich::GeoState geo_state = geo.refresh();
    const auto edition = geo_state.edition() ? std::optional{geo_state.edition()->type} : std::nullopt;
    const std::vector<Message> messages =
        Composer(geo, compose_options(settings)).compose(events, told.fresh, edition);

    std::vector<std::string> notes = geo_state.problems;
    if (!only_mine) {
        notes.push_back(fmt::format("{}: {}; my_prefixes_only counts as true", preferences.path(),
                                    only_mine.error().detail));
    }
    print_heading(*(*cloudflare)->fetcher, answer.span, scope);
    for (const std::string& note : notes) std::printf("Note: %s.\n", note.c_str());
    print_messages(messages);
    if (!told.rows.empty()) print_table(events, told.rows);
    print_totals(answer, told.fresh.size(), messages.size());
    return kExitDone;
}

}  // namespace cam::app
