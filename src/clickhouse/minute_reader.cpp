#include "cam/clickhouse/minute_reader.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <spdlog/fmt/fmt.h>

#include "cam/clickhouse/plan_writer.h"
#include "cam/model/traffic_class.h"
#include "clickhouse/facet_query.h"
#include "clickhouse/minute_rows.h"
#include "clickhouse/row_reader.h"

namespace cam::clickhouse {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kMostPoints = 10'000;
/// How many minutes one answer holds: 50,000 prefixes with all classes are 20 MB a minute.
constexpr minutes kStretch{10};
constexpr std::size_t kMostAnswerBytes = std::size_t{512} * 1024 * 1024;
/// Sums in the tables are of 128 bits; a Volume saturates.
constexpr const char* kSums =
    "toUInt64(least(sum(bytes), toUInt128(18446744073709551615))), "
    "toUInt64(least(sum(packets), toUInt128(18446744073709551615))), "
    "toUInt64(least(sum(flows), toUInt128(18446744073709551615)))";

std::string seconds_text(MinuteTime minute) {
    return fmt::format("{}", seconds{minute.time_since_epoch()}.count());
}

/// Parameters {from} and {to}, in seconds since 1970.
Query over(std::string text, MinuteTime from, MinuteTime to, std::stop_token stop) {
    Query query{.text = std::move(text)};
    query.parameters = {{"from", seconds_text(from)}, {"to", seconds_text(to)}};
    query.max_answer_bytes = kMostAnswerBytes;
    query.stop = std::move(stop);
    return query;
}

std::string mapped_text(const IpAddress& address) {
    return address.family() == IpAddress::Family::kV4 ? "::ffff:" + address.text() : address.text();
}

IpAddress last_address(const Prefix& prefix) {
    std::array<std::uint8_t, 16> bytes = prefix.address().bytes();
    for (unsigned bit = prefix.length(); bit < prefix.address().width(); ++bit) {
        bytes.at(bit / 8) = static_cast<std::uint8_t>(bytes.at(bit / 8) | (0x80U >> (bit % 8)));
    }
    if (prefix.address().family() == IpAddress::Family::kV6) return IpAddress::v6(bytes);
    return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

using Minutes = std::unordered_map<std::int64_t, ReadMinute>;  // by minute since 1970

std::vector<TrafficPoint> series_of(Minutes& by_minute, MinuteTime from, MinuteTime to, minutes step) {
    std::vector<TrafficPoint> out;
    for (MinuteTime start = from; start < to; start += step) {
        TrafficPoint point{.start = start};
        for (MinuteTime at = start; at < std::min(start + step, to); at += minutes{1}) {
            const auto found = by_minute.find(at.time_since_epoch().count());
            if (found == by_minute.end()) continue;
            ++point.collected;
            if (found->second.prefixes.empty()) continue;
            ClassVolumes& classes = found->second.prefixes.front().classes;
            add_up(classes);
            for (std::size_t i = 0; i < classes.size(); ++i) point.sum.at(i) += classes.at(i);
            const Volume& all = classes.front();
            point.peak = {.bytes = std::max(point.peak.bytes, all.bytes),
                          .packets = std::max(point.peak.packets, all.packets),
                          .flows = std::max(point.peak.flows, all.flows)};
        }
        out.push_back(point);
    }
    return out;
}

Error cut() {
    return {ErrorCode::kBroken, "ClickHouse's answer ends within a row"};
}

}  // namespace

struct MinuteReader::State {
    Client& client;
    std::unordered_map<std::uint64_t, Prefix> names{};

    /// Prefixes are only ever added to the table, so what is known stays true.
    Status read_names(const std::stop_token& stop) {
        const Result<std::string> answer = client.run(
            {.text = "SELECT prefix_id, any(address), any(length) FROM prefixes GROUP BY prefix_id "
                     "FORMAT RowBinary",
             .stop = stop});
        if (!answer) return answer.error();
        RowReader reader{*answer};
        while (!reader.at_end()) {
            const auto id = reader.number<std::uint64_t>();
            const auto address = reader.address();
            const auto length = reader.number<std::uint8_t>();
            if (!length) return cut();
            if (*length <= address->width()) names.insert_or_assign(*id, Prefix::covering(*address, *length));
        }
        return Done{};
    }

    /// Hands over the rows of a stretch once all their prefixes are known, if the table knows them.
    Status assemble(std::string_view answer, const std::function<void(const ReadMinute&)>& take,
                    const std::stop_token& stop) {
        bool all_known = true;
        Status checked = each_minute_row(answer, [&](const MinuteRow& row) {
            all_known = all_known && (row.prefix_id == 0 || names.contains(row.prefix_id));
        });
        if (!checked) return checked;
        if (!all_known) {
            if (Status read = read_names(stop); !read) return read;
        }
        MinuteAssembler assembler{[this](std::uint64_t id) -> std::optional<Prefix> {
                                      const auto found = names.find(id);
                                      if (found == names.end()) return std::nullopt;
                                      return found->second;
                                  },
                                  take};
        Status read = each_minute_row(answer, [&](const MinuteRow& row) { assembler.add(row); });
        if (read) assembler.finish();
        return read;
    }

