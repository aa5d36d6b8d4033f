#include "simulator/graphql.h"

#include <cctype>

namespace cam::simulator::graphql {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;

struct Token {
    enum class Kind { kEnd, kPunctuation, kName, kNumber, kString };
    Kind kind = Kind::kEnd;
    std::string text{};
    std::size_t at = 0;
};

/// Thrown inside this file only; parse() turns it into a SyntaxError.
struct Mistake {
    std::size_t at;
    std::string what;
};

bool starts_name(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Token next() {
        skip_ignored();
        Token token{.at = at_};
        if (at_ >= text_.size()) return token;
        const char c = text_[at_];
        if (starts_name(c)) {
            token.kind = Token::Kind::kName;
            while (at_ < text_.size() && (starts_name(text_[at_]) || is_digit(text_[at_])))
                token.text += text_[at_++];
        } else if (is_digit(c) || c == '-') {
            token.kind = Token::Kind::kNumber;
            token.text += text_[at_++];
            while (at_ < text_.size() && (is_digit(text_[at_]) || is_number_part(at_)))
                token.text += text_[at_++];
        } else if (c == '"') {
            token.kind = Token::Kind::kString;
            token.text = take_string();
        } else if (std::string_view("{}()[]:!$=").find(c) != std::string_view::npos) {
            token.kind = Token::Kind::kPunctuation;
            token.text = c;
            ++at_;
        } else if (text_.substr(at_, 3) == "...") {
            throw Mistake{at_, "Fragments are not played by this simulator"};
        } else {
            throw Mistake{at_, std::string("Unexpected character \"") + c + "\""};
        }
        return token;
    }

private:
    [[nodiscard]] bool is_number_part(std::size_t at) const {
        const char c = text_[at];
        const bool after_exponent = text_[at - 1] == 'e' || text_[at - 1] == 'E';
        return c == '.' || c == 'e' || c == 'E' || ((c == '+' || c == '-') && after_exponent);
    }

    void skip_ignored() {
        if (at_ == 0 && text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') {
                while (at_ < text_.size() && text_[at_] != '\n') ++at_;
            } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
                ++at_;
            } else {
                return;
            }
        }
    }

    std::string take_string() {
        const std::size_t begin = at_;
        if (text_.substr(at_, 3) == "\"\"\"") {
            const std::size_t end = text_.find("\"\"\"", at_ + 3);
            if (end == std::string_view::npos) throw Mistake{begin, "Unterminated string"};
            at_ = end + 3;
            return std::string(text_.substr(begin + 3, end - begin - 3));
        }
        for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_) {
            if (text_[at_] == '\\') ++at_;
        }
        if (at_ >= text_.size() || text_[at_] != '"') throw Mistake{begin, "Unterminated string"};
        ++at_;
        // GraphQL's escapes in quoted strings are JSON's.
        const json decoded = json::parse(text_.substr(begin, at_ - begin), nullptr, false);
        if (!decoded.is_string()) throw Mistake{begin, "Invalid escape in string"};
        return decoded.get<std::string>();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

class Parser {
public:
    explicit Parser(std::string_view text) : lexer_(text) { advance(); }

    Query query() {
        Query query;
        if (is_name("query")) {
            advance();
            if (token_.kind == Token::Kind::kName) query.name = take_name();
            if (accept("(")) {
                while (!accept(")")) query.variables.push_back(variable());
            }
        } else if (token_.kind == Token::Kind::kName) {
            throw Mistake{token_.at, "Unexpected Name \"" + token_.text + "\""};
        }
        query.selections = selections(0);
        if (token_.kind != Token::Kind::kEnd) throw Mistake{token_.at, "Unexpected " + found()};
        return query;
    }

private:
    void advance() { token_ = lexer_.next(); }
    [[nodiscard]] bool is_name(std::string_view name) const {
        return token_.kind == Token::Kind::kName && token_.text == name;
    }
    [[nodiscard]] bool is(std::string_view mark) const {
        return token_.kind == Token::Kind::kPunctuation && token_.text == mark;
    }
    bool accept(std::string_view mark) {
        if (!is(mark)) return false;
        advance();
        return true;
    }
    void expect(const std::string& mark) {
        if (!accept(mark)) throw Mistake{token_.at, "Expected " + mark + ", found " + found()};
    }
    [[nodiscard]] std::string found() const {
        return token_.kind == Token::Kind::kEnd ? "EOF" : "\"" + token_.text + "\"";
    }
    std::string take_name() {
        if (token_.kind != Token::Kind::kName) throw Mistake{token_.at, "Expected Name, found " + found()};
        std::string name = token_.text;
        advance();
        return name;
    }

    Variable variable() {
        Variable variable;
        expect("$");
        variable.name = take_name();
        expect(":");
        variable.type = type(0);
        if (accept("=")) variable.fallback = value(0);
        return variable;
    }

    std::string type(int depth) {
        check_depth(depth);
        std::string text;
        if (accept("[")) {
            text = "[" + type(depth + 1) + "]";
            expect("]");
        } else {
            text = take_name();
        }
        if (accept("!")) text += "!";
        return text;
    }

