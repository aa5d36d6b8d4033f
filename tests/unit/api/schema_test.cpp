#include "unit/api/schema.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using nlohmann::json;

bool is_of_type(const json& value, const std::string& type) {
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return value.type_name() == type;
}

bool has_type(const json& value, const json& type) {
    if (type.is_string()) return is_of_type(value, type);
    return std::any_of(type.begin(), type.end(), [&](const json& one) { return is_of_type(value, one); });
}

std::string object_fault(const json& document, const json& schema, const json& value,
                         const std::string& where) {
    for (const json& name : schema.value("required", json::array())) {
        if (!value.contains(name.get<std::string>())) return where + " has no " + name.get<std::string>();
    }
    const json properties = schema.value("properties", json::object());
    for (const auto& [name, member] : value.items()) {
        const std::string at = where + "." + name;
        if (properties.contains(name)) {
            if (auto fault = schema_fault(document, properties[name], member, at); !fault.empty())
                return fault;
        } else if (schema.contains("additionalProperties") && schema["additionalProperties"].is_object()) {
            if (auto fault = schema_fault(document, schema["additionalProperties"], member, at);
                !fault.empty())
                return fault;
        } else if (!properties.empty()) {
            return at + " is not described";
        }
    }
    return {};
}

std::string array_fault(const json& document, const json& schema, const json& value,
                        const std::string& where) {
    if (value.size() < schema.value("minItems", std::size_t{0})) return where + " is too short";
    if (value.size() > schema.value("maxItems", value.size())) return where + " is too long";
    if (schema.value("uniqueItems", false) &&
        std::set<json>(value.begin(), value.end()).size() != value.size())
        return where + " repeats itself";
    for (std::size_t i = 0; i < value.size(); ++i) {
        auto fault =
            schema_fault(document, schema.at("items"), value[i], where + "[" + std::to_string(i) + "]");
        if (!fault.empty()) return fault;
    }
    return {};
}

std::string scalar_fault(const json& schema, const json& value, const std::string& where) {
    if (value.is_number() && schema.contains("minimum") && value < schema["minimum"])
        return where + " is too small";
    if (value.is_number() && schema.contains("maximum") && value > schema["maximum"])
        return where + " is too large";
    if (!value.is_string()) return {};
    const auto text = value.get<std::string>();
    if (text.size() < schema.value("minLength", std::size_t{0})) return where + " is too short";
    if (text.size() > 4 * schema.value("maxLength", text.size())) return where + " is too long";
    if (schema.value("format", "") == "date-time" &&
        (!parse_time(text) || text.find('T') == std::string::npos))
        return where + " is no RFC 3339 time";
    return {};
}

}  // namespace

std::string schema_fault(const json& document, const json& schema, const json& value,
                         const std::string& where) {
    static const std::set<std::string> kKnown{
        "$ref",    "type",     "description", "required",    "properties", "additionalProperties",
        "items",   "minItems", "maxItems",    "uniqueItems", "enum",       "const",
        "minimum", "maximum",  "format",      "default",     "minLength",  "maxLength",
        "readOnly"};
    for (const auto& [keyword, unused] : schema.items()) {
        if (!kKnown.contains(keyword)) return where + ": the schema uses " + keyword;
    }
    if (schema.contains("$ref")) {
        const json::json_pointer target(schema["$ref"].get<std::string>().substr(1));
        if (!document.contains(target)) return where + ": " + target.to_string() + " does not exist";
        return schema_fault(document, document[target], value, where);
    }
    if (schema.contains("type") && !has_type(value, schema["type"]))
        return where + " is " + value.dump() + ", not " + schema["type"].dump();
    if (schema.contains("const") && value != schema["const"])
        return where + " is not " + schema["const"].dump();
    const json choices = schema.value("enum", json::array());
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
        return where + " is " + value.dump() + ", not one of " + choices.dump();
    if (value.is_object()) return object_fault(document, schema, value, where);
    if (value.is_array()) return array_fault(document, schema, value, where);
    return scalar_fault(schema, value, where);
}

namespace {

std::string fault(const char* schema, const char* value) {
    return schema_fault(json::object(), json::parse(schema), json::parse(value));
}

TEST(SchemaTest, FindsWhatDoesNotFit) {
    EXPECT_EQ(fault(R"({"type": ["integer", "null"], "minimum": 1})", "1"), "");
    EXPECT_EQ(fault(R"({"type": ["integer", "null"], "minimum": 1})", "null"), "");
    EXPECT_NE(fault(R"({"type": ["integer", "null"], "minimum": 1})", "0"), "");
    EXPECT_NE(fault(R"({"type": "integer"})", "\"1\""), "");
    EXPECT_NE(fault(R"({"type": "integer", "maximum": 4})", "5"), "");
    EXPECT_NE(fault(R"({"enum": ["a", null]})", "\"b\""), "");
    EXPECT_EQ(fault(R"({"enum": ["a", null]})", "null"), "");
    EXPECT_NE(fault(R"({"const": true})", "false"), "");
    EXPECT_NE(fault(R"({"type": "string", "format": "date-time"})", "\"2026-01-19 22:51:50\""), "");
    EXPECT_NE(fault(R"({"type": "string", "minLength": 1})", "\"\""), "");
    EXPECT_NE(fault(R"({"type": "object", "required": ["a"], "properties": {"a": {}}})", "{}"), "");
    EXPECT_NE(fault(R"({"type": "object", "properties": {"a": {}}})", R"({"b": 1})"), "");
    EXPECT_NE(fault(R"({"type": "object", "additionalProperties": {"type": "integer"}})", R"({"b": "x"})"),
              "");
    EXPECT_EQ(fault(R"({"type": "object", "additionalProperties": {"type": "integer"}})", R"({"b": 1})"), "");
    EXPECT_NE(fault(R"({"type": "array", "items": {"type": "integer"}})", R"([1, "x"])"), "");
    EXPECT_NE(fault(R"({"type": "array", "maxItems": 0, "items": {}})", "[1]"), "");
    EXPECT_NE(fault(R"({"type": "array", "uniqueItems": true, "items": {}})", "[1, 1]"), "");
    EXPECT_NE(fault(R"({"pattern": "a"})", "\"a\""), "") << "a keyword that is not checked is no check";
}

}  // namespace
}  // namespace cam::api
