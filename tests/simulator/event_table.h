#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/event_fields.h"
#include "simulator/moment.h"

namespace cam::simulator {

/// One value of a row, kept once for all rows that share it.
struct Cell {
    enum class Kind { kMissing, kNull, kNumber, kText, kOther };
    Kind kind = Kind::kMissing;
    std::string json;  ///< as it goes over the wire
    std::string text;  ///< kText: the characters
    double number = 0;
    std::uint64_t count = 0;  ///< kNumber: the exact value when it is a whole one
};

struct EventRow {
    Moment at;
    Moment visible_from;  ///< no answer shows the row before
    std::array<std::uint32_t, kFieldCount> cells{};
    std::uint32_t packets = 0;
    std::uint32_t bits = 0;
};

/// What a query wants from the table.
struct RowSelection {
    struct Column {
        std::string key;     ///< its name in the answer
        std::size_t column;  ///< index of a dimension; 0 packets, 1 bits in a sum
    };
    struct Part {
        std::string key;
        enum class Kind { kDimensions, kSum, kTypeName } kind;
        std::vector<Column> columns;
    };
    struct Order {
        enum class By { kDimension, kPackets, kBits } by;
        std::size_t column = 0;
        bool descending = false;
    };
    std::vector<Part> parts;
    std::vector<Order> order;
    std::size_t limit = 0;
};

/// Mitigation events sorted by time. Guarded by its owner.
class EventTable {
public:
    using Test = std::function<bool(const EventRow&)>;

    EventTable();
    /// Takes an event as a flat object (dimensions, packets, bits, control keys: README.md) or in the shape
    /// of an answer (`dimensions`, `sum`). Relative times count from `start` and `now`. Throws ScenarioError
    /// naming `path`.
    void add(const nlohmann::json& event, const std::string& path, Moment start, Moment now);
    void clear() { rows_.clear(); }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }

    /// Appends the JSON array of matching rows, grouped by the selected dimensions as Cloudflare does, sorted
    /// and cut. Only rows in [from, to] that are visible at `now` are tested. Returns the number of rows.
    std::size_t append_answer(std::string& out, const RowSelection& selection, Moment from, Moment to,
                              Moment now, const Test& test);

    [[nodiscard]] const Cell& cell(std::uint32_t id) const { return cells_.at(id); }

private:
    struct Group {
        const EventRow* row;
        std::uint64_t packets = 0;
        std::uint64_t bits = 0;
        std::size_t size = 1;
    };

    std::uint32_t keep(const nlohmann::json& value);
    std::uint32_t add_cell(const nlohmann::json& value);
    void derive(EventRow& row);
    void sort();
    [[nodiscard]] std::vector<Group> grouped(const RowSelection& selection, Moment from, Moment to,
                                             Moment now, const Test& test) const;
    void order(std::vector<Group>& groups, const RowSelection& selection) const;
    void append_group(std::string& out, const RowSelection& selection, const Group& group) const;

    std::deque<Cell> cells_;
    std::unordered_map<std::string, std::uint32_t> texts_;
    std::unordered_map<std::uint64_t, std::uint32_t> counts_;
    std::unordered_map<std::string, std::uint32_t> others_;
    std::uint32_t empty_text_;
    std::uint32_t zero_;
    std::vector<EventRow> rows_;
    bool sorted_ = true;
};

}  // namespace cam::simulator
