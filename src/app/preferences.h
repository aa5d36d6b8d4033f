#pragma once

#include <string>

#include "cam/base/result.h"

namespace cam::app {

/// The dashboard's toggle file, `{"my_prefixes_only": true}`. Any thread; each call opens the file anew.
class PreferenceFile {
public:
    explicit PreferenceFile(std::string path) : path_(std::move(path)) {}

    /// kNotFound, or kInvalid for a file that is not the expected JSON.
    [[nodiscard]] Result<bool> my_prefixes_only() const;
    /// Written atomically; other keys of the file are kept.
    [[nodiscard]] Status set_my_prefixes_only(bool on) const;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

}  // namespace cam::app
