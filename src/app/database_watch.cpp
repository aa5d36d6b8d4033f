#include "app/database_watch.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "cam/base/log.h"

namespace cam::app {
namespace {

std::optional<FileIdentity> known_file(const std::string& path) {
    const auto file = file_at(path);
    return file ? *file : std::nullopt;
}

}  // namespace

DatabaseWatch::DatabaseWatch(std::string path)
    : path_(std::move(path)),
      database_(known_file(path_)),
      wal_(known_file(path_ + "-wal")),
      shm_(known_file(path_ + "-shm")) {}

bool DatabaseWatch::Seen::same_as(const Seen& other) const {
    return file == other.file && size == other.size && changed.tv_sec == other.changed.tv_sec &&
           changed.tv_nsec == other.changed.tv_nsec;
}

std::optional<DatabaseWatch::Seen> DatabaseWatch::see(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0) {
        return Seen{.file = FileIdentity{.device = static_cast<std::uint64_t>(about.st_dev),
                                         .inode = static_cast<std::uint64_t>(about.st_ino)},
                    .size = about.st_size,
                    .changed = about.st_mtim};
    }
    if (errno == ENOENT || errno == ENOTDIR) return Seen{};
    return std::nullopt;
}

DatabaseWatch::Sight DatabaseWatch::look(SteadyTime now) {
    const std::optional<Seen> seen = see(path_);
    if (!database_ || !seen || seen->file == database_) {
        other_.reset();
        return Sight::kOurs;
    }
    if (!other_ || !other_->same_as(*seen)) {
        other_ = seen;
        since_ = now;
    }
    return now - since_ >= kSettled ? Sight::kReplaced : Sight::kUnsettled;
}

bool DatabaseWatch::is_ours() const {
    const auto file = file_at(path_);
    return !database_ || !file || *file == database_;
}

void DatabaseWatch::leave_behind(const Logger& log) const {
    if (is_ours()) return;
    const std::string wal = path_ + "-wal";
    const std::string shm = path_ + "-shm";
    if (wal_ && known_file(wal) == wal_) {
        struct stat about {};
        const bool empty = ::stat(wal.c_str(), &about) == 0 && about.st_size == 0;
        const std::string lost = wal + ".lost";
        if ((empty ? ::unlink(wal.c_str()) : std::rename(wal.c_str(), lost.c_str())) != 0) {
            log->error(
                "the -wal of the lost database cannot be moved away, it may destroy the next one file={}",
                quote(wal));
        } else if (!empty) {
            log->warn("the last changes of the lost database are kept file={}", quote(lost));
        }
    }
    if (shm_ && known_file(shm) == shm_) ::unlink(shm.c_str());
}

}  // namespace cam::app
