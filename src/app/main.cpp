#include <csignal>
#include <cstdio>
#include <exception>
#include <variant>

#include <malloc.h>

#include "app/command_line.h"
#include "app/decode_command.h"
#include "app/modes.h"

namespace {

constexpr int kLargeBlock = 1024 * 1024;

int run(const cam::app::Invocation& asked) {
    switch (asked.mode) {
        case cam::app::Mode::kDaemon:
            return cam::app::run_daemon(asked);
        case cam::app::Mode::kOnce:
            return cam::app::run_once(asked);
        case cam::app::Mode::kTest:
            return cam::app::run_test(asked);
        case cam::app::Mode::kCheckConfig:
            return cam::app::run_check_config(asked);
        case cam::app::Mode::kNotify:
            return cam::app::run_notify(asked);
        case cam::app::Mode::kAlert:
            return cam::app::run_alert(asked);
        case cam::app::Mode::kDecode:
            return cam::app::run_decode(asked);
    }
    return cam::app::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
    // Few threads that rarely work at once: one arena more than main's is enough and keeps the process small.
    ::mallopt(M_ARENA_MAX, 2);
    // Blocks of more go back to the system when they are freed. Left to itself the C library raises this up
    // to 32 MiB, and then keeps megabytes of each minute's and each poll's buffers for good.
    ::mallopt(M_MMAP_THRESHOLD, kLargeBlock);
    ::mallopt(M_TRIM_THRESHOLD, kLargeBlock);
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const auto parsed = cam::app::parse_command_line(argc, argv);
        if (const auto* farewell = std::get_if<cam::app::Farewell>(&parsed)) {
            std::fputs(farewell->out.c_str(), stdout);
            std::fputs(farewell->err.c_str(), stderr);
            return farewell->status;
        }
        return run(std::get<cam::app::Invocation>(parsed));
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "cloudflare-analytics-monitor: %s\n", failure.what());
        return cam::app::kExitFailed;
    }
}
