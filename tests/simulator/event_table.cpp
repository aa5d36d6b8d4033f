#include "simulator/event_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string_view>

#include "simulator/scenario_error.h"

namespace cam::simulator {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

const std::set<std::string_view> kControlKeys{"at", "at_seconds_ago", "at_seconds_after_start",
                                              "appears_after_seconds", "missing"};

milliseconds seconds_at(const json& event, const char* key, const std::string& path) {
    const json& value = event.at(key);
    if (!value.is_number()) throw ScenarioError(path + "." + key, "expected seconds, found " + value.dump());
    return milliseconds{std::llround(value.get<double>() * 1000)};
}

std::optional<Moment> moment_at(const json& event, const char* key) {
    const auto found = event.find(key);
    if (found == event.end() || !found->is_string()) return std::nullopt;
    return parse_moment(found->get_ref<const std::string&>());
}

Moment time_of(const json& event, const std::string& path, Moment start, Moment now) {
    if (event.contains("at_seconds_ago")) return now - seconds_at(event, "at_seconds_ago", path);
    if (event.contains("at_seconds_after_start"))
        return start + seconds_at(event, "at_seconds_after_start", path);
    for (const char* key : {"at", "datetime"}) {
        if (const auto moment = moment_at(event, key)) return *moment;
    }
    throw ScenarioError(path + ".datetime",
                        "expected a time such as 2026-01-19T22:51:50Z, or one of at, at_seconds_ago, "
                        "at_seconds_after_start");
}

/// A flat event out of a row as Cloudflare answers it.
json flattened(const json& event) {
    json flat = event.at("dimensions");
    if (event.contains("sum")) flat.update(event.at("sum"));
    for (const auto& [key, value] : event.items()) {
        if (key != "dimensions" && key != "sum") flat[key] = value;
    }
    return flat;
}

std::string subnet_of(const std::string& address) {
    std::array<unsigned char, 16> bytes{};
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) {
        bytes[3] = 0;
        ::inet_ntop(AF_INET, bytes.data(), text.data(), text.size());
        return std::string(text.data()) + "/24";
    }
    if (::inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return {};
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    return std::string(text.data()) + "/64";
}

int compare(const Cell& a, const Cell& b) {
    if (a.kind == Cell::Kind::kNumber && b.kind == Cell::Kind::kNumber) {
        return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
    }
    if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
    return a.text.compare(b.text);
}

}  // namespace

EventTable::EventTable() : cells_(1), empty_text_(keep("")), zero_(keep(std::uint64_t{0})) {}

std::uint32_t EventTable::keep(const json& value) {
    // Texts and counts, nearly all there is, are found without being written as JSON first.
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        const auto found = texts_.find(text);
        return found != texts_.end() ? found->second : texts_.emplace(text, add_cell(value)).first->second;
    }
    if (value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0)) {
        const auto count = value.get<std::uint64_t>();
        const auto found = counts_.find(count);
        return found != counts_.end() ? found->second : counts_.emplace(count, add_cell(value)).first->second;
    }
    const std::string other = value.dump(-1, ' ', false, json::error_handler_t::replace);
    const auto found = others_.find(other);
    return found != others_.end() ? found->second : others_.emplace(other, add_cell(value)).first->second;
}

std::uint32_t EventTable::add_cell(const json& value) {
    Cell cell;
    cell.kind = value.is_null()     ? Cell::Kind::kNull
                : value.is_number() ? Cell::Kind::kNumber
                : value.is_string() ? Cell::Kind::kText
                                    : Cell::Kind::kOther;
    if (value.is_number()) cell.number = value.get<double>();
    if (value.is_number_integer()) cell.count = value.get<std::uint64_t>();
    if (value.is_string()) cell.text = value.get<std::string>();
    cell.json = value.dump(-1, ' ', false, json::error_handler_t::replace);
    cells_.push_back(std::move(cell));
    return static_cast<std::uint32_t>(cells_.size() - 1);
}

