#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "attack_groups.h"
#include "attack_rows.h"
#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "event_table.h"
#include "store_state.h"

namespace cam::store {
namespace {

/// What one attack's events of one step add up to.
struct Step {
    std::size_t at = 0;
    DroppedVolume volume;
};

/// Events come newest first, so that an attack's steps come one after the other.
struct Line {
    std::string id;
    std::vector<std::string> vectors;
    DroppedVolume sum;
    std::vector<Step> steps;

    void add(std::size_t at, const AttackRow& row) {
        add_name(vectors, known(row.vector));
        store::add(sum, row);
        if (steps.empty() || steps.back().at != at) steps.push_back({.at = at, .volume = {}});
        store::add(steps.back().volume, row);
    }
};

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/// Puts a line's steps on those of a series.
void draw(const Line& line, AttackTimeline::Series& series) {
    for (const Step& step : line.steps) {
        series.packets[step.at] = saturating_sum(series.packets[step.at], step.volume.packets);
        series.bits[step.at] = saturating_sum(series.bits[step.at], step.volume.bits);
    }
}

/// The lines of a timeline while its events come.
class Lines {
public:
    Line& of(const AttackRow& row) {
        const std::string_view named = known(row.attack_id);
        if (!named.empty() && latest_ < lines_.size() && lines_[latest_].id == named) return lines_[latest_];
        std::string id = attack_id_of(row);
        const auto [place, is_new] = places_.try_emplace(id, lines_.size());
        if (is_new) lines_.push_back({.id = std::move(id), .vectors = {}, .sum = {}, .steps = {}});
        latest_ = place->second;
        return lines_[latest_];
    }

    void fill(AttackTimeline& timeline, std::size_t steps) {
        std::sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
            return a.sum.packets != b.sum.packets ? a.sum.packets > b.sum.packets : a.id < b.id;
        });
        const std::size_t shown = std::min(lines_.size(), AttackTimeline::kMostSeries);
        for (std::size_t i = 0; i < shown; ++i) {
            AttackTimeline::Series series{.attack_id = lines_[i].id,
                                          .vectors = lines_[i].vectors,
                                          .packets = std::vector<std::uint64_t>(steps),
                                          .bits = std::vector<std::uint64_t>(steps)};
            draw(lines_[i], series);
            timeline.series.push_back(std::move(series));
        }
        timeline.other_count = lines_.size() - shown;
        if (timeline.other_count == 0) return;
        AttackTimeline::Series other{.attack_id = "other",
                                     .vectors = {},
                                     .packets = std::vector<std::uint64_t>(steps),
                                     .bits = std::vector<std::uint64_t>(steps)};
        for (std::size_t i = shown; i < lines_.size(); ++i) {
            for (const std::string& vector : lines_[i].vectors) add_name(other.vectors, vector);
            draw(lines_[i], other);
        }
        timeline.other = std::move(other);
    }

private:
    std::vector<Line> lines_;
    ByText<std::size_t> places_;
    std::size_t latest_ = 0;
};

}  // namespace

Result<AttackTimeline> SqliteStore::attack_timeline(const TimelineQuery& query) {
    if (query.step.count() < 1) return Error{ErrorCode::kInvalid, "step: at least a second is expected"};
    AttackTimeline timeline;
    timeline.step = query.step;
    const auto step = std::chrono::milliseconds{query.step};
    const auto since = query.since.time_since_epoch();
    auto first = since / step;
    if (since < first * step) --first;  // rounds down before 1970, too
    timeline.start = WallTime{first * step};
    const auto length = std::max(query.until - timeline.start, std::chrono::milliseconds{0});
    const std::int64_t steps = (length + step - std::chrono::milliseconds{1}) / step;
    if (steps > AttackTimeline::kMostSteps) {
        return Error{ErrorCode::kInvalid,
                     fmt::format("step: since to until would be {} steps; at most {} are "
                                 "given, so at least {} seconds are expected",
                                 steps, AttackTimeline::kMostSteps,
                                 length.count() / 1000 / AttackTimeline::kMostSteps + 1)};
    }
    const Result<bool> there = state_->ready_to_read(kEventTable);
    if (!there) return there.error();
    if (!*there || steps == 0) return timeline;
    Lines lines;
    const auto complete = each_row(
        *state_->database,
        {.since = timeline.start, .until = query.until, .vector = query.vector, .prefix = query.prefix},
        [&](const AttackRow& row) {
            const auto time = parse_time(row.datetime);
            if (!time || *time < timeline.start) return;
            const auto at = static_cast<std::size_t>((*time - timeline.start) / step);
            if (at < static_cast<std::size_t>(steps)) lines.of(row).add(at, row);
        });
    if (!complete) return complete.error();
    timeline.complete_since = *complete;
    lines.fill(timeline, static_cast<std::size_t>(steps));
    return timeline;
}

}  // namespace cam::store
