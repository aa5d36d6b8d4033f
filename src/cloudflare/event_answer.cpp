#include "event_answer.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <memory>
#include <utility>

#include "cam/base/time_text.h"
#include "json_number.h"
#include "json_walk.h"

namespace cam::cloudflare {
namespace {

namespace od = simdjson::ondemand;
using Kind = JsonToken::Kind;

/// Rows are about 600 bytes; more or fewer only cost a little time.
constexpr std::size_t kTypicalRowBytes = 500;
constexpr std::size_t kMostReserved = 20'000;

constexpr std::string_view kMissing = "None";
enum Identity : std::size_t { kDatetime, kAttackId, kSource, kDestination, kDestinationPort, kIdentities };
constexpr std::size_t kNotIdentity = kIdentities;

using Text = MaybeText MitigationEvent::*;
using Number = std::optional<std::uint32_t> MitigationEvent::*;

/// Where a dimension goes.
struct Dimension {
    std::string_view name;
    Text text = nullptr;
    Number number = nullptr;
    std::size_t identity = kNotIdentity;
};

constexpr std::array kDimensions{
    Dimension{"datetime", &MitigationEvent::datetime, nullptr, kDatetime},
    Dimension{"attackId", &MitigationEvent::attack_id, nullptr, kAttackId},
    Dimension{"attackVector", &MitigationEvent::attack_vector},
    Dimension{"ruleName", &MitigationEvent::rule_name},
    Dimension{"ruleId", &MitigationEvent::rule_id},
    Dimension{"mitigationReason", &MitigationEvent::mitigation_reason},
    Dimension{"outcome", &MitigationEvent::outcome},
    Dimension{"verdict", &MitigationEvent::verdict},
    Dimension{"ipSourceAddress", &MitigationEvent::source_ip, nullptr, kSource},
    Dimension{"sourcePort", nullptr, &MitigationEvent::source_port},
    Dimension{"sourceAsn", nullptr, &MitigationEvent::source_asn},
    Dimension{"sourceAsnName", &MitigationEvent::source_asn_name},
    Dimension{"sourceCountry", &MitigationEvent::source_country},
    Dimension{"ipDestinationAddress", &MitigationEvent::destination_ip, nullptr, kDestination},
    Dimension{"destinationPort", nullptr, &MitigationEvent::destination_port, kDestinationPort},
    Dimension{"ipProtocolName", &MitigationEvent::protocol},
    Dimension{"tcpFlagsString", &MitigationEvent::tcp_flags},
    Dimension{"coloCode", &MitigationEvent::colo_code},
    Dimension{"coloCountry", &MitigationEvent::colo_country},
    Dimension{"coloCity", &MitigationEvent::colo_city},
    Dimension{"direction", &MitigationEvent::direction},
};

/// What the texts of an answer's events lie in; the events own it together.
struct AnswerMemory {
    std::string body;
    std::deque<std::string>
        unescaped;  ///< texts that the body holds in another form; they stay where they are
};

/// Reads the answer once, front to back, and leaves no value unread (see json_walk.h). Every member that
/// returns bool returns false as soon as the JSON is not intact.
class AnswerReader {
public:
    AnswerReader(od::document& document, const std::shared_ptr<AnswerMemory>& memory, EventAnswer& answer)
        : document_(document), memory_(memory), answer_(answer) {}

    bool read() {
        od::object root;
        if (document_.get_object().get(root) != simdjson::SUCCESS) return false;
        const bool intact = each_field(root, [&](std::string_view key, od::value value) {
            if (key == "data") return read_data(value);
            if (key == "errors") return read_errors(value);
            return skip(value, 1);
        });
        // Nothing but the root may be there.
        return intact && document_.current_location().error() == simdjson::OUT_OF_BOUNDS;
    }

    [[nodiscard]] EventAnswer::Shape shape() const {
        if (!saw_accounts_ || lost_step_) return EventAnswer::Shape::kNoData;
        if (accounts_ == 0) return EventAnswer::Shape::kNoAccount;
        if (accounts_with_rows_ != accounts_) return EventAnswer::Shape::kNoDataset;
        return EventAnswer::Shape::kRows;
    }

private:
    bool read_data(od::value data) {
        bool is_object = false;
        const bool intact = visit_object(data, is_object, [&](std::string_view key, od::value value) {
            return key == "viewer" ? read_viewer(value) : skip(value, 2);
        });
        if (!is_object) lost_step_ = true;
        return intact;
    }

    bool read_viewer(od::value viewer) {
        bool is_object = false;
        const bool intact = visit_object(viewer, is_object, [&](std::string_view key, od::value value) {
            return key == "accounts" ? read_accounts(value) : skip(value, 3);
        });
        if (!is_object) lost_step_ = true;
        return intact;
    }

