#include "api/docs_page.h"

#include <array>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --key: #06c; }
@media (prefers-color-scheme: dark) { :root { --key: #6af; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
h1 { margin-bottom: 0; }
h2 { margin-top: 3rem; border-bottom: 2px solid var(--line); }
h3 { margin: 2rem 0 .25rem; font-size: 1.05rem; }
h3 a, nav a, td a { color: inherit; }
h3 a, nav a { text-decoration: none; }
h3 a:hover code, nav a:hover code, nav a:focus code { text-decoration: underline; }
nav ul { columns: 18rem; list-style: none; padding: 0; }
code, pre { font: .9em/1.45 ui-monospace, monospace; }
code { background: var(--soft); padding: .1em .3em; border-radius: .2em; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: .3em; }
pre code { background: none; padding: 0; }
.method { display: inline-block; min-width: 5.2em; color: var(--key); font-weight: 700; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }
caption { text-align: left; font-weight: 600; padding-top: .5rem; }
)";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

/// Backticks become code, an empty line a new paragraph.
std::string prose(std::string_view text) {
    std::string out;
    bool in_code = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '`') {
            out += in_code ? "</code>" : "<code>";
            in_code = !in_code;
        } else if (text.substr(at, 2) == "\n\n") {
            out += "</p><p>";
            ++at;
        } else {
            out += escaped(text.substr(at, 1));
        }
    }
    return out;
}

/// A string member, or nothing.
std::string text_of(const Json& object, const char* key) {
    const auto member = object.find(key);
    return member == object.end() || !member->is_string() ? std::string{} : member->get<std::string>();
}

class Page {
public:
    explicit Page(const Json& api) : api_(api) {}

    std::string whole() {
        const Json& info = api_.at("info");
        out_ = fmt::format(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<title>{0} API</title><style>{1}</style></head><body>\n<h1>{0}</h1>\n<p>{2}</p>\n<p>{3}</p>\n"
            "<p>The same for programs: <a href=\"/openapi.json\">/openapi.json</a></p>\n",
            escaped(text_of(info, "title")), kStyle, prose(text_of(info, "summary")),
            prose(text_of(info, "description")));
        contents();
        for (const Json& tag : api_.at("tags")) section(tag);
        out_ += "<h2>Objects</h2>\n";
        for (const auto& entry : api_.at("components").at("schemas").items()) {
            if (is_object_of_interest(entry.key())) schema(entry.key(), entry.value());
        }
        out_ += "</body></html>\n";
        return std::move(out_);
    }

private:
    /// Calls `take(method, path, operation, path item)` for each operation, of one tag if given.
    template <typename Take>
    void for_each_operation(std::string_view tag, Take take) {
        for (const auto& path : api_.at("paths").items()) {
            for (const auto& method : path.value().items()) {
                if (method.key() == "parameters") continue;
                if (!tag.empty() && method.value().at("tags").at(0) != tag) continue;
                std::string upper = method.key();
                for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
                take(upper, path.key(), method.value(), path.value());
            }
        }
    }

    void contents() {
        out_ += "<nav aria-label=\"Calls\"><ul>\n";
        for_each_operation({}, [&](const auto& method, const auto& path, const Json& call, const Json&) {
            out_ +=
                fmt::format("<li><a href=\"#{}\"><span class=\"method\">{}</span> <code>{}</code></a></li>\n",
                            escaped(text_of(call, "operationId")), method, escaped(path));
        });
        out_ += "</ul></nav>\n";
    }

    void section(const Json& tag) {
        const std::string name = text_of(tag, "name");
        std::string title = name;
        title[0] = static_cast<char>(title[0] - 'a' + 'A');
        out_ += fmt::format("<h2>{}</h2>\n<p>{}</p>\n", escaped(title), prose(text_of(tag, "description")));
        for_each_operation(name, [&](const auto& method, const auto& path, const Json& call,
                                     const Json& item) { operation(method, path, call, item); });
    }

    void operation(const std::string& method, const std::string& path, const Json& call, const Json& item) {
        const std::string id = escaped(text_of(call, "operationId"));
        out_ += fmt::format(
            "<h3 id=\"{0}\"><a href=\"#{0}\"><span class=\"method\">{1}</span> <code>{2}</code></a></h3>\n"
            "<p>{3}. {4}</p>\n",
            id, method, escaped(path), prose(text_of(call, "summary")), prose(text_of(call, "description")));
        parameters(call, item);
        if (call.contains("requestBody")) body(method, path, call.at("requestBody"));
        responses(call.at("responses"));
    }

