#include "clickhouse/record_block.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <vector>

#include "cam/base/check.h"
#include "clickhouse/record_columns.h"

namespace cam::clickhouse {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Parts = std::span<const EncodedRecords>;
using Order = std::vector<std::uint32_t>;

/// LEB128, as the format writes its lengths.
void append_length(std::string& out, std::uint64_t size) {
    do {
        const auto low = static_cast<char>(size & 0x7fU);
        size >>= 7U;
        out += static_cast<char>(size > 0 ? low | '\x80' : low);
    } while (size > 0);
}

void append_text(std::string& out, std::string_view text) {
    append_length(out, text.size());
    out += text;
}

template <typename Number>
void append_number(std::string& out, Number number) {
    out.append(reinterpret_cast<const char*>(&number), sizeof number);  // NOLINT: bytes of a number
}

template <typename Number>
Number number_at(std::string_view bytes, std::size_t index) {
    Number number;
    check((index + 1) * sizeof number <= bytes.size(), "a column is too short");
    std::memcpy(&number, bytes.data() + index * sizeof number, sizeof number);
    return number;
}

std::size_t rows_of(Parts parts) {
    std::size_t rows = 0;
    for (const EncodedRecords& part : parts) rows += part.rows;
    return rows;
}

/// The values of a column that one part holds.
std::string_view column_of(const EncodedRecords& part, std::size_t index) {
    std::size_t before = 0;
    for (std::size_t i = 0; i < index; ++i) before += kRecordColumns.at(i).width;
    const std::size_t size = part.rows * kRecordColumns.at(index).width;
    check((before * part.rows) + size <= part.bytes.size(), "a column is too short");
    return std::string_view{part.bytes}.substr(before * part.rows, size);
}

/// The values of all parts, one part after the other.
std::string joined(Parts parts, std::size_t index) {
    std::string out;
    out.reserve(rows_of(parts) * kRecordColumns.at(index).width);
    for (const EncodedRecords& part : parts) out += column_of(part, index);
    return out;
}

struct Place {
    std::int64_t received;
    std::uint64_t high;
    std::uint64_t low;
    std::uint32_t slot;  // five minutes
    std::uint32_t row;

    friend bool operator<(const Place& a, const Place& b) {
        return std::tie(a.slot, a.high, a.low, a.received, a.row) <
               std::tie(b.slot, b.high, b.low, b.received, b.row);
    }
};

std::uint64_t big_endian(std::uint64_t number) {
    return __builtin_bswap64(number);
}

/// Where the rows go: toStartOfFiveMinutes(received), dst_addr, received.
Order order_of(Parts parts) {
    constexpr std::int64_t kFiveMinutes = 300'000;
    const std::string times = joined(parts, kReceivedColumn);
    const std::string destinations = joined(parts, kDestinationColumn);
    std::vector<Place> places(rows_of(parts));
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto received = number_at<std::int64_t>(times, i);
        places[i] = {.received = received,
                     .high = big_endian(number_at<std::uint64_t>(destinations, 2 * i)),
                     .low = big_endian(number_at<std::uint64_t>(destinations, 2 * i + 1)),
                     .slot = static_cast<std::uint32_t>(received / kFiveMinutes),
                     .row = static_cast<std::uint32_t>(i)};
    }
    std::sort(places.begin(), places.end());
    Order order;
    order.reserve(places.size());
    for (const Place& place : places) order.push_back(place.row);
    return order;
}

template <std::size_t kWidth>
void append_in_order(std::string& out, std::string_view column, const Order& order) {
    check(column.size() == order.size() * kWidth, "a column is not of as many rows");
    std::size_t at = out.size();
    out.resize(at + column.size());
    for (const std::uint32_t row : order) {
        std::memcpy(&out[at], column.data() + row * kWidth, kWidth);
        at += kWidth;
    }
}

void append_in_order(std::string& out, std::string_view column, std::size_t width, const Order& order) {
    switch (width) {
        case 1:
            return append_in_order<1>(out, column, order);
        case 2:
            return append_in_order<2>(out, column, order);
        case 4:
            return append_in_order<4>(out, column, order);
        case 8:
            return append_in_order<8>(out, column, order);
        default:
            return append_in_order<16>(out, column, order);
    }
}

bool is_uniform(std::string_view column, std::size_t width) {
    return std::memcmp(column.data(), column.data() + width, column.size() - width) == 0;
}

bool is_zero(Parts parts, std::size_t index) {
    return std::all_of(parts.begin(), parts.end(), [index](const EncodedRecords& part) {
        const std::string_view column = column_of(part, index);
        return column.empty() || (column.front() == 0 && is_uniform(column, 1));
    });
}

/// Where each row's array ends, then the values of all.
void append_labels(std::string& out, std::string_view column, const Order& order) {
    std::string labels;
    std::uint64_t end = 0;
    for (const std::uint32_t row : order) {
        const auto told = number_at<std::uint64_t>(column, row);
        if (told > 0) {
            append_number(labels, static_cast<std::uint32_t>(told));
            ++end;
        }
        append_number(out, end);
    }
    out += labels;
}

/// A LowCardinality(String): the texts that occur, then which of them each row has.
void append_collectors(std::string& out, Parts parts, const Order& order) {
    constexpr std::uint64_t kVersion = 1;
    constexpr std::uint64_t kIndexOf32Bits = 2;
    constexpr std::uint64_t kOwnTexts = 1U << 9U | 1U << 10U;
    std::vector<std::string_view> texts;
    std::string indexes;
    for (const EncodedRecords& part : parts) {
        const auto found = std::find(texts.begin(), texts.end(), part.collector);
        const auto index = static_cast<std::uint32_t>(found - texts.begin());
        if (found == texts.end()) texts.emplace_back(part.collector);
        for (std::size_t i = 0; i < part.rows; ++i) append_number(indexes, index);
    }
    append_number(out, kVersion);
    append_number(out, kIndexOf32Bits | kOwnTexts);
    append_number(out, std::uint64_t{texts.size()});
    for (const std::string_view text : texts) append_text(out, text);
    append_number(out, std::uint64_t{order.size()});
    append_in_order<4>(out, indexes, order);
}

}  // namespace

RecordBlock block_of(Parts parts) {
    constexpr std::size_t kHeader = 4096;
    const Order order = order_of(parts);
    check(!order.empty(), "a block without rows");
    std::size_t size = kHeader + order.size() * sizeof(std::uint32_t);
    for (const EncodedRecords& part : parts) size += part.bytes.size();

    RecordBlock block{.bytes = std::string(1, '\0'), .columns = "collector"};  // the number of columns: below
    block.bytes.reserve(size);
    append_length(block.bytes, order.size());
    append_text(block.bytes, "collector");
    append_text(block.bytes, "LowCardinality(String)");
    append_collectors(block.bytes, parts, order);
    char columns = 1;
    for (std::size_t i = 0; i < kRecordColumns.size(); ++i) {
        if (is_zero(parts, i)) continue;
        const RecordColumn& column = kRecordColumns.at(i);
        const std::string values = joined(parts, i);
        ++columns;
        block.columns += ", ";
        block.columns += column.name;
        append_text(block.bytes, column.name);
        append_text(block.bytes, column.type);
        if (i == kLabelColumn) {
            append_labels(block.bytes, values, order);
        } else if (is_uniform(values, column.width)) {
            block.bytes += values;
        } else {
            append_in_order(block.bytes, values, column.width, order);
        }
    }
    static_assert(kRecordColumns.size() < 127, "the number of columns is one byte");
    block.bytes.front() = columns;
    return block;
}

}  // namespace cam::clickhouse
