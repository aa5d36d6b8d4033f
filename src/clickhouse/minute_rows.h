#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "cam/base/result.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/model/traffic.h"

namespace cam::clickhouse {

/// A row of `prefix_minutes` as MinuteReader asks for it.
struct MinuteRow {
    MinuteTime minute;
    std::uint64_t prefix_id = 0;
    TrafficClass traffic_class = TrafficClass::kAll;
    Volume volume;
    std::uint64_t records = 0;
};

/// Reads such rows; kBroken if the answer does not hold whole ones, or a class that does not exist.
Status each_minute_row(std::string_view answer, const std::function<void(const MinuteRow&)>& take);

/// Makes minutes of rows that come ordered by minute.
class MinuteAssembler {
public:
    /// The prefix of an id; nullopt leaves the row out.
    using Names = std::function<std::optional<Prefix>(std::uint64_t)>;
    MinuteAssembler(Names names, std::function<void(const ReadMinute&)> take)
        : names_(std::move(names)), take_(std::move(take)) {}
    void add(const MinuteRow& row);
    /// The last minute is complete.
    void finish();

private:
    void add_to_prefix(const MinuteRow& row);
    Names names_;
    std::function<void(const ReadMinute&)> take_;
    std::optional<ReadMinute> open_{};
    std::uint64_t last_id_ = 0;
};

}  // namespace cam::clickhouse
