// Holds the documents against the program: the settings' keys and defaults, the options, the links.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "app/settings.h"

namespace cam::app {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
    std::ifstream stream(file);
    EXPECT_TRUE(stream.good()) << file;
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

fs::path project(const char* name) {
    return fs::path(CAM_SOURCE_DIR) / name;
}

/// All that the first group of `pattern` matches in `text`.
std::vector<std::string> all_of(const std::string& text, const char* pattern) {
    const std::regex expression{pattern};
    std::vector<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        out.push_back((*at)[1].str());
    }
    return out;
}

/// Rows of docs/configuration.md that begin with a key in backticks, by that key.
std::map<std::string, std::string> key_rows() {
    std::map<std::string, std::string> rows;
    std::ifstream page(project("docs/configuration.md"));
    const std::regex row{R"(^\| `([^`]+)` \|.*)"};
    std::string line;
    while (std::getline(page, line)) {
        std::smatch match;
        if (!std::regex_match(line, match, row)) continue;
        const bool is_new = rows.emplace(match[1].str(), line).second;
        EXPECT_TRUE(is_new) << match[1].str() << " has two rows";
    }
    return rows;
}

/// `# First run` is linked as `#first-run`, as GitHub does it.
std::string anchor_of(const std::string& heading) {
    std::string anchor;
    for (const char c : heading) {
        const auto byte = static_cast<unsigned char>(c);
        if (c >= 'A' && c <= 'Z') {
            anchor += static_cast<char>(c - 'A' + 'a');
        } else if (c == ' ') {
            anchor += '-';
        } else if (c == '-' || c == '_' || byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            anchor += c;
        }
    }
    return anchor;
}

/// Outside blocks of code, where `#` begins a comment and no link is one.
std::string without_code_blocks(const std::string& text) {
    std::istringstream lines(text);
    std::string out;
    bool in_block = false;
    for (std::string line; std::getline(lines, line);) {
        const bool is_fence = line.rfind("```", 0) == 0;
        if (!is_fence && !in_block) out += line + "\n";
        if (is_fence) in_block = !in_block;
    }
    return out;
}

bool has_heading(const fs::path& page, const std::string& anchor) {
    const std::vector<std::string> headings =
        all_of("\n" + without_code_blocks(read(page)), R"(\n#+ +([^\n]+))");
    return std::any_of(headings.begin(), headings.end(),
                       [&](const std::string& heading) { return anchor_of(heading) == anchor; });
}

std::vector<fs::path> pages() {
    std::vector<fs::path> out{project("README.md")};
    for (const auto& entry : fs::directory_iterator(project("docs"))) {
        if (entry.path().extension() == ".md") out.push_back(entry.path());
    }
    return out;
}

/// The long options and commands that command_line.cpp defines.
std::set<std::string> options() {
    const std::string source = read(project("src/app/command_line.cpp"));
    std::set<std::string> out{"--help"};  // CLI11's own
    for (const std::string& name :
         all_of(source, "add_(?:flag|option)\\(\\s*\"(?:-[a-zA-Z0-9],)?(--[a-z-]+)\"")) {
        out.insert(name);
    }
    for (const std::string& name : all_of(source, "set_version_flag\\(\"(--[a-z-]+)\"")) out.insert(name);
    return out;
}

std::set<std::string> commands() {
    const std::vector<std::string> found =
        all_of(read(project("src/app/command_line.cpp")), "add_subcommand\\(\\s*\"([a-z-]+)\"");
    return {found.begin(), found.end()};
}

TEST(DocumentsTest, EveryKeyOfTheSettingsHasARowInConfigurationMd) {
    const auto rows = key_rows();
    for (const std::string& path : option_paths()) {
        EXPECT_EQ(rows.count(path), 1U) << "docs/configuration.md has no row for " << path;
    }
}

TEST(DocumentsTest, ConfigurationMdNamesNoKeyThatDoesNotExist) {
    const std::vector<std::string> paths = option_paths();
    for (const auto& [path, row] : key_rows()) {
        EXPECT_NE(std::find(paths.begin(), paths.end(), path), paths.end()) << row;
    }
}

