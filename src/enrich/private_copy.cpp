#include "enrich/private_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::enrich {
namespace {

/// Larger than any MaxMind database (the largest are about 1 GiB).
constexpr off_t kMostBytes = off_t{4} << 30U;

ErrorCode code_of(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
            return ErrorCode::kNotFound;
        case EACCES:
        case EPERM:
            return ErrorCode::kRefused;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case ENOMEM:
            return ErrorCode::kFull;
        case EROFS:
            return ErrorCode::kReadOnly;
        default:
            return ErrorCode::kBroken;
    }
}

Error failed(const char* what, int error) {
    return Error{code_of(error), fmt::format("{}: {}", what, std::generic_category().message(error))};
}

/// An empty file without a name, with room for `size` bytes where the file system can promise that.
Result<UniqueFd> make_unnamed(const std::string& folder, off_t size) {
    UniqueFd fd;
    if (!folder.empty()) {
        fd = UniqueFd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
        if (!fd.valid() && code_of(errno) == ErrorCode::kFull)
            return failed("no room for a private copy", errno);
    }
    if (!fd.valid()) fd = UniqueFd(::memfd_create("cam-geoip", MFD_CLOEXEC));
    if (!fd.valid()) return failed("cannot make a private copy", errno);
    // A disk too full is better known before a hundred megabytes are written.
    if (size > 0 && ::fallocate(fd.get(), 0, 0, size) != 0 && code_of(errno) == ErrorCode::kFull) {
        return failed("no room for a private copy", errno);
    }
    return fd;
}

/// The ways to copy, fastest first; each is tried until one does not refuse the pair of files.
enum class Way { kCopyFileRange, kSendfile, kReadWrite };

/// Bytes copied, 0 at the end of the source, or -1 with errno. Writes and reads at the descriptors' own
/// positions.
ssize_t copy_some(Way way, int from, int to, std::size_t most) {
    switch (way) {
        case Way::kCopyFileRange:
            return ::copy_file_range(from, nullptr, to, nullptr, most, 0);
        case Way::kSendfile:
            return ::sendfile(to, from, nullptr, most);
        case Way::kReadWrite:
            break;
    }
    std::array<std::byte, 65'536> buffer{};
    const ssize_t got = ::read(from, buffer.data(), std::min(most, buffer.size()));
    for (ssize_t written = 0; written < got;) {
        const ssize_t more = ::write(to, buffer.data() + written,
                                     static_cast<std::size_t>(got) - static_cast<std::size_t>(written));
        if (more < 0 && errno != EINTR) return more;
        if (more > 0) written += more;
    }
    return got;
}

bool wants_another_way(int error) {
    return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EBADF ||
           error == EPERM;
}

Status copy_bytes(int from, int to, off_t size) {
    Way way = Way::kCopyFileRange;
    for (off_t done = 0; done < size;) {
        const ssize_t copied = copy_some(way, from, to, static_cast<std::size_t>(size - done));
        if (copied > 0) {
            done += copied;
        } else if (copied == 0 && way == Way::kReadWrite) {
            return Error{ErrorCode::kBusy, "it became shorter while it was read"};
        } else if (copied == 0) {
            way = Way::kReadWrite;  // some file systems answer copy_file_range with 0 instead of an error
        } else if (errno != EINTR) {
            const int error = errno;
            if (way == Way::kReadWrite || !wants_another_way(error)) return failed("cannot copy it", error);
            way = way == Way::kCopyFileRange ? Way::kSendfile : Way::kReadWrite;
        }
    }
    return Done{};
}

}  // namespace

Result<SourceFile> open_source(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd.valid()) return failed("cannot be opened", errno);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return failed("cannot be examined", errno);
    if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kInvalid, "is no regular file"};
    if (status.st_size > kMostBytes) return Error{ErrorCode::kTooLarge, "is larger than 4 GiB"};
    return SourceFile{.fd = std::move(fd), .signature = FileSignature::of(status)};
}

Result<UniqueFd> copy_privately(const SourceFile& source, const std::string& scratch_folder) {
    if (::lseek(source.fd.get(), 0, SEEK_SET) < 0) return failed("cannot be read", errno);
    Result<UniqueFd> copy = make_unnamed(scratch_folder, source.signature.size);
    if (!copy) return copy;
    const Status copied = copy_bytes(source.fd.get(), copy->get(), source.signature.size);
    if (!copied) return copied.error();
    struct stat now {};
    if (::fstat(source.fd.get(), &now) != 0) return failed("cannot be examined", errno);
    if (FileSignature::of(now) != source.signature) {
        return Error{ErrorCode::kBusy, "it changed while it was read"};
    }
    return copy;
}

}  // namespace cam::enrich
