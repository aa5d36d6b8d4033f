#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace cam::simulator {

enum class FieldType { kTime, kText, kNumber };

struct EventField {
    std::string_view name;
    FieldType type;
};

inline constexpr std::size_t kFieldCount = 92;
inline constexpr std::size_t kDatetime = 0;

/// The dimensions the dataset dosdNetworkAnalyticsAdaptiveGroups has here.
std::span<const EventField, kFieldCount> event_fields();
std::optional<std::size_t> find_event_field(std::string_view name);

}  // namespace cam::simulator
