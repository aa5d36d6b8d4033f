#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/settings.h"

namespace cam::app {

/// Takes typed values out of a JSON document by path, noting every problem and which paths it was asked for;
/// what the document has beyond those is unknown. One thread at a time; the document must outlive it.
class SettingsReader {
public:
    SettingsReader(const nlohmann::ordered_json& document, std::vector<Finding>& findings)
        : document_(document), findings_(findings) {}

    /// Each leaves `out` as it is when the key is absent or wrong.
    void text(std::string_view path, std::string& out);
    void flag(std::string_view path, bool& out);
    /// Refused outside [`least`, `most`].
    void number(std::string_view path, std::uint64_t least, std::uint64_t most, std::uint64_t& out);
    /// An integer, or null for nothing.
    void optional_integer(std::string_view path, std::optional<std::int64_t>& out);
    /// A string, or an integer taken as its digits (Telegram's chat ids).
    void text_or_integer(std::string_view path, std::string& out);
    void texts(std::string_view path, std::vector<std::string>& out);
    void prefixes(std::string_view path, std::vector<Prefix>& out);
    void listen(std::string_view path, ListenAddress& out);
    void listen_list(std::string_view path, std::vector<ListenAddress>& out);
    /// An object of strings, order kept by name.
    void text_map(std::string_view path, std::vector<std::pair<std::string, std::string>>& out);
    /// An http or https URL without a trailing slash.
    void url(std::string_view path, std::string& out);

    /// Notes every key that nobody asked for, with the nearest known one.
    void note_unknown_keys();
    void error(std::string_view path, std::string what);
    void warning(std::string_view path, std::string what);
    [[nodiscard]] const std::vector<std::string>& asked() const { return asked_; }

private:
    const nlohmann::ordered_json* find(std::string_view path);
    void note_unknown_keys(const nlohmann::ordered_json& object, const std::string& path);
    [[nodiscard]] bool is_group(const std::string& path) const;

    const nlohmann::ordered_json& document_;
    std::vector<Finding>& findings_;
    std::vector<std::string> asked_;
    std::vector<std::string> open_maps_;       // objects whose keys are free
    std::vector<std::string> refused_groups_;  // told once that they are no objects
};

/// Reads `host:port`, `[v6]:port`; the host must be an address.
[[nodiscard]] std::optional<ListenAddress> parse_listen(std::string_view text);

}  // namespace cam::app
