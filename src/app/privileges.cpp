#include "app/privileges.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

namespace cam::app {

Status become_owner_of(const std::string& database) {
    if (::geteuid() != 0) return Done{};
    const std::string folder = std::filesystem::path(database).parent_path().string();
    struct stat about {};
    if (::stat(folder.c_str(), &about) != 0 || about.st_uid == 0) return Done{};
    const uid_t owner = about.st_uid;
    const gid_t group = about.st_gid;
    const bool changed = ::setgroups(1, &group) == 0 && ::setresgid(group, group, group) == 0 &&
                         ::setresuid(owner, owner, owner) == 0;
    if (!changed) {
        return Error{ErrorCode::kRefused, fmt::format("cannot become the owner (uid {}) of {}: {}", owner,
                                                      folder, std::generic_category().message(errno))};
    }
    return Done{};
}

}  // namespace cam::app