    std::vector<Field> selections(int depth) {
        check_depth(depth);
        expect("{");
        std::vector<Field> fields;
        do fields.push_back(field(depth + 1));
        while (!accept("}"));
        return fields;
    }

    Field field(int depth) {
        Field field;
        field.key = field.name = take_name();
        if (accept(":")) field.name = take_name();
        if (accept("(")) {
            do field.arguments.push_back(member(depth));
            while (!accept(")"));
        }
        if (is("{")) field.selections = selections(depth);
        return field;
    }

    std::pair<std::string, Value> member(int depth) {
        std::string name = take_name();
        expect(":");
        return {std::move(name), value(depth + 1)};
    }

    Value value(int depth) {
        check_depth(depth);
        Value value;
        if (accept("$")) {
            value.kind = Value::Kind::kVariable;
            value.scalar = take_name();
        } else if (accept("[")) {
            value.kind = Value::Kind::kList;
            while (!accept("]")) value.items.push_back(this->value(depth + 1));
        } else if (accept("{")) {
            value.kind = Value::Kind::kObject;
            while (!accept("}")) {
                auto [name, item] = member(depth);
                value.names.push_back(std::move(name));
                value.items.push_back(std::move(item));
            }
        } else {
            scalar(value);
        }
        return value;
    }

    void scalar(Value& value) {
        switch (token_.kind) {
            case Token::Kind::kName:
                value.kind = token_.text == "null"                             ? Value::Kind::kNull
                             : token_.text == "true" || token_.text == "false" ? Value::Kind::kBool
                                                                               : Value::Kind::kEnum;
                if (value.kind == Value::Kind::kBool) value.scalar = token_.text == "true";
                if (value.kind == Value::Kind::kEnum) value.scalar = token_.text;
                break;
            case Token::Kind::kString:
                value.kind = Value::Kind::kString;
                value.scalar = token_.text;
                break;
            case Token::Kind::kNumber:
                value.kind = Value::Kind::kNumber;
                value.scalar = json::parse(token_.text, nullptr, false);
                if (!value.scalar.is_number()) throw Mistake{token_.at, "Invalid number " + found()};
                break;
            case Token::Kind::kEnd:
            case Token::Kind::kPunctuation:
                throw Mistake{token_.at, "Unexpected " + found()};
        }
        advance();
    }

    void check_depth(int depth) const {
        if (depth > kMaxDepth) throw Mistake{token_.at, "Too deeply nested"};
    }

    Lexer lexer_;
    Token token_;
};

}  // namespace

const Value* Field::argument(std::string_view wanted) const {
    for (const auto& [argument_name, value] : arguments) {
        if (argument_name == wanted) return &value;
    }
    return nullptr;
}

std::string SyntaxError::text() const {
    return "Syntax Error GraphQL (" + std::to_string(line) + ":" + std::to_string(column) + ") " + what;
}

std::variant<Query, SyntaxError> parse(std::string_view text) {
    try {
        return Parser(text).query();
    } catch (const Mistake& mistake) {
        SyntaxError error{.what = mistake.what};
        for (const char c : text.substr(0, mistake.at)) {
            error.column = c == '\n' ? 1 : error.column + 1;
            if (c == '\n') ++error.line;
        }
        return error;
    }
}

std::variant<json, std::string> bind_variables(const Query& query, const json& sent) {
    json bound = json::object();
    for (const Variable& variable : query.variables) {
        json value;
        if (sent.is_object() && sent.contains(variable.name)) {
            value = sent.at(variable.name);
        } else if (variable.fallback) {
            auto fallback = resolve(*variable.fallback, bound);
            if (auto* error = std::get_if<std::string>(&fallback)) return *error;
            value = std::get<json>(fallback);
        }
        if (value.is_null() && variable.type.ends_with('!')) {
            return "Variable \"$" + variable.name + "\" of required type \"" + variable.type +
                   "\" was not provided.";
        }
        bound[variable.name] = std::move(value);
    }
    return bound;
}

std::variant<json, std::string> resolve(const Value& value, const json& bound) {
    switch (value.kind) {
        case Value::Kind::kNull:
            return json(nullptr);
        case Value::Kind::kBool:
        case Value::Kind::kNumber:
        case Value::Kind::kString:
        case Value::Kind::kEnum:
            return value.scalar;
        case Value::Kind::kVariable: {
            const auto name = value.scalar.get<std::string>();
            if (!bound.contains(name)) return "Variable \"$" + name + "\" is not defined.";
            return bound.at(name);
        }
        case Value::Kind::kList: {
            json list = json::array();
            for (const Value& item : value.items) {
                auto one = resolve(item, bound);
                if (std::holds_alternative<std::string>(one)) return one;
                list.push_back(std::get<json>(std::move(one)));
            }
            return list;
        }
        case Value::Kind::kObject:
            break;
    }
    json object = json::object();
    for (std::size_t i = 0; i < value.items.size(); ++i) {
        auto one = resolve(value.items[i], bound);
        if (std::holds_alternative<std::string>(one)) return one;
        object[value.names.at(i)] = std::get<json>(std::move(one));
    }
    return object;
}

}  // namespace cam::simulator::graphql
