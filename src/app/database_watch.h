#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

#include "app/files.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"

namespace cam::app {

/// Which files this process has open as its database, and whether they still lie at the path. SQLite leaves
/// the `-wal` of a database that was moved or removed where it is, and would play it into the next file that
/// is opened at the path, which destroys that one. One thread at a time.
class DatabaseWatch {
public:
    /// To be made right after the database was opened for writing.
    explicit DatabaseWatch(std::string path);

    enum class Sight {
        kOurs,       ///< or nobody knows
        kUnsettled,  ///< another file or none lies there, perhaps still being written
        kReplaced,   ///< the same one, of the same size and date, for kSettled
    };
    static constexpr std::chrono::seconds kSettled{5};
    /// To be asked again and again.
    [[nodiscard]] Sight look(SteadyTime now);
    /// False as soon as another file or none lies there.
    [[nodiscard]] bool is_ours() const;
    /// If the database is not ours any more, its `-wal` and `-shm` are taken from the path, if those are
    /// still ours: the `-wal` becomes `….db-wal.lost` unless all of it is in the database (an older one of
    /// that name goes). To be called when no connection is open any more and before the next one is.
    void leave_behind(const Logger& log) const;

private:
    struct Seen {
        std::optional<FileIdentity> file;  ///< nullopt: none
        std::int64_t size = 0;
        std::timespec changed{};
        [[nodiscard]] bool same_as(const Seen& other) const;
    };
    [[nodiscard]] static std::optional<Seen> see(const std::string& path);

    std::string path_;
    std::optional<FileIdentity> database_;
    std::optional<FileIdentity> wal_;
    std::optional<FileIdentity> shm_;
    std::optional<Seen> other_;  ///< what lies there instead of ours
    SteadyTime since_{};
};

}  // namespace cam::app
