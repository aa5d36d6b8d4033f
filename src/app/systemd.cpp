#include "app/systemd.h"

#include <cinttypes>
#include <ctime>

#include <systemd/sd-daemon.h>

namespace cam::app::systemd {

void ready(const std::string& status) {
    ::sd_notifyf(0, "READY=1\nSTATUS=%s", status.c_str());
}

void reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::uint64_t microseconds =
        static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
    ::sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, microseconds);
}

void stopping() {
    ::sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
}

void status(const std::string& text) {
    ::sd_notifyf(0, "STATUS=%s", text.c_str());
}

void alive() {
    ::sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
    return std::chrono::milliseconds{microseconds / 1'000};
}

}  // namespace cam::app::systemd
