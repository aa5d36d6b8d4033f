#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace cam::store {

inline int statements_left = 0;

inline int count_down(unsigned /*mask*/, void* /*context*/, void* /*statement*/, void* sql) {
    // Statements inside of statements are traced as comments.
    if (std::strncmp(static_cast<const char*>(sql), "--", 2) != 0 && statements_left-- == 0)
        kill(getpid(), SIGKILL);
    return 0;
}

inline int trace_connection(sqlite3* handle, const char** /*problem*/, const sqlite3_api_routines* /*api*/) {
    return sqlite3_trace_v2(handle, SQLITE_TRACE_STMT, &count_down, nullptr);
}

/// Does `work` in a process of its own, whose exit status is what it returns; the status as waitpid tells it.
template <typename Work>
int status_of_process(const Work& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

/// Does `work` in a process of its own that is killed before its SQL statement number `survived`; true if it
/// was. `work` returns whether all went well.
template <typename Work>
bool work_and_die(int survived, const Work& work) {
    const int status = status_of_process([&] {
        statements_left = survived;
        sqlite3_auto_extension(reinterpret_cast<void (*)()>(&trace_connection));
        return work() ? 0 : 1;
    });
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

}  // namespace cam::store
