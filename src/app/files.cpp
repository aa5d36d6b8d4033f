#include "app/files.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cam/base/unique_fd.h"

namespace cam::app {
namespace {

Error failure(int error) {
    const ErrorCode code = error == ENOENT || error == ENOTDIR                   ? ErrorCode::kNotFound
                           : error == EROFS || error == EACCES || error == EPERM ? ErrorCode::kReadOnly
                           : error == ENOSPC || error == EDQUOT                  ? ErrorCode::kFull
                                                                                 : ErrorCode::kInternal;
    return Error{code, std::generic_category().message(error)};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most) {
    // O_NONBLOCK: a FIFO under that name must not hang us.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) return failure(errno);
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) return failure(errno);
    if (!S_ISREG(about.st_mode)) return Error{ErrorCode::kInvalid, "not a regular file"};
    std::string text;
    char buffer[16 * 1024];
    while (true) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(errno);
        if (got == 0) return text;
        text.append(buffer, static_cast<std::size_t>(got));
        if (text.size() > most)
            return Error{ErrorCode::kTooLarge, "larger than " + std::to_string(most) + " bytes"};
    }
}

Result<std::optional<FileIdentity>> file_at(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
        const int error = errno;
        if (error == ENOENT || error == ENOTDIR) return std::optional<FileIdentity>{};
        return failure(error);
    }
    return std::optional{FileIdentity{.device = static_cast<std::uint64_t>(about.st_dev),
                                      .inode = static_cast<std::uint64_t>(about.st_ino)}};
}

bool everybody_can_read(const std::string& path) {
    struct stat about {};
    if (path.empty() || ::stat(path.c_str(), &about) != 0 || (about.st_mode & S_IROTH) == 0) return false;
    std::error_code failed;
    const std::filesystem::path whole = std::filesystem::canonical(path, failed);
    if (failed) return false;
    for (std::filesystem::path folder = whole.parent_path();; folder = folder.parent_path()) {
        if (::stat(folder.c_str(), &about) != 0 || (about.st_mode & S_IXOTH) == 0) return false;
        if (folder == folder.root_path()) return true;
    }
}

Status write_file_atomically(const std::string& path, std::string_view text) {
    struct stat about {};
    const mode_t mode = ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777U : 0640U;
    std::string beside = path + ".XXXXXX";
    const UniqueFd file(::mkostemp(beside.data(), O_CLOEXEC));
    if (!file.valid()) return failure(errno);
    const auto give_up = [&](int error) {
        ::unlink(beside.c_str());
        return failure(error);
    };
    while (!text.empty()) {
        const ssize_t wrote = ::write(file.get(), text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return give_up(errno);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) return give_up(errno);
    if (::rename(beside.c_str(), path.c_str()) != 0) return give_up(errno);
    return Done{};
}

}  // namespace cam::app