    bool read_accounts(od::value accounts) {
        JsonToken token;
        if (!read_token(accounts, token)) return false;
        if (token.kind != Kind::kArray) {
            lost_step_ = true;
            return skip_rest(accounts, token, 4);
        }
        saw_accounts_ = true;
        return each_element(accounts, [&](od::value account) { return read_account(account); });
    }

    bool read_account(od::value account) {
        ++accounts_;
        bool has_rows = false;
        bool is_object = false;
        const bool intact = visit_object(account, is_object, [&](std::string_view key, od::value value) {
            return key == kDataset ? read_dataset(value, has_rows) : skip(value, 5);
        });
        if (has_rows) ++accounts_with_rows_;
        return intact;
    }

    bool read_dataset(od::value dataset, bool& has_rows) {
        JsonToken token;
        if (!read_token(dataset, token)) return false;
        if (token.kind != Kind::kArray) return skip_rest(dataset, token, 6);
        has_rows = true;
        return each_element(dataset, [&](od::value row) { return read_row(row); });
    }

    bool read_row(od::value row) {
        ++answer_.page.rows;
        JsonToken token;
        if (!read_token(row, token)) return false;
        if (token.kind != Kind::kObject) {
            ++answer_.page.unreadable;
            return skip_rest(row, token, 7);
        }
        od::object object;
        if (row.get_object().get(object) != simdjson::SUCCESS) return false;
        std::vector<MitigationEvent>& events = answer_.page.events;
        bool is_kept = false;
        if (!read_event(object, events.emplace_back(), is_kept)) return false;
        const char* behind = nullptr;  // the comma or bracket that follows the row
        if (document_.current_location().get(behind) != simdjson::SUCCESS) return false;
        if (!is_kept) {
            events.pop_back();
            return true;
        }
        const char* const first = token.text.data();
        events.back().raw = without_trailing_blanks({first, static_cast<std::size_t>(behind - first)});
        events.back().memory = memory_;
        return true;
    }

    bool read_event(od::object& row, MitigationEvent& event, bool& is_kept) {
        identity_.fill(kMissing);
        bool has_dimensions = false;
        const bool intact = each_field(row, [&](std::string_view key, od::value value) {
            if (key == "dimensions") return read_dimensions(value, event, has_dimensions);
            if (key == "sum") return read_sum(value, event);
            return skip(value, 8);
        });
        if (!has_dimensions) {
            ++answer_.page.unreadable;
        } else if (event.outcome && !event.outcome->empty() && *event.outcome != "drop") {
            ++answer_.page.not_dropped;
        } else if (event.direction && *event.direction == "egress") {
            ++answer_.page.not_ingress;
        } else {
            is_kept = true;
            finish(event);
        }
        return intact;
    }

    /// What follows from the fields.
    void finish(MitigationEvent& event) const {
        if (event.datetime) event.time = parse_time(*event.datetime);
        if (event.source_ip) event.source = IpAddress::parse(*event.source_ip);
        if (event.destination_ip) event.destination = IpAddress::parse(*event.destination_ip);
        event.hash = event_hash(identity_[kDatetime], identity_[kAttackId], identity_[kSource],
                                identity_[kDestination], identity_[kDestinationPort]);
    }

    bool read_dimensions(od::value dimensions, MitigationEvent& event, bool& has_dimensions) {
        std::size_t position = 0;
        bool is_object = false;
        const bool intact = visit_object(dimensions, is_object, [&](std::string_view key, od::value value) {
            const Dimension* const dimension = find_dimension(key, position++);
            return dimension == nullptr ? skip(value, 9) : read_dimension(value, *dimension, event);
        });
        has_dimensions = is_object;
        return intact;
    }

    /// All rows have their fields in the same order, so the last row tells what to expect at a position.
    const Dimension* find_dimension(std::string_view key, std::size_t position) {
        const Dimension*& expected = expected_[std::min(position, expected_.size() - 1)];
        if (expected != nullptr && expected->name == key) return expected;
        const auto* const found =
            std::find_if(kDimensions.begin(), kDimensions.end(),
                         [&](const Dimension& dimension) { return dimension.name == key; });
        if (found == kDimensions.end()) return nullptr;
        expected = found;
        return found;
    }

    bool read_dimension(od::value value, const Dimension& dimension, MitigationEvent& event) {
        JsonToken token;
        if (!read_token(value, token)) return false;
        if (dimension.text != nullptr) event.*dimension.text = kept_text(token);
        if (dimension.number != nullptr) event.*dimension.number = number_of<std::uint32_t>(token);
        if (dimension.identity != kNotIdentity) identity_[dimension.identity] = identity_of(token);
        return skip_rest(value, token, 10);
    }

    static bool read_sum(od::value sum, MitigationEvent& event) {
        bool is_object = false;
        return visit_object(sum, is_object, [&](std::string_view key, od::value value) {
            JsonToken token;
            if (!read_token(value, token)) return false;
            if (key == "packets") event.packets = number_of<std::uint64_t>(token);
            if (key == "bits") event.bits = number_of<std::uint64_t>(token);
            return skip_rest(value, token, 10);
        });
    }

