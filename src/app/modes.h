#pragma once

#include <optional>

#include "app/command_line.h"
#include "app/settings.h"

// What each invocation does; the returned number is the process' exit status.
namespace cam::app {

enum ExitStatus : int {
    kExitDone = 0,
    kExitFailed = 1,
    kExitUsage = 2,
    kExitUnreachable = 3,  ///< `alert` got no answer from the daemon
    kExitNotQueued = 75,   ///< `notify` could not even queue its message (sysexits.h: EX_TEMPFAIL)
};

/// Prints the findings to standard error; true if the settings can be used.
bool report_findings(const LoadedSettings& loaded);

[[nodiscard]] int run_daemon(const Invocation& asked);
[[nodiscard]] int run_once(const Invocation& asked);
[[nodiscard]] int run_test(const Invocation& asked);
[[nodiscard]] int run_check_config(const Invocation& asked);
[[nodiscard]] int run_notify(const Invocation& asked);
[[nodiscard]] int run_alert(const Invocation& asked);

/// report_findings(), then the files' owner is become (see privileges.h); the exit status if that is the end.
[[nodiscard]] std::optional<int> prepare(const LoadedSettings& loaded);

/// Makes the folder of the log file where it is missing (one level, like the database's).
void make_log_folder(const std::string& log_file);

/// The settings that the invocation means: the file's, with the options of the command line on top.
[[nodiscard]] LoadedSettings settings_for(const Invocation& asked, Needs needs);

}  // namespace cam::app
