#include "clickhouse/minute_rows.h"

#include <utility>

#include "cam/model/traffic_class.h"
#include "clickhouse/row_reader.h"

namespace cam::clickhouse {

Status each_minute_row(std::string_view answer, const std::function<void(const MinuteRow&)>& take) {
    RowReader reader{answer};
    while (!reader.at_end()) {
        const auto seconds = reader.number<std::uint32_t>();
        const auto id = reader.number<std::uint64_t>();
        const auto traffic_class = reader.number<std::int8_t>();
        const auto bytes = reader.number<std::uint64_t>();
        const auto packets = reader.number<std::uint64_t>();
        const auto flows = reader.number<std::uint64_t>();
        const auto records = reader.number<std::uint64_t>();
        if (!records) return Error{ErrorCode::kBroken, "ClickHouse's answer ends within a row"};
        if (*traffic_class < 1 || *traffic_class >= static_cast<std::int8_t>(kTrafficClassCount)) {
            return Error{ErrorCode::kBroken, "ClickHouse's answer names a traffic class that does not exist"};
        }
        take({.minute = MinuteTime{std::chrono::minutes{*seconds / 60}},
              .prefix_id = *id,
              .traffic_class = static_cast<TrafficClass>(*traffic_class),
              .volume = {.bytes = *bytes, .packets = *packets, .flows = *flows},
              .records = *records});
    }
    return Done{};
}

void MinuteAssembler::add(const MinuteRow& row) {
    if (open_ && open_->version.minute != row.minute) finish();
    if (!open_) open_ = ReadMinute{.version = {.minute = row.minute}, .prefixes = {}};
    if (row.prefix_id == 0) {
        open_->version.records += row.records;
        return;
    }
    add_to_prefix(row);
}

void MinuteAssembler::add_to_prefix(const MinuteRow& row) {
    std::vector<PrefixMinute>& prefixes = open_->prefixes;
    if (prefixes.empty() || last_id_ != row.prefix_id) {
        const std::optional<Prefix> prefix = names_(row.prefix_id);
        if (!prefix) return;
        if (!prefixes.empty()) add_up(prefixes.back().classes);
        prefixes.push_back({.prefix = *prefix, .minute = row.minute});
        last_id_ = row.prefix_id;
    }
    prefixes.back().classes.at(static_cast<std::size_t>(row.traffic_class)) += row.volume;
}

void MinuteAssembler::finish() {
    if (!open_) return;
    if (!open_->prefixes.empty()) add_up(open_->prefixes.back().classes);
    const ReadMinute whole = *std::exchange(open_, std::nullopt);
    take_(whole);
}

}  // namespace cam::clickhouse
