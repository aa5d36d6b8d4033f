#include "simulator/scenario.h"

#include <fstream>
#include <utility>

namespace cam::simulator {
namespace {

using nlohmann::json;

std::string item_path(const std::string& list, std::size_t index) {
    return list + "[" + std::to_string(index) + "]";
}

std::vector<std::string> strings(const ObjectReader& reader, const char* key) {
    std::vector<std::string> out;
    for (const json& one : reader.array(key)) {
        if (!one.is_string())
            throw ScenarioError(item_path(reader.path(key), out.size()), "expected a string");
        out.push_back(one.get<std::string>());
    }
    return out;
}

std::optional<bool> optional_bool(const ObjectReader& reader, const char* key, std::optional<bool> fallback) {
    if (!reader.has(key)) return fallback;
    const json& value = reader.at(key);
    if (value.is_null()) return std::nullopt;
    if (!value.is_boolean()) throw ScenarioError(reader.path(key), "expected true, false or null");
    return value.get<bool>();
}

DatasetLimits read_limits(const json& object, const std::string& path) {
    const ObjectReader reader(object, path,
                              {"enabled", "max_duration_seconds", "max_number_of_fields", "max_page_size",
                               "not_older_than_seconds"});
    DatasetLimits limits;
    reader.read("enabled", limits.enabled);
    reader.read("max_duration_seconds", limits.max_duration_seconds);
    reader.read("max_number_of_fields", limits.max_number_of_fields);
    reader.read("max_page_size", limits.max_page_size);
    reader.read("not_older_than_seconds", limits.not_older_than_seconds);
    return limits;
}

BgpPrefix read_bgp_prefix(const json& object, const std::string& path) {
    const ObjectReader reader(object, path,
                              {"id", "cidr", "advertised", "on_demand_enabled", "on_demand_locked"});
    BgpPrefix prefix;
    reader.read("id", prefix.id);
    reader.read("cidr", prefix.cidr);
    if (prefix.cidr.empty()) throw ScenarioError(reader.path("cidr"), "missing");
    prefix.advertised = optional_bool(reader, "advertised", false);
    reader.read("on_demand_enabled", prefix.on_demand_enabled);
    reader.read("on_demand_locked", prefix.on_demand_locked);
    return prefix;
}

IpPrefix read_prefix(const json& object, const std::string& path, std::size_t index) {
    const ObjectReader reader(object, path,
                              {"id", "cidr", "description", "asn", "advertised", "bgp_prefixes"});
    IpPrefix prefix;
    prefix.id = "simulated-prefix-" + std::to_string(index + 1);
    reader.read("id", prefix.id);
    reader.read("cidr", prefix.cidr);
    if (prefix.cidr.empty()) throw ScenarioError(reader.path("cidr"), "missing");
    reader.read("description", prefix.description);
    reader.read("asn", prefix.asn);
    prefix.advertised = optional_bool(reader, "advertised", false);
    const json& list = reader.array("bgp_prefixes");
    for (std::size_t i = 0; i < list.size(); ++i) {
        prefix.bgp_prefixes.push_back(read_bgp_prefix(list[i], item_path(reader.path("bgp_prefixes"), i)));
    }
    // Without a list of its own a prefix has one BGP prefix: itself.
    if (!reader.has("bgp_prefixes")) {
        prefix.bgp_prefixes.push_back({.id = {}, .cidr = prefix.cidr, .advertised = prefix.advertised});
    }
    for (std::size_t i = 0; i < prefix.bgp_prefixes.size(); ++i) {
        if (prefix.bgp_prefixes[i].id.empty())
            prefix.bgp_prefixes[i].id = prefix.id + "-bgp-" + std::to_string(i + 1);
    }
    return prefix;
}

void read_cloudflare(const json& object, CloudflareSettings& into) {
    const ObjectReader reader(object, "cloudflare",
                              {"api_token", "token_status", "account_ids", "unknown_account",
                               "unknown_field_status", "gzip", "limits", "unavailable_fields", "prefixes"});
    reader.read("api_token", into.api_token);
    reader.read("token_status", into.token_status);
    if (reader.has("account_ids")) into.account_ids = strings(reader, "account_ids");
    std::string unknown = "empty";
    reader.read("unknown_account", unknown);
    if (unknown != "empty" && unknown != "forbidden") {
        throw ScenarioError(reader.path("unknown_account"),
                            "expected empty or forbidden, found \"" + unknown + "\"");
    }
    into.unknown_account = unknown == "empty" ? CloudflareSettings::UnknownAccount::kEmptyList
                                              : CloudflareSettings::UnknownAccount::kForbidden;
    reader.read("unknown_field_status", into.unknown_field_status);
    reader.read("gzip", into.gzip);
    if (reader.has("limits")) into.limits = read_limits(reader.at("limits"), reader.path("limits"));
    into.unavailable_fields = strings(reader, "unavailable_fields");
    const json& prefixes = reader.array("prefixes");
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        into.prefixes.push_back(read_prefix(prefixes[i], item_path(reader.path("prefixes"), i), i));
    }
}

TelegramChat read_chat(const json& object, const std::string& path) {
    const ObjectReader reader(object, path, {"id", "type", "username", "threads", "state", "migrated_to"});
    TelegramChat chat;
    static_cast<void>(reader.at("id"));
    reader.read("id", chat.id);
    reader.read("type", chat.type);
    reader.read("username", chat.username);
    for (const json& thread : reader.array("threads")) {
        if (!thread.is_number_integer())
            throw ScenarioError(reader.path("threads"), "expected whole numbers");
        chat.threads.push_back(thread.get<std::int64_t>());
    }
    std::string state = "member";
    reader.read("state", state);
    if (state != "member" && state != "kicked" && state != "upgraded") {
        throw ScenarioError(reader.path("state"),
                            "expected member, kicked or upgraded, found \"" + state + "\"");
    }
    chat.state = state == "kicked"     ? TelegramChat::State::kKicked
                 : state == "upgraded" ? TelegramChat::State::kUpgraded
                                       : TelegramChat::State::kMember;
    if (state == "upgraded") static_cast<void>(reader.at("migrated_to"));
    reader.read("migrated_to", chat.migrated_to);
    return chat;
}

void read_telegram(const json& object, TelegramSettings& into) {
    const ObjectReader reader(object, "telegram", {"bot_token", "bot_username", "chats", "rates"});
    reader.read("bot_token", into.bot_token);
    reader.read("bot_username", into.bot_username);
    if (reader.has("chats")) into.chats.clear();
    const json& chats = reader.array("chats");
    for (std::size_t i = 0; i < chats.size(); ++i) {
        into.chats.push_back(read_chat(chats[i], item_path(reader.path("chats"), i)));
    }
    if (!reader.has("rates")) return;
    const ObjectReader rates(reader.at("rates"), reader.path("rates"),
                             {"enabled", "per_message_ms", "burst", "group_window_ms", "per_group_window"});
    std::int64_t per_message = into.rates.per_message.count();
    std::int64_t window = into.rates.group_window.count();
    into.rates.enabled = true;
    rates.read("enabled", into.rates.enabled);
    rates.read("per_message_ms", per_message);
    rates.read("burst", into.rates.burst);
    rates.read("group_window_ms", window);
    rates.read("per_group_window", into.rates.per_group_window);
    if (per_message < 1 || window < 1 || into.rates.burst < 1 || into.rates.per_group_window < 1) {
        throw ScenarioError(reader.path("rates"), "expected numbers of 1 or more");
    }
    into.rates.per_message = std::chrono::milliseconds{per_message};
    into.rates.group_window = std::chrono::milliseconds{window};
}

void read_time(const ObjectReader& reader, AttackTime& into) {
    std::string at;
    reader.read("at", at);
    if (reader.has("at") && !parse_moment(at)) {
        throw ScenarioError(reader.path("at"),
                            "expected a time such as 2026-01-19T22:51:50Z, found \"" + at + "\"");
    }
    into.at = at;
    for (const auto& [key, value] : {std::pair{"at_seconds_ago", &into.seconds_ago},
                                     std::pair{"at_seconds_after_start", &into.seconds_after_start},
                                     std::pair{"appears_after_seconds", &into.appears_after_seconds}}) {
        if (reader.has(key)) reader.read(key, value->emplace());
    }
    const int given = (at.empty() ? 0 : 1) + (into.seconds_ago ? 1 : 0) + (into.seconds_after_start ? 1 : 0);
    if (given != 1) {
        throw ScenarioError(reader.path("at"),
                            "exactly one of at, at_seconds_ago, at_seconds_after_start is needed");
    }
}

void read_attack(const json& object, const std::string& path, AttackOptions& attack, AttackTime& time) {
    const ObjectReader reader(
        object, path,
        {"attack_id", "vector", "rule", "protocol", "tcp_flags", "targets", "destination_port", "events",
         "sources", "source_addresses", "spoofed_share", "packets", "bits", "over_seconds", "colos", "at",
         "at_seconds_ago", "at_seconds_after_start", "appears_after_seconds"});
    reader.read("attack_id", attack.attack_id);
    reader.read("vector", attack.vector);
    reader.read("rule", attack.rule);
    reader.read("protocol", attack.protocol);
    reader.read("tcp_flags", attack.tcp_flags);
    if (reader.has("targets")) attack.targets = strings(reader, "targets");
    if (attack.targets.empty()) throw ScenarioError(reader.path("targets"), "expected at least one address");
    reader.read("destination_port", attack.destination_port);
    reader.read("events", attack.events);
    reader.read("sources", attack.sources);
    if (attack.sources == 0) throw ScenarioError(reader.path("sources"), "expected 1 or more");
    attack.source_addresses = strings(reader, "source_addresses");
    reader.read("spoofed_share", attack.spoofed_share);
    if (attack.spoofed_share < 0 || attack.spoofed_share > 1) {
        throw ScenarioError(reader.path("spoofed_share"), "expected a share from 0 to 1");
    }
    reader.read("packets", attack.packets);
    reader.read("bits", attack.bits);
    reader.read("over_seconds", attack.over_seconds);
    if (reader.has("colos")) attack.colos = strings(reader, "colos");
    if (attack.colos.empty()) throw ScenarioError(reader.path("colos"), "expected at least one code");
    read_time(reader, time);
}

}  // namespace

