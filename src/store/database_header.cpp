#include "cam/store/database_header.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cam/base/unique_fd.h"
#include "migrations.h"

namespace cam::store {
namespace {

// https://www.sqlite.org/fileformat2.html#the_database_header
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kUserVersionAt = 60;
constexpr std::size_t kHeaderBytes = 100;

Error failure(ErrorCode code, const std::string& path, std::string_view why) {
    return Error{code, fmt::format("{}: {}", path, why)};
}

Error failure(int number, const std::string& path) {
    return failure(
        number == EACCES || number == EPERM || number == EROFS ? ErrorCode::kReadOnly : ErrorCode::kInternal,
        path, std::error_code(number, std::generic_category()).message());
}

/// Where the file itself is missing: whether it, and if need be its folder, could be made.
Status could_be_made(const std::string& path) {
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (::access(folder.empty() ? "." : folder.c_str(), F_OK) != 0) folder = folder.parent_path();
    const std::string where = folder.empty() ? "." : folder.string();
    if (::faccessat(AT_FDCWD, where.c_str(), W_OK | X_OK, AT_EACCESS) != 0) return failure(errno, where);
    return Done{};
}

}  // namespace

Status could_open(const std::string& path) {
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return could_be_made(path);
        return failure(errno, path);
    }
    if (!S_ISREG(about.st_mode)) return failure(ErrorCode::kInvalid, path, "not a regular file");
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0) return failure(errno, path);
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) return failure(errno, path);
    std::array<unsigned char, kHeaderBytes> header{};
    const ssize_t got = ::pread(file.get(), header.data(), header.size(), 0);
    if (got < 0) return failure(errno, path);
    if (got == 0) return Done{};
    if (static_cast<std::size_t>(got) < header.size() ||
        std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0) {
        return failure(ErrorCode::kCorrupt, path, "not an SQLite database");
    }
    std::uint32_t version = 0;
    for (std::size_t i = 0; i < 4; ++i) version = version << 8U | header.at(kUserVersionAt + i);
    // Signed in the file; a negative one is for open() to refuse.
    if (static_cast<std::int32_t>(version) > schema_version())
        return failure(ErrorCode::kNewer, path, "made by a newer version of this program");
    return Done{};
}

}  // namespace cam::store
