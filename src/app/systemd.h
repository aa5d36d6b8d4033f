#pragma once

#include <chrono>
#include <optional>
#include <string>

// What the process tells systemd (sd_notify). Everything is a no-op when it was not started by systemd. Safe
// from any thread.
namespace cam::app::systemd {

void ready(const std::string& status);
void reloading();
void stopping();
void status(const std::string& text);
void alive();

/// How often systemd expects a sign of life; nullopt: no watchdog.
[[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace cam::app::systemd
