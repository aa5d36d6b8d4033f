#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

namespace cam::simulator::graphql {

/// A literal or a variable as written in a query.
struct Value {
    enum class Kind { kNull, kBool, kNumber, kString, kEnum, kVariable, kList, kObject };
    Kind kind = Kind::kNull;
    nlohmann::json scalar;           ///< kBool, kNumber, kString; the name of kEnum and kVariable
    std::vector<Value> items;        ///< of kList and kObject
    std::vector<std::string> names;  ///< of kObject, one for each item
};

struct Field {
    std::string key;  ///< its alias, or its name
    std::string name;
    std::vector<std::pair<std::string, Value>> arguments;
    std::vector<Field> selections;

    [[nodiscard]] const Value* argument(std::string_view wanted) const;
};

struct Variable {
    std::string name;
    std::string type;  ///< as written, with its `!` and brackets
    std::optional<Value> fallback;
};

struct Query {
    std::string name;
    std::vector<Variable> variables;
    std::vector<Field> selections;
};

struct SyntaxError {
    std::size_t line = 1;
    std::size_t column = 1;
    std::string what{};
    /// Worded like Cloudflare's: `Syntax Error GraphQL (1:9) Expected ...`.
    [[nodiscard]] std::string text() const;
};

/// Reads one query operation. Mutations, subscriptions, fragments and directives are syntax errors here.
std::variant<Query, SyntaxError> parse(std::string_view text);

/// Gives every declared variable its value (sent, or its fallback, or null). An error text when a required
/// one is missing.
std::variant<nlohmann::json, std::string> bind_variables(const Query& query, const nlohmann::json& sent);

/// Replaces variables. An error text for a variable the query does not declare.
std::variant<nlohmann::json, std::string> resolve(const Value& value, const nlohmann::json& bound);

}  // namespace cam::simulator::graphql
