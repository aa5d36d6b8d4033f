#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace cam::enrich {

/// What tells one state of a file from another without reading it: another file under the same name, or the
/// same file written to. Immutable.
struct FileSignature {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_seconds = 0;
    std::int64_t modified_nanoseconds = 0;
    std::int64_t changed_seconds = 0;
    std::int64_t changed_nanoseconds = 0;

    static FileSignature of(const struct stat& status) {
        return {.device = status.st_dev,
                .inode = status.st_ino,
                .size = status.st_size,
                .modified_seconds = status.st_mtim.tv_sec,
                .modified_nanoseconds = status.st_mtim.tv_nsec,
                .changed_seconds = status.st_ctim.tv_sec,
                .changed_nanoseconds = status.st_ctim.tv_nsec};
    }
    friend bool operator==(const FileSignature&, const FileSignature&) = default;
};

}  // namespace cam::enrich
