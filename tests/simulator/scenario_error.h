#pragma once

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace cam::simulator {

/// Says which part of a scenario is wrong, by JSON path, and what is expected there.
class ScenarioError : public std::runtime_error {
public:
    ScenarioError(const std::string& path, const std::string& what)
        : std::runtime_error((path.empty() ? std::string("(top level)") : path) + ": " + what) {}
};

/// Reads one JSON object key by key; every function throws ScenarioError on a wrong type. Keeps a reference
/// to the JSON.
class ObjectReader {
public:
    /// `known` are the only keys allowed.
    ObjectReader(const nlohmann::json& json, std::string path, std::initializer_list<std::string_view> known);

    [[nodiscard]] bool has(const char* key) const { return json_.contains(key); }
    [[nodiscard]] const nlohmann::json& at(const char* key) const;
    [[nodiscard]] std::string path(const std::string& key) const;
    void read(const char* key, std::string& into) const;
    void read(const char* key, bool& into) const;
    void read(const char* key, int& into) const;
    void read(const char* key, std::int64_t& into) const;
    void read(const char* key, std::size_t& into) const;
    void read(const char* key, double& into) const;
    /// An absent key is an empty array.
    [[nodiscard]] const nlohmann::json& array(const char* key) const;

private:
    const nlohmann::json& json_;
    std::string path_;
};

}  // namespace cam::simulator
