#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/attack.h"
#include "simulator/cloudflare.h"
#include "simulator/fault.h"
#include "simulator/scenario_error.h"
#include "simulator/telegram.h"

namespace cam::simulator {

/// What a scenario file says.
struct Scenario {
    CloudflareSettings cloudflare;
    TelegramSettings telegram;
    std::optional<Moment> now;  ///< a clock that stands still; the machine's when absent
    std::vector<nlohmann::json> events;
    std::vector<std::string> event_paths;  ///< where each event stands, for errors
    std::vector<Fault> faults;
};

/// Throws ScenarioError.
Scenario parse_scenario(const nlohmann::json& json);
/// Throws ScenarioError, also for a file that cannot be read or is not JSON.
Scenario load_scenario(const std::filesystem::path& file);
/// Events and generators as they stand in a scenario's `events` and `attacks`.
void read_events(const nlohmann::json& json, Scenario& into);

}  // namespace cam::simulator