TEST(DocumentsTest, ConfigurationMdTellsTheDefaultsOfTheProgram) {
    const Settings defaults =
        parse_settings("{}", "/site/settings.json", Environment{}, Needs::kEverything).settings;
    const auto relative = [](const std::string& path) {
        return fs::path(path).lexically_relative("/site").string();
    };
    std::map<std::string, std::vector<std::string>> told{
        {"cloudflare.api_url", {defaults.cloudflare.api_url}},
        {"telegram.api_url", {defaults.telegram.api_url}},
        {"monitor.poll_interval_seconds", {fmt::format("{}", defaults.monitor.poll_interval.count())}},
        {"monitor.lookback_minutes", {fmt::format("{}", defaults.monitor.lookback.count())}},
        {"monitor.min_packets", {fmt::format("{}", defaults.monitor.min_packets)}},
        {"monitor.aggregate_above", {fmt::format("{}", defaults.monitor.aggregate_above)}},
        {"monitor.catch_up_hours", {fmt::format("{}", defaults.monitor.catch_up.count())}},
        {"geoip.city", defaults.geoip.city},
        {"geoip.asn", defaults.geoip.asn},
        {"paths.database", {relative(defaults.paths.database)}},
        {"paths.dashboard_prefs", {relative(defaults.paths.dashboard_prefs)}},
        {"paths.log_file", {relative(defaults.paths.log_file)}},
        {"organization", {defaults.organization}},
        {"api.enabled", {defaults.api.enabled ? "true" : "false"}},
        {"api.listen", {defaults.api.listen.text()}},
        {"flow.enabled", {defaults.flow.enabled ? "true" : "false"}},
        {"flow.workers", {fmt::format("{}", defaults.flow.workers)}},
        {"flow.receive_buffer_bytes", {fmt::format("{}", defaults.flow.receive_buffer_bytes)}},
        {"traffic.store", {defaults.traffic.on_clickhouse() ? "clickhouse" : "sqlite"}},
        {"traffic.role", {defaults.traffic.only_collects() ? "collector" : "judge"}},
        {"traffic.clickhouse.url", {defaults.traffic.clickhouse.url}},
        {"traffic.clickhouse.database", {defaults.traffic.clickhouse.database}},
        {"traffic.clickhouse.user", {defaults.traffic.clickhouse.user}},
        {"traffic.clickhouse.batch_rows", {fmt::format("{}", defaults.traffic.clickhouse.batch_rows)}},
        {"traffic.clickhouse.buffer_bytes", {fmt::format("{}", defaults.traffic.clickhouse.buffer_bytes)}},
        {"traffic.kafka.topic", {defaults.traffic.kafka.topic}},
        {"traffic.kafka.records_per_message",
         {fmt::format("{}", defaults.traffic.kafka.records_per_message)}},
        {"traffic.kafka.queue_bytes", {fmt::format("{}", defaults.traffic.kafka.queue_bytes)}},
        {"traffic.kafka.tls", {defaults.traffic.kafka.has_tls ? "true" : "false"}},
        {"traffic.clickhouse.kafka.topic", {defaults.traffic.clickhouse.kafka.topic}},
        {"traffic.clickhouse.kafka.group", {defaults.traffic.clickhouse.kafka.group}},
        {"traffic.clickhouse.kafka.consumers",
         {fmt::format("{}", defaults.traffic.clickhouse.kafka.consumers)}},
    };
    for (const auto& [label, unit] : defaults.services) {
        told["services"].push_back(fmt::format("\"{}\": \"{}\"", label, unit));
    }
    for (const Prefix& prefix : defaults.prefixes.mine) {
        told["prefixes.mine"].push_back(fmt::format("\"{}\"", prefix.text()));
    }
    for (const Prefix& prefix : defaults.prefixes.cloudflare_anycast) {
        told["prefixes.cloudflare_anycast"].push_back(fmt::format("\"{}\"", prefix.text()));
    }
    for (const ListenAddress& address : defaults.flow.listen) {
        told["flow.listen"].push_back(fmt::format("\"{}\"", address.text()));
    }
    const auto rows = key_rows();
    for (const auto& [path, values] : told) {
        const auto row = rows.find(path);
        ASSERT_NE(row, rows.end()) << path;
        // The third cell: key, type, default.
        const std::vector<std::string> cells = all_of(row->second, R"(\| ([^|]*) (?=\|))");
        ASSERT_GE(cells.size(), 3U) << row->second;
        for (const std::string& value : values) {
            EXPECT_NE(cells[2].find(value), std::string::npos)
                << path << ": " << value << " is not in " << cells[2];
        }
    }
}

TEST(DocumentsTest, ManPageAndCompletionKnowEveryOptionAndCommand) {
    // mdoc writes `--lookback` as `Fl Fl lookback`.
    const std::string page =
        std::regex_replace(read(project("docs/cloudflare-analytics-monitor.8")), std::regex{"Fl Fl "}, "--");
    const std::string completion = read(project("config/bash-completion/cloudflare-analytics-monitor"));
    ASSERT_GE(options().size(), 8U);
    for (const std::string& option : options()) {
        const std::regex whole{option + "(?![a-z-])"};
        EXPECT_TRUE(std::regex_search(page, whole)) << "the man page has no " << option;
        EXPECT_TRUE(std::regex_search(completion, whole)) << "the completion has no " << option;
    }
    ASSERT_FALSE(commands().empty());
    for (const std::string& command : commands()) {
        EXPECT_NE(page.find(".It Cm " + command), std::string::npos) << "the man page has no " << command;
        EXPECT_NE(completion.find(command), std::string::npos) << "the completion has no " << command;
    }
}

TEST(DocumentsTest, ManPageDescribesNoCommandThatDoesNotExist) {
    const std::set<std::string> known = commands();
    const std::vector<std::string> described =
        all_of(read(project("docs/cloudflare-analytics-monitor.8")), R"(\n\.It Cm ([a-z-]+))");
    for (const std::string& command : described) EXPECT_EQ(known.count(command), 1U) << command;
}

TEST(DocumentsTest, EveryRelativeLinkLeadsToAFileAndAHeading) {
    for (const fs::path& page : pages()) {
        for (const std::string& link : all_of(without_code_blocks(read(page)), R"(\]\(([^)\s]+)\))")) {
            if (link.find("://") != std::string::npos || link.rfind("mailto:", 0) == 0) continue;
            const std::size_t hash = link.find('#');
            const std::string path = link.substr(0, hash);
            const fs::path target = path.empty() ? page : (page.parent_path() / path).lexically_normal();
            EXPECT_TRUE(fs::exists(target)) << page << " links to " << link;
            if (hash == std::string::npos || !fs::exists(target)) continue;
            EXPECT_TRUE(has_heading(target, link.substr(hash + 1))) << page << " links to " << link;
        }
    }
}

}  // namespace
}  // namespace cam::app
