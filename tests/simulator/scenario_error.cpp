#include "simulator/scenario_error.h"

#include <algorithm>

namespace cam::simulator {

using nlohmann::json;

ObjectReader::ObjectReader(const json& object, std::string path,
                           std::initializer_list<std::string_view> known)
    : json_(object), path_(std::move(path)) {
    if (!json_.is_object())
        throw ScenarioError(path_, std::string("expected an object, found ") + json_.type_name());
    for (const auto& [key, value] : json_.items()) {
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        std::string all;
        for (const std::string_view one : known) all.append(all.empty() ? "" : ", ").append(one);
        throw ScenarioError(this->path(key), "unknown key; known are " + all);
    }
}

std::string ObjectReader::path(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
}

const json& ObjectReader::at(const char* key) const {
    if (!json_.contains(key)) throw ScenarioError(path(key), "missing");
    return json_.at(key);
}

void ObjectReader::read(const char* key, std::string& into) const {
    if (!has(key)) return;
    if (!at(key).is_string()) throw ScenarioError(path(key), "expected a string, found " + at(key).dump());
    into = at(key).get<std::string>();
}

void ObjectReader::read(const char* key, bool& into) const {
    if (!has(key)) return;
    if (!at(key).is_boolean())
        throw ScenarioError(path(key), "expected true or false, found " + at(key).dump());
    into = at(key).get<bool>();
}

void ObjectReader::read(const char* key, int& into) const {
    std::int64_t value = into;
    read(key, value);
    into = static_cast<int>(value);
}

void ObjectReader::read(const char* key, std::int64_t& into) const {
    if (!has(key)) return;
    if (!at(key).is_number_integer()) {
        throw ScenarioError(path(key), "expected a whole number, found " + at(key).dump());
    }
    into = at(key).get<std::int64_t>();
}

void ObjectReader::read(const char* key, std::size_t& into) const {
    if (!has(key)) return;
    if (!at(key).is_number_integer() || at(key).get<std::int64_t>() < 0) {
        throw ScenarioError(path(key), "expected a whole number of 0 or more, found " + at(key).dump());
    }
    into = at(key).get<std::size_t>();
}

void ObjectReader::read(const char* key, double& into) const {
    if (!has(key)) return;
    if (!at(key).is_number()) throw ScenarioError(path(key), "expected a number, found " + at(key).dump());
    into = at(key).get<double>();
}

const json& ObjectReader::array(const char* key) const {
    static const json empty = json::array();
    if (!has(key)) return empty;
    if (!at(key).is_array())
        throw ScenarioError(path(key), std::string("expected an array, found ") + at(key).type_name());
    return at(key);
}

}  // namespace cam::simulator