void EventTable::add(const json& given, const std::string& path, Moment start, Moment now) {
    if (!given.is_object()) throw ScenarioError(path, "expected an event object, found " + given.dump());
    const json flat = given.contains("dimensions") ? flattened(given) : json();
    const json& event = flat.is_null() ? given : flat;
    EventRow row;
    const Moment exact = time_of(event, path, start, now);
    row.at = std::chrono::floor<std::chrono::seconds>(exact);
    row.visible_from = event.contains("at_seconds_after_start") ? exact : Moment{};
    if (event.contains("appears_after_seconds")) {
        row.visible_from = start + seconds_at(event, "appears_after_seconds", path);
    }
    const auto fields = event_fields();
    for (std::size_t i = 0; i < kFieldCount; ++i) {
        row.cells[i] = fields[i].type == FieldType::kNumber ? zero_ : empty_text_;
    }
    derive(row);
    row.packets = row.bits = zero_;
    for (const auto& [key, value] : event.items()) {
        if (kControlKeys.contains(key)) continue;
        if (key == "packets") {
            row.packets = keep(value);
        } else if (key == "bits") {
            row.bits = keep(value);
        } else if (const auto field = find_event_field(key)) {
            row.cells[*field] = keep(value);
        } else {
            throw ScenarioError(path + "." + key,
                                "no dimension, sum or control key of an event is called this");
        }
    }
    for (const auto& [address, subnet] : {std::pair{"ipSourceAddress", "ipSourceSubnet"},
                                          std::pair{"ipDestinationAddress", "ipDestinationSubnet"}}) {
        if (event.contains(subnet)) continue;
        const std::string text = cell(row.cells[*find_event_field(address)]).text;
        row.cells[*find_event_field(subnet)] = keep(subnet_of(text));
    }
    if (event.contains("missing")) {
        for (const json& name : event.at("missing")) {
            if (name == "packets") {
                row.packets = 0;
            } else if (name == "bits") {
                row.bits = 0;
            } else {
                const auto field =
                    name.is_string() ? find_event_field(name.get<std::string>()) : std::nullopt;
                if (!field) throw ScenarioError(path + ".missing", "no dimension is called " + name.dump());
                row.cells[*field] = 0;
            }
        }
    }
    sorted_ = sorted_ && (rows_.empty() || rows_.back().at <= row.at);
    rows_.push_back(row);
}

void EventTable::derive(EventRow& row) {
    using namespace std::chrono;
    const auto since_epoch = floor<seconds>(row.at).time_since_epoch().count();
    constexpr std::array<std::int64_t, 7> kWidths{1, 1, 10, 60, 300, 900, 3600};
    for (std::size_t i = 0; i < kWidths.size(); ++i) {
        const auto width = kWidths.at(i);
        row.cells[i] = keep(moment_text(Moment{seconds{since_epoch - since_epoch % width}}));
    }
}

void EventTable::sort() {
    if (sorted_) return;
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const EventRow& a, const EventRow& b) { return a.at < b.at; });
    sorted_ = true;
}

std::vector<EventTable::Group> EventTable::grouped(const RowSelection& selection, Moment from, Moment to,
                                                   Moment now, const Test& test) const {
    std::vector<std::size_t> columns;
    for (const auto& part : selection.parts) {
        if (part.kind != RowSelection::Part::Kind::kDimensions) continue;
        for (const auto& column : part.columns) columns.push_back(column.column);
    }
    std::vector<Group> groups;
    std::unordered_map<std::string, std::size_t> by_key;
    std::string key(columns.size() * sizeof(std::uint32_t), '\0');
    const auto take = [&](const EventRow& row) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            std::memcpy(key.data() + i * sizeof(std::uint32_t), &row.cells[columns[i]],
                        sizeof(std::uint32_t));
        }
        const auto [found, is_new] = by_key.try_emplace(key, groups.size());
        if (is_new) {
            groups.push_back({&row, cell(row.packets).count, cell(row.bits).count});
        } else {
            Group& group = groups[found->second];
            group.packets += cell(row.packets).count;
            group.bits += cell(row.bits).count;
            ++group.size;
        }
    };
    // Sorted by time and grouped by time, the rows of later seconds can change nothing once the limit is
    // reached.
    const bool by_time = !selection.order.empty() &&
                         selection.order.front().by == RowSelection::Order::By::kDimension &&
                         selection.order.front().column == kDatetime &&
                         std::find(columns.begin(), columns.end(), kDatetime) != columns.end();
    const auto take_all = [&](auto row, auto end) {
        for (; row != end; ++row) {
            if (by_time && groups.size() >= selection.limit && row->at != groups.back().row->at) return;
            if (row->visible_from <= now && test(*row)) take(*row);
        }
    };
    const auto first = std::lower_bound(rows_.begin(), rows_.end(), from,
                                        [](const EventRow& row, Moment moment) { return row.at < moment; });
    const auto last = std::upper_bound(first, rows_.end(), std::max(from, to),
                                       [](Moment moment, const EventRow& row) { return moment < row.at; });
    if (by_time && selection.order.front().descending) {
        take_all(std::make_reverse_iterator(last), std::make_reverse_iterator(first));
    } else {
        take_all(first, last);
    }
    return groups;
}

