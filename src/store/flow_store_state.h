#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "cam/base/result.h"
#include "cam/model/prefix.h"
#include "cam/store/flow_store.h"
#include "connection.h"
#include "prefix_ids.h"
#include "sqlite_database.h"

namespace cam::store {

/// What a FlowStore is made of. One thread at a time.
struct FlowStore::State : Connection {
    explicit State(Connection&& connection) : Connection(std::move(connection)) {}
    PrefixIds prefixes;
};

/// The keys in monitor_state.
constexpr std::string_view kFlowGeneration = "flow_generation";
constexpr std::string_view kJudgedTo = "flow_judged_to";

Result<std::optional<MinuteTime>> read_judged_to(Database& database);

/// The one of `values` that the text names.
template <typename Enum>
[[nodiscard]] std::optional<Enum> named(std::string_view text, std::initializer_list<Enum> values) {
    for (const Enum value : values) {
        if (text == name(value)) return value;
    }
    return std::nullopt;
}

/// As stored: minutes since 1970.
[[nodiscard]] inline std::int64_t number_of(MinuteTime minute) {
    return minute.time_since_epoch().count();
}
[[nodiscard]] inline MinuteTime minute_of(std::int64_t number) {
    return MinuteTime{std::chrono::minutes{number}};
}

}  // namespace cam::store
