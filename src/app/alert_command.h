#pragma once

#include <optional>
#include <string>

#include "app/command_line.h"
#include "app/settings.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/net/http_client.h"

namespace cam::app {

/// Whom to ask, and with which token.
struct AlertSource {
    ListenAddress address;
    std::optional<Secret> token;
};

/// `--api`, else `api.listen` of the settings; the token of the environment (`token`), else of
/// `api.token_file`. Whoever may not read the default settings file asks 127.0.0.1:8090; a file that was
/// named must be readable. Mistakes elsewhere in the settings do not matter here. Error: for a person.
[[nodiscard]] Result<AlertSource> alert_source(const Invocation& asked,
                                               const std::optional<std::string>& token,
                                               const Environment& environment);

/// The alerts that are active now, as a JSON array for people and programs; empty if there are none. Error:
/// for a person.
[[nodiscard]] Result<std::string> active_alerts(net::HttpClient& http, const AlertSource& source);

}  // namespace cam::app
