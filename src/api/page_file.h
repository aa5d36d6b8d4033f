#pragma once

#include <span>
#include <string_view>

namespace cam::api {

/// A file of the page, made a constant by the build (config/cmake/page.cmake). Immutable.
struct PageFile {
    std::string_view name;  ///< `index.html`
    std::string_view content_type;
    std::string_view version;  ///< changes with the content
    std::string_view plain;
    std::string_view compressed;  ///< by gzip
};

/// All files of the page, the chart library's too.
[[nodiscard]] std::span<const PageFile* const> page_files();

}  // namespace cam::api