void read_events(const json& object, Scenario& into) {
    const ObjectReader reader(object, "",
                              {"events", "attacks", "cloudflare", "telegram", "faults", "now", "comment"});
    const json& events = reader.array("events");
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!events[i].is_object()) throw ScenarioError(item_path("events", i), "expected an object");
        into.events.push_back(events[i]);
        into.event_paths.push_back(item_path("events", i));
    }
    const json& attacks = reader.array("attacks");
    for (std::size_t i = 0; i < attacks.size(); ++i) {
        const std::string path = item_path("attacks", i);
        AttackOptions attack;
        AttackTime time;
        read_attack(attacks[i], path, attack, time);
        for (json& event : attack_events(attack, time)) {
            into.events.push_back(std::move(event));
            into.event_paths.push_back(path);
        }
    }
}

Scenario parse_scenario(const json& object) {
    Scenario scenario;
    const ObjectReader reader(object, "",
                              {"cloudflare", "telegram", "events", "attacks", "faults", "now", "comment"});
    if (reader.has("cloudflare")) read_cloudflare(reader.at("cloudflare"), scenario.cloudflare);
    if (reader.has("telegram")) read_telegram(reader.at("telegram"), scenario.telegram);
    std::string now;
    reader.read("now", now);
    scenario.now = parse_moment(now);
    if (reader.has("now") && !scenario.now)
        throw ScenarioError("now", "expected a time such as 2026-01-19T22:55:00Z");
    read_events(object, scenario);
    // The table is the judge of events; asking a scratch one gives the error now and with its path.
    EventTable scratch;
    for (std::size_t i = 0; i < scenario.events.size(); ++i) {
        scratch.add(scenario.events[i], scenario.event_paths[i], machine_time(), machine_time());
    }
    const json& faults = reader.array("faults");
    for (std::size_t i = 0; i < faults.size(); ++i) {
        scenario.faults.push_back(Fault::from_json(faults[i], item_path("faults", i)));
    }
    return scenario;
}

Scenario load_scenario(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) throw ScenarioError(file.string(), "cannot be read");
    json object;
    try {
        object = json::parse(in, nullptr, true, true);
    } catch (const json::exception& error) {
        throw ScenarioError(file.string(), std::string("is not JSON: ") + error.what());
    }
    try {
        return parse_scenario(object);
    } catch (const ScenarioError& error) {
        throw ScenarioError(file.string(), error.what());
    }
}

}  // namespace cam::simulator
