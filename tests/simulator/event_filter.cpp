#include "simulator/event_filter.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace cam::simulator {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// SQL's LIKE with `%` for any run of characters, `_` being a plain character.
bool is_like(std::string_view text, std::string_view pattern) {
    std::size_t t = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '%') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '%') ++p;
    return p == pattern.size();
}

Cell cell_of(const json& value, const EventField& field) {
    Cell cell;
    if (value.is_null()) {
        cell.kind = Cell::Kind::kNull;
        return cell;
    }
    const bool fits = field.type == FieldType::kNumber ? value.is_number() : value.is_string();
    if (!fits) {
        throw std::invalid_argument(std::string(field.name) + ": expected a " +
                                    (field.type == FieldType::kNumber ? "number" : "string") + ", found " +
                                    value.dump());
    }
    if (value.is_number()) {
        cell.kind = Cell::Kind::kNumber;
        cell.number = value.get<double>();
    } else {
        cell.kind = Cell::Kind::kText;
        cell.text = value.get<std::string>();
    }
    if (field.type == FieldType::kTime) {
        const auto moment = parse_moment(cell.text);
        if (!moment) throw std::invalid_argument(std::string(field.name) + ": not a time: " + value.dump());
        cell.text = moment_text(*moment);
    }
    return cell;
}

int compare_values(const Cell& a, const Cell& b) {
    if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
    if (a.kind == Cell::Kind::kNumber) return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
    return a.text.compare(b.text);
}

template <typename T, typename Compare>
bool in(const T& value, const std::vector<T>& values, Compare compare) {
    return std::any_of(values.begin(), values.end(), [&](const T& one) { return compare(value, one) == 0; });
}

}  // namespace

EventFilter::EventFilter(const json& filter) {
    if (filter.is_null()) return;
    if (!filter.is_object())
        throw std::invalid_argument("filter: expected an object, found " + filter.dump());
    for (const auto& [name, value] : filter.items()) read_member(name, value);
}

void EventFilter::read_member(const std::string& name, const json& value) {
    if (name == "AND" || name == "OR") {
        const json list = value.is_array() ? value : json::array({value});
        Condition any;
        for (const json& one : list) {
            (name == "AND" ? all_of_ : any.alternatives).emplace_back(one);
            if (name == "AND") merge_bounds(all_of_.back());
        }
        if (!any.alternatives.empty()) conditions_.push_back(std::move(any));
        return;
    }
    Condition condition;
    read_condition(condition, name, value);
    narrow(condition);
    conditions_.push_back(std::move(condition));
}

void EventFilter::read_condition(Condition& condition, const std::string& name, const json& value) {
    constexpr std::array<std::pair<std::string_view, Operator>, 8> kSuffixes{{{"_neq", Operator::kNeq},
                                                                              {"_gt", Operator::kGt},
                                                                              {"_geq", Operator::kGeq},
                                                                              {"_lt", Operator::kLt},
                                                                              {"_leq", Operator::kLeq},
                                                                              {"_in", Operator::kIn},
                                                                              {"_notin", Operator::kNotIn},
                                                                              {"_like", Operator::kLike}}};
    std::string field_name = name;
    for (const auto& [suffix, op] : kSuffixes) {
        if (!name.ends_with(suffix)) continue;
        condition.op = op;
        field_name.resize(name.size() - suffix.size());
    }
    const auto field = find_event_field(field_name);
    if (!field) throw std::invalid_argument("filter: unknown field \"" + name + "\"");
    condition.field = *field;
    const EventField& info = event_fields()[*field];
    const bool is_list = condition.op == Operator::kIn || condition.op == Operator::kNotIn;
    if (is_list && !value.is_array())
        throw std::invalid_argument(name + ": expected a list, found " + value.dump());
    if (condition.op == Operator::kLike && info.type != FieldType::kText) {
        throw std::invalid_argument(name + ": only strings have _like");
    }
    for (const json& one : is_list ? value : json::array({value})) {
        condition.values.push_back(cell_of(one, info));
        if (*field == kDatetime && one.is_string()) {
            condition.moments.push_back(*parse_moment(one.get_ref<const std::string&>()));
        }
    }
}

void EventFilter::narrow(const Condition& condition) {
    if (condition.field != kDatetime || condition.moments.empty()) return;
    const Moment moment = condition.moments.front();
    EventFilter bounds{json(nullptr)};
    switch (condition.op) {
        case Operator::kEq:
            bounds.from_ = bounds.to_ = moment;
            break;
        case Operator::kGt:
            bounds.from_ = moment + milliseconds{1};
            break;
        case Operator::kGeq:
            bounds.from_ = moment;
            break;
        case Operator::kLt:
            bounds.to_ = moment - milliseconds{1};
            break;
        case Operator::kLeq:
            bounds.to_ = moment;
            break;
        case Operator::kNeq:
        case Operator::kIn:
        case Operator::kNotIn:
        case Operator::kLike:
            break;
    }
    merge_bounds(bounds);
}

void EventFilter::merge_bounds(const EventFilter& other) {
    if (other.from_) from_ = from_ ? std::max(*from_, *other.from_) : other.from_;
    if (other.to_) to_ = to_ ? std::min(*to_, *other.to_) : other.to_;
}

bool EventFilter::matches(const Condition& condition, const Cell& cell, Moment at) {
    const bool by_moment = condition.field == kDatetime && !condition.moments.empty();
    const auto order = [&] {
        if (!by_moment) return compare_values(cell, condition.values.front());
        return at < condition.moments.front() ? -1 : at > condition.moments.front() ? 1 : 0;
    };
    const auto is_listed = [&] { return in(cell, condition.values, compare_values); };
    switch (condition.op) {
        case Operator::kEq:
            return order() == 0;
        case Operator::kNeq:
            return order() != 0;
        case Operator::kGt:
            return order() > 0;
        case Operator::kGeq:
            return order() >= 0;
        case Operator::kLt:
            return order() < 0;
        case Operator::kLeq:
            return order() <= 0;
        case Operator::kIn:
            return is_listed();
        case Operator::kNotIn:
            return !is_listed();
        case Operator::kLike:
            return is_like(cell.text, condition.values.front().text);
    }
    return false;
}

bool EventFilter::accepts(const EventTable& table, const EventRow& row) const {
    for (const Condition& condition : conditions_) {
        if (!condition.alternatives.empty()) {
            const auto accepted = [&](const EventFilter& one) { return one.accepts(table, row); };
            if (!std::any_of(condition.alternatives.begin(), condition.alternatives.end(), accepted))
                return false;
        } else if (!matches(condition, table.cell(row.cells[condition.field]), row.at)) {
            return false;
        }
    }
    return std::all_of(all_of_.begin(), all_of_.end(),
                       [&](const EventFilter& one) { return one.accepts(table, row); });
}

}  // namespace cam::simulator
