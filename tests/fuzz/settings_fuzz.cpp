#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "app/settings.h"
#include "cam/base/check.h"

namespace {

using cam::check;
using cam::app::Environment;
using cam::app::LoadedSettings;
using cam::app::Needs;
using nlohmann::json;

constexpr const char* kFile = "/nowhere/config/settings.json";
constexpr std::string_view kPlanted = "PlantedSecret0123456789";

/// The name of a file that holds the planted secret: open for as long as the process lives, in no folder.
const std::string& secret_file() {
    static const std::string path = [] {
        const int fd = ::memfd_create("planted", MFD_CLOEXEC);
        check(fd >= 0, "no memory file");
        check(::write(fd, kPlanted.data(), kPlanted.size()) == static_cast<ssize_t>(kPlanted.size()),
              "short write");
        return fmt::format("/proc/self/fd/{}", fd);
    }();
    return path;
}

Environment planted_environment() {
    const std::string planted{kPlanted};
    return {.cloudflare_api_token = planted + "!",
            .telegram_bot_token = planted + " with a blank",
            .credentials_directory = "/nowhere/credentials"};
}

void check_usable(const LoadedSettings& loaded, Needs needs) {
    const cam::app::Settings& settings = loaded.settings;
    check(!settings.cloudflare.account_id.empty(), "usable without an account id");
    check(!settings.cloudflare.api_token.empty(), "usable without Cloudflare's token");
    check(!settings.paths.database.empty(), "usable without a database");
    check(settings.cloudflare.api_url.starts_with("http"), "usable without Cloudflare's URL");
    check(settings.monitor.poll_interval.count() >= 1, "usable without a rhythm");
    check(settings.monitor.poll_interval <= std::chrono::hours{24}, "usable with an absurd rhythm");
    check(settings.monitor.lookback.count() >= 1, "usable without a lookback");
    check(!settings.api.enabled || settings.api.token || settings.api.listen.loopback(),
          "usable and open to all");
    if (needs == Needs::kCloudflareOnly) return;
    check(!settings.telegram.bot_token.empty(), "usable without Telegram's token");
    check(!settings.telegram.chat_id.empty(), "usable without a chat");
}

bool parses_to_usable(const std::string& text, const Environment& environment, Needs needs) {
    const LoadedSettings loaded = cam::app::parse_settings(text, kFile, environment, needs);
    for (const cam::app::Finding& finding : loaded.findings) {
        const std::string line = cam::app::finding_line(loaded.file, finding);
        check(line.find(kPlanted) == std::string::npos, "a secret in a finding");
        check(!finding.what.empty(), "a finding that says nothing");
    }
    if (loaded.usable()) check_usable(loaded, needs);
    return loaded.usable();
}

void parse_for_all_needs(const std::string& text, const Environment& environment) {
    const bool all = parses_to_usable(text, environment, Needs::kEverything);
    const bool less = parses_to_usable(text, environment, Needs::kCloudflareOnly);
    check(less || !all, "usable for everything, but not for less");
}

/// The document with the secret at every place that is meant for one: well formed, broken, or of a wrong
/// type.
void plant(json document, std::size_t choice) {
    const std::string planted{kPlanted};
    const std::array<json, 4> values{json(planted), json(planted + "\n" + planted), json::array({planted}),
                                     json::object({{"is", planted}})};
    for (const char* group : {"cloudflare", "telegram", "api"}) {
        if (!document.contains(group)) document[group] = json::object();
        if (!document[group].is_object()) continue;
        for (const char* key : {"api_token", "bot_token", "token"})
            document[group][key] = values.at(choice % values.size());
        if (choice % 8 >= values.size()) document[group]["token_file"] = secret_file();
    }
    if (choice % 16 == 0) document["cloudflare"] = planted;
    const std::string text = document.dump(-1, ' ', false, json::error_handler_t::replace);
    parses_to_usable(text, Environment{}, Needs::kEverything);
}

}  // namespace

/// Feeds the reader of settings.json: any text gives findings and never an exception, and no finding holds a
/// secret.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    if (text.find("PlantedSecret") != std::string::npos)
        return 0;  // the operator's own words may be repeated
    parse_for_all_needs(text, Environment{});
    parse_for_all_needs(text, planted_environment());
    // Deeper texts are refused before they reach a recursive writer.
    if (text.size() > 16'384 ||
        std::count(text.begin(), text.end(), '[') + std::count(text.begin(), text.end(), '{') > 64)
        return 0;
    const json document = json::parse(text, nullptr, false);
    if (document.is_object()) plant(document, size);
    return 0;
}