    /// The parser's own memory is gone before the events are.
    MaybeText kept_text(const JsonToken& token) {
        if (token.kind != Kind::kText || !token.readable) return std::nullopt;
        if (token.in_document) return token.text;
        return memory_->unescaped.emplace_back(token.text);
    }

    template <typename Whole>
    static std::optional<Whole> number_of(const JsonToken& token) {
        if (token.kind != Kind::kNumber && token.kind != Kind::kText) return std::nullopt;
        const bool digits_only = token.text.find_first_not_of("0123456789") == std::string_view::npos;
        if (token.kind == Kind::kText && !digits_only) return std::nullopt;
        const std::optional<std::uint64_t> whole = whole_number(token.text);
        if (!whole || *whole > std::numeric_limits<Whole>::max()) return std::nullopt;
        return static_cast<Whole>(*whole);
    }

    /// As Python's str() prints it, which is what the identity of the contract is made of. A list or an
    /// object never was one of these values; it counts as missing.
    static std::string_view identity_of(const JsonToken& token) {
        switch (token.kind) {
            case Kind::kText:
            case Kind::kNumber:
                return token.text;
            case Kind::kTrue:
                return "True";
            case Kind::kFalse:
                return "False";
            case Kind::kNull:
            case Kind::kArray:
            case Kind::kObject:
                break;
        }
        return kMissing;
    }

    bool read_errors(od::value errors) {
        JsonToken token;
        if (!read_token(errors, token)) return false;
        if (token.kind == Kind::kNull) return true;
        if (token.kind == Kind::kArray) {
            return each_element(errors, [&](od::value error) { return read_error(error); });
        }
        tell({std::string{token.kind == Kind::kText ? token.text : "errors of an unknown form"}, {}});
        return skip_rest(errors, token, 1);
    }

    bool read_error(od::value error) {
        ToldError told;
        bool is_object = false;
        const bool intact = visit_object(error, is_object, [&](std::string_view key, od::value value) {
            if (key == "message") return read_into(value, told.message);
            if (key == "code") return read_into(value, told.code);
            if (key == "extensions") return read_extensions(value, told);
            return skip(value, 3);
        });
        tell(std::move(told));
        return intact;
    }

    static bool read_extensions(od::value extensions, ToldError& told) {
        bool is_object = false;
        return visit_object(extensions, is_object, [&](std::string_view key, od::value value) {
            return key == "code" ? read_into(value, told.code) : skip(value, 4);
        });
    }

    static bool read_into(od::value value, std::string& target) {
        JsonToken token;
        if (!read_token(value, token)) return false;
        if (token.is_container()) return skip_rest(value, token, 5);
        if (token.kind != Kind::kNull) target = token.text;
        return true;
    }

    void tell(ToldError error) {
        ++answer_.error_count;
        if (answer_.errors.size() < kMostToldErrors) answer_.errors.push_back(std::move(error));
    }

    od::document& document_;
    const std::shared_ptr<AnswerMemory>& memory_;
    EventAnswer& answer_;
    std::array<const Dimension*, kDimensions.size() + 1> expected_{};
    std::array<std::string_view, kIdentities> identity_{};
    std::uint64_t accounts_ = 0;
    std::uint64_t accounts_with_rows_ = 0;
    bool saw_accounts_ = false;
    bool lost_step_ = false;
};

/// simdjson reads a few bytes beyond the end; they must be ours and hold something.
simdjson::padded_string_view padded(std::string& body) {
    const std::size_t size = body.size();
    body.resize(size + simdjson::SIMDJSON_PADDING);
    body.resize(size);
    return simdjson::padded_string_view(body.data(), size, size + simdjson::SIMDJSON_PADDING);
}

bool is_earlier(const MitigationEvent& a, const MitigationEvent& b) {
    return a.time < b.time;
}

}  // namespace

EventAnswer parse_event_answer(std::string body) {
    const auto memory = std::make_shared<AnswerMemory>();
    memory->body = std::move(body);
    EventAnswer answer;
    od::parser parser;
    od::document document;
    if (parser.iterate(padded(memory->body)).get(document) != simdjson::SUCCESS) return answer;
    answer.page.events.reserve(std::min(memory->body.size() / kTypicalRowBytes, kMostReserved));
    AnswerReader reader{document, memory, answer};
    if (!reader.read()) return EventAnswer{};
    answer.shape = reader.shape();
    std::vector<MitigationEvent>& events = answer.page.events;
    if (!std::is_sorted(events.begin(), events.end(), is_earlier)) {
        std::stable_sort(events.begin(), events.end(), is_earlier);
    }
    return answer;
}

}  // namespace cam::cloudflare
