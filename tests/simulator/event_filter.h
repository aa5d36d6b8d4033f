#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/event_table.h"

namespace cam::simulator {

/// The `filter` argument of a dataset. Immutable.
class EventFilter {
public:
    /// Throws std::invalid_argument with a text fit for `error parsing args`.
    explicit EventFilter(const nlohmann::json& filter);

    /// The bounds on `datetime` that hold for every row (those inside OR do not).
    [[nodiscard]] std::optional<Moment> from() const { return from_; }
    [[nodiscard]] std::optional<Moment> to() const { return to_; }
    [[nodiscard]] bool accepts(const EventTable& table, const EventRow& row) const;

private:
    enum class Operator { kEq, kNeq, kGt, kGeq, kLt, kLeq, kIn, kNotIn, kLike };
    struct Condition {
        std::size_t field = 0;
        Operator op = Operator::kEq;
        std::vector<Cell> values;
        std::vector<Moment> moments;            ///< of `datetime`
        std::vector<EventFilter> alternatives;  ///< an OR; the rest is unused
    };

    void read_member(const std::string& name, const nlohmann::json& value);
    void read_condition(Condition& condition, const std::string& name, const nlohmann::json& value);
    void narrow(const Condition& condition);
    void merge_bounds(const EventFilter& other);
    [[nodiscard]] static bool matches(const Condition& condition, const Cell& cell, Moment at);

    std::vector<Condition> conditions_;
    std::vector<EventFilter> all_of_;
    std::optional<Moment> from_;
    std::optional<Moment> to_;
};

}  // namespace cam::simulator