void EventTable::order(std::vector<Group>& groups, const RowSelection& selection) const {
    const auto compare_by = [this](const RowSelection::Order& order, const Group& a, const Group& b) {
        using By = RowSelection::Order::By;
        if (order.by == By::kPackets) return a.packets < b.packets ? -1 : a.packets > b.packets ? 1 : 0;
        if (order.by == By::kBits) return a.bits < b.bits ? -1 : a.bits > b.bits ? 1 : 0;
        if (order.column == kDatetime) return a.row->at < b.row->at ? -1 : a.row->at > b.row->at ? 1 : 0;
        const std::uint32_t left = a.row->cells[order.column];
        const std::uint32_t right = b.row->cells[order.column];
        return left == right ? 0 : compare(cell(left), cell(right));
    };
    const auto before = [&](const Group& a, const Group& b) {
        for (const auto& order : selection.order) {
            const int result = compare_by(order, a, b);
            if (result != 0) return order.descending ? result > 0 : result < 0;
        }
        // The group key is part of every sort, which makes the order total.
        for (const auto& part : selection.parts) {
            if (part.kind != RowSelection::Part::Kind::kDimensions) continue;
            for (const auto& column : part.columns) {
                const std::uint32_t left = a.row->cells[column.column];
                const std::uint32_t right = b.row->cells[column.column];
                const int result = left == right ? 0 : compare(cell(left), cell(right));
                if (result != 0) return result < 0;
            }
        }
        return false;
    };
    const auto wanted = static_cast<std::ptrdiff_t>(std::min(selection.limit, groups.size()));
    std::partial_sort(groups.begin(), groups.begin() + wanted, groups.end(), before);
    groups.resize(static_cast<std::size_t>(wanted));
}

void EventTable::append_group(std::string& out, const RowSelection& selection, const Group& group) const {
    const auto sum_of = [&](std::size_t column) -> std::string {
        const Cell& own = cell(column == 0 ? group.row->packets : group.row->bits);
        if (group.size == 1) return own.json;  // odd values pass unchanged
        return std::to_string(column == 0 ? group.packets : group.bits);
    };
    out += '{';
    const char* between_parts = "";
    for (const auto& part : selection.parts) {
        out.append(between_parts).append(part.key);
        between_parts = ",";
        if (part.kind == RowSelection::Part::Kind::kTypeName) {
            out += R"("AccountDosdNetworkAnalyticsAdaptiveGroups")";
            continue;
        }
        out += '{';
        const char* between = "";
        for (const auto& column : part.columns) {
            const bool is_sum = part.kind == RowSelection::Part::Kind::kSum;
            const std::string value = is_sum ? sum_of(column.column) : std::string{};
            const std::string& text = is_sum ? value : cell(group.row->cells[column.column]).json;
            if (text.empty()) continue;
            out.append(between).append(column.key).append(text);
            between = ",";
        }
        out += '}';
    }
    out += '}';
}

std::size_t EventTable::append_answer(std::string& out, const RowSelection& selection, Moment from, Moment to,
                                      Moment now, const Test& test) {
    sort();
    std::vector<Group> groups = grouped(selection, from, to, now, test);
    order(groups, selection);
    out.reserve(out.size() + groups.size() * 700);
    out += '[';
    for (const Group& group : groups) {
        if (out.back() != '[') out += ',';
        append_group(out, selection, group);
    }
    out += ']';
    return groups.size();
}

}  // namespace cam::simulator