    /// The rows of one prefix and of all traffic (id 0).
    Result<std::string> rows_of(const Prefix& prefix, MinuteTime from, MinuteTime to, std::stop_token stop) {
        Query query =
            over(fmt::format("SELECT minute, prefix_id, traffic_class, {}, sum(records) FROM "
                             "prefix_minutes WHERE minute >= toDateTime({{from:Int64}}) AND minute < "
                             "toDateTime({{to:Int64}}) AND prefix_id IN (0, {{id:UInt64}}) GROUP BY "
                             "minute, prefix_id, traffic_class FORMAT RowBinary",
                             kSums),
                 from, to, std::move(stop));
        query.parameters.emplace_back("id", fmt::format("{}", prefix_id(prefix)));
        return client.run(query);
    }
};

MinuteReader::MinuteReader(Client& client) : state_(std::make_unique<State>(State{client})) {}
MinuteReader::~MinuteReader() = default;

Result<std::vector<MinuteVersion>> MinuteReader::minutes(MinuteTime from, MinuteTime to,
                                                         std::stop_token stop) {
    const Result<std::string> answer = state_->client.run(over(
        "SELECT minute, sum(records) FROM prefix_minutes WHERE prefix_id = 0 AND minute >= "
        "toDateTime({from:Int64}) AND minute < toDateTime({to:Int64}) GROUP BY minute ORDER BY minute FORMAT "
        "RowBinary",
        from, to, std::move(stop)));
    if (!answer) return answer.error();
    std::vector<MinuteVersion> out;
    RowReader reader{*answer};
    while (!reader.at_end()) {
        const auto at = reader.number<std::uint32_t>();
        const auto records = reader.number<std::uint64_t>();
        if (!records) return cut();
        out.push_back({.minute = MinuteTime{std::chrono::minutes{*at / 60}}, .records = *records});
    }
    return out;
}

Result<std::vector<CollectorProgress>> MinuteReader::progress(MinuteTime from, std::stop_token stop) {
    Query query = over(
        "SELECT collector, toUnixTimestamp64Milli(max(newest)), sum(records) FROM collector_minutes WHERE "
        "minute >= "
        "toDateTime({from:Int64}) GROUP BY collector ORDER BY collector FORMAT RowBinary",
        from, from, std::move(stop));
    const Result<std::string> answer = state_->client.run(query);
    if (!answer) return answer.error();
    std::vector<CollectorProgress> out;
    RowReader reader{*answer};
    while (!reader.at_end()) {
        auto collector = reader.text();
        const auto newest = reader.number<std::int64_t>();
        const auto records = reader.number<std::uint64_t>();
        if (!collector || !records) return cut();
        out.push_back({.collector = *std::move(collector),
                       .newest = WallTime{std::chrono::milliseconds{*newest}},
                       .records = *records});
    }
    return out;
}

Result<std::vector<SenderProgress>> MinuteReader::senders(MinuteTime from, std::size_t most,
                                                          std::stop_token stop) {
    Query query =
        over(fmt::format("SELECT sampler_address, toUnixTimestamp64Milli(max(newest)) AS last, sum(records) "
                         "FROM collector_minutes WHERE minute >= toDateTime({{from:Int64}}) GROUP BY "
                         "sampler_address ORDER BY dictHas('{}.router_settings', tuple(sampler_address)) "
                         "DESC, last DESC LIMIT {{most:UInt64}} FORMAT RowBinary",
                         state_->client.database()),
             from, from, std::move(stop));
    query.parameters.emplace_back("most", fmt::format("{}", most));
    const Result<std::string> answer = state_->client.run(query);
    if (!answer) return answer.error();
    std::vector<SenderProgress> out;
    RowReader reader{*answer};
    while (!reader.at_end()) {
        const auto exporter = reader.address();
        const auto newest = reader.number<std::int64_t>();
        const auto records = reader.number<std::uint64_t>();
        if (!records) return cut();
        out.push_back({.exporter = *exporter,
                       .newest = WallTime{std::chrono::milliseconds{*newest}},
                       .records = *records});
    }
    return out;
}

Result<std::vector<MinuteCoverage>> MinuteReader::coverage(MinuteTime from, MinuteTime to,
                                                           std::stop_token stop) {
    const Result<std::string> answer = state_->client.run(
        over("SELECT minute, toUnixTimestamp64Milli(min(oldest)), toUnixTimestamp64Milli(max(newest)) FROM "
             "collector_minutes WHERE minute >= toDateTime({from:Int64}) AND minute < "
             "toDateTime({to:Int64}) GROUP BY minute ORDER BY minute FORMAT RowBinary",
             from, to, std::move(stop)));
    if (!answer) return answer.error();
    std::vector<MinuteCoverage> out;
    RowReader reader{*answer};
    while (!reader.at_end()) {
        const auto at = reader.number<std::uint32_t>();
        const auto oldest = reader.number<std::int64_t>();
        const auto newest = reader.number<std::int64_t>();
        if (!newest) return cut();
        out.push_back({.minute = MinuteTime{std::chrono::minutes{*at / 60}},
                       .oldest = WallTime{std::chrono::milliseconds{*oldest}},
                       .newest = WallTime{std::chrono::milliseconds{*newest}}});
    }
    return out;
}

Result<ReadMinute> MinuteReader::minute(MinuteTime minute, std::stop_token stop) {
    ReadMinute found{.version = {.minute = minute}, .prefixes = {}};
    Status read = read_minutes(
        minute, minute + std::chrono::minutes{1}, [&](const ReadMinute& one) { found = one; },
        std::move(stop));
    if (!read) return std::move(read).error();
    return found;
}

Status MinuteReader::read_minutes(MinuteTime from, MinuteTime to,
                                  const std::function<void(const ReadMinute&)>& take, std::stop_token stop) {
    for (MinuteTime begin = from; begin < to; begin += kStretch) {
        const Result<std::string> answer = state_->client.run(over(
            fmt::format("SELECT minute, prefix_id, traffic_class, {}, sum(records) FROM prefix_minutes WHERE "
                        "minute >= toDateTime({{from:Int64}}) AND minute < toDateTime({{to:Int64}}) GROUP BY "
                        "minute, prefix_id, traffic_class ORDER BY minute, prefix_id FORMAT RowBinary",
                        kSums),
            begin, std::min(begin + kStretch, to), stop));
        if (!answer) return answer.error();
        if (Status assembled = state_->assemble(*answer, take, stop); !assembled) return assembled;
    }
    return Done{};
}

Result<std::vector<Contributor>> MinuteReader::contributors(const Prefix& prefix, MinuteTime from,
                                                            MinuteTime to, TrafficFacet facet,
                                                            std::size_t most, std::stop_token stop) {
    Query query =
        over(fmt::format(
                 "SELECT {}, toUInt64(least(sum(toUInt128(total_bytes)) AS sum_of_bytes, "
                 "toUInt128(18446744073709551615))), toUInt64(least(sum(toUInt128(total_packets)), "
                 "toUInt128(18446744073709551615))), toUInt64(least(sum(toUInt128(rate)), "
                 "toUInt128(18446744073709551615))) FROM raw WHERE received >= toDateTime64({{from:Int64}}, "
                 "3) AND "
                 "received < toDateTime64({{to:Int64}}, 3) AND dst_addr BETWEEN toIPv6({{first:String}}) AND "
                 "toIPv6({{last:String}}) AND {} GROUP BY address, first, second, key_text ORDER BY "
                 "sum_of_bytes DESC, "
                 "address, first, second, key_text LIMIT {{most:UInt64}} FORMAT RowBinary",
                 facet_columns(facet), facet_condition(facet)),
             from, to, std::move(stop));
    query.parameters.emplace_back("first", mapped_text(prefix.address()));
    query.parameters.emplace_back("last", mapped_text(last_address(prefix)));
    query.parameters.emplace_back("most", fmt::format("{}", most));
    const Result<std::string> answer = state_->client.run(query);
    if (!answer) return answer.error();
    std::vector<Contributor> out;
    RowReader reader{*answer};
    while (!reader.at_end()) {
        const auto address = reader.address();
        const auto first = reader.number<std::uint64_t>();
        const auto second = reader.number<std::uint64_t>();
        auto text = reader.text();
        const auto bytes = reader.number<std::uint64_t>();
        const auto packets = reader.number<std::uint64_t>();
        const auto flows = reader.number<std::uint64_t>();
        if (!text || !flows) return cut();
        const FacetKey key{*address, *first, *second, *std::move(text)};
        out.push_back({.prefix = prefix,
                       .minute = from,
                       .facet = facet,
                       .key = facet_text(facet, key),
                       .volume = {.bytes = *bytes, .packets = *packets, .flows = *flows}});
    }
    return out;
}

Result<std::vector<TrafficPoint>> MinuteReader::series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                       std::chrono::minutes step, std::stop_token stop) {
    if (step <= std::chrono::minutes{0} || to <= from ||
        static_cast<std::size_t>((to - from + step - std::chrono::minutes{1}) / step) > kMostPoints) {
        return Error{ErrorCode::kInvalid, fmt::format("a chart has 1 to {} points", kMostPoints)};
    }
    Result<std::string> answer = state_->rows_of(prefix, from, to, std::move(stop));
    if (!answer) return std::move(answer).error();
    Minutes by_minute;
    Status read = each_minute_row(*answer, [&](const MinuteRow& row) {
        const std::int64_t at = row.minute.time_since_epoch().count();
        ReadMinute& one = by_minute.try_emplace(at).first->second;
        if (row.prefix_id == 0) {
            one.version.records += row.records;
            return;
        }
        if (one.prefixes.empty()) one.prefixes.push_back({.prefix = prefix, .minute = row.minute});
        one.prefixes.front().classes.at(static_cast<std::size_t>(row.traffic_class)) += row.volume;
    });
    if (!read) return std::move(read).error();
    return series_of(by_minute, from, to, step);
}

}  // namespace cam::clickhouse
