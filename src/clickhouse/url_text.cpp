#include "clickhouse/url_text.h"

#include <spdlog/fmt/fmt.h>

namespace cam::clickhouse {
namespace {

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

}  // namespace

std::string url_text(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string escaped_parameter(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    for (const char c : value) {
        switch (c) {
            case '\\':
                out += "\\\\";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\0':
                out += "\\0";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::optional<std::string> fault_of_url(std::string_view url) {
    constexpr std::string_view kExpected = "expected http://host:8123 or https://host:8443";
    std::string_view rest = url;
    if (url.starts_with("http://")) {
        rest.remove_prefix(7);
    } else if (url.starts_with("https://")) {
        rest.remove_prefix(8);
    } else {
        return fmt::format("the URL of ClickHouse begins with neither http:// nor https://: {}", kExpected);
    }
    const std::string_view host = rest.substr(0, rest.find('/'));
    if (host.find('@') != std::string_view::npos) {
        return "the URL of ClickHouse names a user or password: they belong into traffic.clickhouse.user and "
               "password_file";
    }
    if (host.empty() || host.front() == ':') {
        return fmt::format("the URL of ClickHouse names no host: {}", kExpected);
    }
    if (rest.find_first_of("?# \t\r\n") != std::string_view::npos) {
        return fmt::format("the URL of ClickHouse holds a query, a fragment or a blank: {}", kExpected);
    }
    return std::nullopt;
}

}  // namespace cam::clickhouse