    void parameters(const Json& call, const Json& item) {
        std::string rows;
        for (const Json* owner : {&item, &call}) {
            const auto list = owner->find("parameters");
            if (list == owner->end()) continue;
            for (const Json& one : *list) {
                rows += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n",
                                    escaped(text_of(one, "name")), type(one.at("schema")),
                                    prose(text_of(one, "description")));
            }
        }
        table("Parameters", rows);
    }

    void body(const std::string& method, const std::string& path, const Json& wanted) {
        const Json& content = wanted.at("content").at("application/json");
        out_ += fmt::format("<p>Body: {}</p>\n", type(content.at("schema")));
        for (const auto& example : content.at("examples").items()) {
            const Json& shown = example.value();
            out_ += fmt::format(
                "<p>{}:</p>\n<pre><code>curl -X {} http://localhost:8090{} -d '{}'</code></pre>\n",
                prose(text_of(shown, "summary")), method, escaped(path), escaped(shown.at("value").dump(2)));
        }
    }

    void responses(const Json& all) {
        std::string rows;
        for (const auto& entry : all.items()) {
            const Json& response = resolved(entry.value());
            std::string what;
            for (const auto& content : response.at("content").items()) {
                what += content.key() == "application/json" ? type(content.value().at("schema"))
                                                            : escaped(content.key());
            }
            rows += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n", entry.key(),
                                what, prose(text_of(response, "description")));
        }
        table("Answers", rows);
    }

    void schema(const std::string& name, const Json& schema) {
        std::string rows;
        for (const auto& entry : schema.at("properties").items()) {
            rows +=
                fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n", escaped(entry.key()),
                            type(entry.value()), prose(text_of(entry.value(), "description")));
        }
        out_ += fmt::format("<h3 id=\"{0}\">{0}</h3>\n", escaped(name));
        table("Fields", rows);
    }

    /// Those whose result is an object of its own have a row there; envelopes repeat each other.
    static bool is_object_of_interest(std::string_view name) {
        return !name.ends_with("Answer") || name == "ErrorAnswer";
    }

    /// What a value may be, in words, linked where it is an object with a name.
    std::string type(const Json& schema) {
        if (schema.contains("$ref")) {
            const std::string target = text_of(schema, "$ref");
            const std::string name = target.substr(target.rfind('/') + 1);
            if (!is_object_of_interest(name)) return type(resolved(schema).at("properties").at("result"));
            return fmt::format("<a href=\"#{0}\">{0}</a>", escaped(name));
        }
        if (schema.contains("const")) return "<code>" + escaped(schema.at("const").dump()) + "</code>";
        std::string words = schema.contains("enum") ? one_of(schema.at("enum")) : kind(schema);
        if (schema.contains("items")) words += " of " + type(schema.at("items"));
        if (schema.contains("minimum") && schema.contains("maximum")) {
            words += fmt::format(" {} to {}", schema.at("minimum").dump(), schema.at("maximum").dump());
        }
        if (schema.contains("default")) words += ", default " + escaped(schema.at("default").dump());
        return words;
    }

    static std::string one_of(const Json& values) {
        std::string words;
        for (const Json& value : values) {
            words += fmt::format("{}<code>{}</code>", words.empty() ? "" : " ",
                                 escaped(value.is_string() ? value.get<std::string>() : value.dump()));
        }
        return words;
    }

    static std::string kind(const Json& schema) {
        // Without one, any will do.
        if (!schema.contains("type")) return "any";
        const Json& type = schema.at("type");
        if (type.is_string()) return escaped(type.get<std::string>());
        return one_of(type);
    }

    const Json& resolved(const Json& part) const {
        const auto reference = part.find("$ref");
        if (reference == part.end()) return part;
        return api_.at(Json::json_pointer(reference->get<std::string>().substr(1)));
    }

    void table(std::string_view caption, const std::string& rows) {
        if (rows.empty()) return;
        out_ += fmt::format("<div class=\"wide\"><table><caption>{}</caption>\n{}</table></div>\n", caption,
                            rows);
    }

    const Json& api_;
    std::string out_;
};

}  // namespace

std::string docs_page(std::string_view openapi) {
    const Json api = Json::parse(openapi, nullptr, false);
    if (!api.is_object()) return {};
    return Page(api).whole();
}

std::string docs_policy() {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(kStyle.data()), kStyle.size(), digest.data());
    std::array<unsigned char, 4 * ((SHA256_DIGEST_LENGTH + 2) / 3) + 1> text{};
    ::EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(digest.size()));
    return fmt::format(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors "
        "'none'",
        reinterpret_cast<const char*>(text.data()));
}

}  // namespace cam::api
