#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/model/alert.h"
#include "cam/model/message.h"
#include "cam/model/mitigation_event.h"
#include "cam/model/place.h"
#include "cam/model/reports.h"
#include "cam/model/traffic.h"

// Pure rendering of what the SOC reads, in Telegram's legacy Markdown. docs/operations.md shows each message.
namespace cam::notify {

/// An event and whether its source can be real. `event` must outlive it.
struct EventNotice {
    const MitigationEvent* event = nullptr;
    std::optional<std::string_view> spoofed;  ///< what the source's range is for, if it cannot be real
};

struct RenderOptions {
    /// Stands in bold, where nothing can be escaped: an asterisk in it is shown as U+2217. Empty: left out.
    std::string organization = "GOLINE SOC";
    std::optional<GeoEdition::Type> geoip;  ///< nullopt: no database, no GeoIP in the footer
    /// Where a source is; asked only for sources whose place is shown. Null: nothing is known of any.
    std::function<Place(const IpAddress&)> place_of{};
};

/// One event. Golden text: tests/golden/single.txt.
[[nodiscard]] Message render_event(const EventNotice& notice, const RenderOptions& options);

/// All new events of one attack. Golden text: tests/golden/aggregated.txt. By packets the top three sources,
/// five edge locations and ten vectors; for the last two the rest is counted.
[[nodiscard]] Message render_attack(const std::vector<EventNotice>& notices, const RenderOptions& options);

struct StartupReport {
    std::string version;
    std::chrono::seconds poll_interval{300};
    std::chrono::minutes lookback{15};
    std::optional<GeoEdition> geoip;
    std::optional<BgpStatus> bgp;          ///< nullopt: unknown
    std::optional<AttackHistory> history;  ///< nullopt: the database did not answer
    std::vector<ServiceReport> services;
    std::optional<PollGap> gap;
    std::vector<std::string> problems;  ///< what is degraded, one line each; shown after the services
};
/// Golden text: tests/golden/startup.txt.
[[nodiscard]] Message render_startup(const StartupReport& report, const RenderOptions& options);

struct ShutdownReport {
    std::optional<AttackHistory> history;
    WallTime stopped_at;
};
/// Golden text: tests/golden/shutdown.txt.
[[nodiscard]] Message render_shutdown(const ShutdownReport& report, const RenderOptions& options);

/// One of the largest contributors to an alert's traffic.
struct AlertContributor {
    TrafficFacet facet = TrafficFacet::kSource;
    std::string key;                          ///< as in Contributor
    Volume volume;                            ///< of the minutes that are explained
    Place place;                              ///< of a source; of an AS its organisation
    std::optional<std::string_view> spoofed;  ///< what a source's range is for, if it cannot be real
};

/// What the traffic of an alert is made of, over the minutes that are explained.
struct AlertExplanation {
    ClassVolumes classes{};                      ///< the whole, that parts are percentages of
    std::vector<AlertContributor> contributors;  ///< of any facet, in any order; a key once per facet
};

/// A rule is crossed. Golden texts: tests/golden/alert_started*.txt. Shares are of bits, packets or flows,
/// whatever was crossed; by them the top five sources, networks, countries, ports and interfaces. What the
/// explanation does not know is left out.
[[nodiscard]] Message render_alert_started(const Alert& alert, const AlertExplanation& explanation,
                                           const RenderOptions& options);
/// A rule is crossed no longer; `alert` has ended. Golden text: tests/golden/alert_ended.txt.
[[nodiscard]] Message render_alert_ended(const Alert& alert, const RenderOptions& options);

enum class StatusTone { kTrouble, kRecovered };
/// A change of state the SOC must know: `headline` in bold (asterisks as in RenderOptions), `details` below
/// it, one line each, escaped. Details that do not fit are counted.
[[nodiscard]] Message render_status(StatusTone tone, std::string_view headline,
                                    const std::vector<std::string>& details, const RenderOptions& options);

/// Text from outside for a place outside any entity: `_ * [ \`` get a backslash, control characters become
/// blanks, invalid UTF-8 becomes U+FFFD, bidi controls and invisible characters vanish.
[[nodiscard]] std::string escape_text(std::string_view text);
/// Text from outside for a place inside `code`: a backtick becomes ', the rest as escape_text
/// does with bytes.
[[nodiscard]] std::string escape_code(std::string_view text);
/// Length of valid UTF-8 in UTF-16 units, Telegram's measure.
[[nodiscard]] std::size_t utf16_units(std::string_view text);

/// The longest text Telegram takes, in UTF-16 units.
inline constexpr std::size_t kMaxMessageUnits = 4096;

}  // namespace cam::notify
