#include "clickhouse/schema_template.h"

#include <spdlog/fmt/fmt.h>

namespace cam::clickhouse {
namespace {

constexpr std::string_view kOnlyCluster = "-- cluster";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

void each_line(std::string_view text, const std::function<void(std::string_view)>& take) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        take(text.substr(0, end));
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::vector<std::string> statements_of(std::string_view file, Servers servers) {
    std::vector<std::string> out;
    std::string statement;
    bool only_cluster = false;
    each_line(file, [&](std::string_view line) {
        const std::string_view text = trimmed(line);
        if (text == kOnlyCluster) only_cluster = true;
        if (text.empty() || text.starts_with("--")) return;
        statement += line;
        if (!text.ends_with(';')) {
            statement += '\n';
            return;
        }
        statement.resize(statement.rfind(';'));
        if (!only_cluster || servers == Servers::kCluster) out.push_back(std::move(statement));
        statement.clear();
        only_cluster = false;
    });
    return out;
}

std::string one_line(std::string_view file) {
    std::string out;
    each_line(file, [&](std::string_view line) {
        const std::string_view text = trimmed(line);
        const std::size_t comment = text.starts_with("//") ? 0 : text.find("  //");
        const std::string_view kept = trimmed(text.substr(0, comment));
        if (kept.empty() || kept.starts_with("--")) return;
        if (!out.empty()) out += ' ';
        out += kept;
    });
    return out;
}

Result<std::string> filled_in(
    std::string_view text,
    const std::function<std::optional<std::string>(std::string_view, std::string_view)>& value) {
    std::string out;
    while (true) {
        const std::size_t begin = text.find('@');
        out += text.substr(0, begin);
        if (begin == std::string_view::npos) return out;
        text.remove_prefix(begin + 1);
        const std::size_t end = text.find('@');
        if (end == std::string_view::npos) return Error{ErrorCode::kInternal, "a placeholder does not end"};
        const std::string_view placeholder = text.substr(0, end);
        text.remove_prefix(end + 1);
        const std::size_t split = placeholder.find_first_of(":(");
        std::string_view argument;
        if (split != std::string_view::npos) {
            argument = placeholder.substr(split + 1);
            if (argument.ends_with(')')) argument.remove_suffix(1);
        }
        const std::optional<std::string> filling = value(placeholder.substr(0, split), argument);
        if (!filling)
            return Error{ErrorCode::kInternal, fmt::format("nothing to fill in for {}", placeholder)};
        out += *filling;
    }
}

std::string string_literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\\' || c == '\'') out += '\\';
        out += c;
    }
    return out + "'";
}

}  // namespace cam::clickhouse
