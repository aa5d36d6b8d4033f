#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/moment.h"

namespace cam::simulator {

/// An attack to make events of; README.md tells the same as keys of a scenario's `attacks`.
struct AttackOptions {
    std::string attack_id = "simulated-attack";
    std::string vector = "UDP Flood";
    std::string rule = "UDP-0001";
    std::string protocol = "UDP";
    std::string tcp_flags{};
    std::vector<std::string> targets{"185.54.82.4"};
    int destination_port = 0;
    std::size_t events = 15;
    std::size_t sources = 8;
    std::vector<std::string> source_addresses{};  ///< instead of made-up ones; then `sources` is not used
    double spoofed_share = 0;                     ///< share of made-up sources with private addresses
    std::int64_t packets = 15000;                 ///< of all events together
    std::int64_t bits = 54000000;
    double over_seconds = 300;  ///< from the first event to the last
    std::vector<std::string> colos{"SOF", "AMS"};
};

/// When the first event of an attack is, and when its rows appear in answers.
struct AttackTime {
    std::string at{};  ///< RFC 3339
    std::optional<double> seconds_ago{};
    std::optional<double> seconds_after_start{};
    std::optional<double> appears_after_seconds{};
};

/// Events as flat objects fit for World::add_events(). The same options make the same events.
std::vector<nlohmann::json> attack_events(const AttackOptions& attack, const AttackTime& time);
std::vector<nlohmann::json> attack_events(const AttackOptions& attack, Moment first);

}  // namespace cam::simulator
