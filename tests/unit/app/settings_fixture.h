#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "app/settings.h"
#include "fakes/base/temp_folder.h"

namespace cam::app {

constexpr const char* kToken = "cloudflareInlineToken0000000000000000001";
constexpr const char* kBotToken = "123456789:AAinlineTelegramBotToken00000000001";

/// What the Python monitor's users have, with `more` behind it at top level (`, "monitor": {…}`).
inline std::string python_era(const std::string& more = "") {
    return fmt::format(
        R"({{"cloudflare": {{"account_id": "0123456789abcdef0123456789abcdef", "api_token": "{}"}},
"telegram": {{"bot_token": "{}", "chat_id": "-1001234567890"}}{}}})",
        kToken, kBotToken, more);
}

inline std::string with(const std::string& group, const std::string& key, const std::string& value) {
    return python_era(fmt::format(R"(, "{}": {{"{}": {}}})", group, key, value));
}

class SettingsTest : public testing::Test {
protected:
    LoadedSettings parse(const std::string& text, Needs needs = Needs::kEverything) const {
        return parse_settings(text, folder_.file("config/settings.json"), environment_, needs);
    }
    /// All findings as lines, errors and warnings.
    static std::string lines(const LoadedSettings& loaded) {
        std::string out;
        for (const Finding& finding : loaded.findings) out += finding_line("settings.json", finding) + "\n";
        return out;
    }
    static bool has(const LoadedSettings& loaded, Finding::Severity severity, std::string_view where,
                    std::string_view what = "") {
        return std::any_of(loaded.findings.begin(), loaded.findings.end(), [&](const Finding& finding) {
            return finding.severity == severity && finding.where == where &&
                   finding.what.find(what) != std::string::npos;
        });
    }
    static bool refuses(const LoadedSettings& loaded, std::string_view where, std::string_view what = "") {
        return !loaded.usable() && has(loaded, Finding::Severity::kError, where, what);
    }
    static bool warns(const LoadedSettings& loaded, std::string_view where, std::string_view what = "") {
        return has(loaded, Finding::Severity::kWarning, where, what);
    }

    TempFolder folder_;
    Environment environment_;
};

inline std::vector<std::string> texts(const std::vector<Prefix>& prefixes) {
    std::vector<std::string> out;
    for (const Prefix& prefix : prefixes) out.push_back(prefix.text());
    return out;
}

}  // namespace cam::app
