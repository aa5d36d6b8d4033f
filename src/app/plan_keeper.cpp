#include "app/plan_keeper.h"

#include <algorithm>
#include <string>

#include "app/alert_composer.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

constexpr const char* kKey = "clickhouse_kept_until";
constexpr const char* kNoRulesYet = "no rules yet";
/// From the first rule on: the others are made anew within it.
constexpr std::chrono::hours kKeptFor{24};

}  // namespace

Status PlanKeeper::begin(const RuleSet& set, std::optional<std::uint64_t> found,
                         const std::stop_token& stop) {
    if (!found) return write(set, stop);
    const auto known = parts_.remembered.remembered(kKey);
    if (!known) return known.error();
    if (!set.rules.empty() && !*known) return write(set, stop);
    auto prefixes = parts_.writer.prefixes(*found, stop);
    if (!prefixes) return prefixes.error();
    kept_ = std::move(*prefixes);
    kept_until_ = *known ? parse_time(**known) : std::nullopt;
    // A time that lies further ahead was written with a wrong clock.
    if (kept_until_) kept_until_ = std::min(*kept_until_, parts_.clock.wall() + kKeptFor);
    if (set.rules.empty()) {
        parts_.log->warn(
            "this database has no rules, ClickHouse counts on by those that it has generation={}", *found);
        if (!kept_.empty()) remember_kept();
    }
    if (!set.rules.empty() || !set.routers.empty()) return write(set, stop);
    parts_.rival.note_written(*found);
    return Done{};
}

Status PlanKeeper::write(const RuleSet& set, const std::stop_token& stop) {
    if (!kept_.empty() && !set.rules.empty() && !kept_until_) {
        kept_until_ = parts_.clock.wall() + kKeptFor;
        remember_kept();
        parts_.log->info("what was counted before these rules is counted on prefixes={} until={}",
                         kept_.size(), rfc3339(*kept_until_));
    }
    if (kept_until_ && *kept_until_ <= parts_.clock.wall()) forget_kept();
    clickhouse::Plan plan{.prefixes = prefixes_of(set.rules), .routers = set.routers};
    plan.prefixes.insert(plan.prefixes.end(), kept_.begin(), kept_.end());
    parts_.beat();
    auto written = parts_.writer.write(plan, parts_.clock.wall(), stop);
    if (!written && written.error().code == ErrorCode::kInvalid && !kept_.empty()) {
        parts_.log->warn("what was counted before these rules is not counted on reason={}",
                         quote(written.error().detail));
        forget_kept();
        plan.prefixes = prefixes_of(set.rules);
        written = parts_.writer.write(plan, parts_.clock.wall(), stop);
    }
    if (!written) return written.error();
    parts_.rival.note_written(*written);
    parts_.plans.add();
    return Done{};
}

Status PlanKeeper::look(const RuleSet& set, const std::stop_token& stop) {
    if (kept_until_ && *kept_until_ <= parts_.clock.wall()) return write(set, stop);
    const auto standing = parts_.rival.look(stop);
    if (!standing) return standing.error();
    return *standing == RivalWatch::Standing::kLost ? write(set, stop) : Status{Done{}};
}

/// Where it cannot be written, what is kept goes with this process.
void PlanKeeper::remember_kept() {
    const std::string text = kept_until_ ? rfc3339(*kept_until_) : kNoRulesYet;
    if (const Status done = parts_.remembered.remember(kKey, text); !done) {
        parts_.log->warn("until when prefixes are counted on cannot be written reason={}",
                         quote(done.error().detail));
    }
}

void PlanKeeper::forget_kept() {
    kept_.clear();
    kept_until_.reset();
    if (const Status done = parts_.remembered.forget(kKey); !done)
        parts_.log->warn("until when prefixes were counted on cannot be forgotten reason={}",
                         quote(done.error().detail));
}

}  // namespace cam::app
