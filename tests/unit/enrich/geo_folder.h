#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cam::enrich {

/// A folder of databases that a test may replace and damage; removed at the end. One thread at a time.
class GeoFolder {
public:
    GeoFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "cam-geo-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
        folder_ = pattern;
        std::filesystem::create_directory(scratch());
    }
    GeoFolder(const GeoFolder&) = delete;
    GeoFolder& operator=(const GeoFolder&) = delete;
    ~GeoFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::string path(std::string_view name) const { return (folder_ / name).string(); }
    [[nodiscard]] std::string scratch() const { return path("scratch"); }

    /// The bytes of a fixture of tests/data/geoip.
    static std::string fixture(std::string_view name) {
        return read(std::string{CAM_TEST_DATA "/geoip/"}.append(name));
    }
    static std::string read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        if (!file) throw std::runtime_error("cannot read " + path);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

    /// As cp does it: truncates the file that is there and writes into it.
    void overwrite(std::string_view name, std::string_view bytes) const {
        std::ofstream file(path(name), std::ios::binary | std::ios::trunc);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        if (!file.flush()) throw std::runtime_error("cannot write " + path(name));
    }
    /// As rsync --inplace does it: writes from the front, keeps what is behind.
    void overwrite_head(std::string_view name, std::string_view bytes) const {
        std::fstream file(path(name), std::ios::binary | std::ios::in | std::ios::out);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        if (!file.flush()) throw std::runtime_error("cannot write " + path(name));
    }
    /// As geoipupdate does it: another file takes the name.
    void replace(std::string_view name, std::string_view bytes) const {
        overwrite("next", bytes);
        std::filesystem::rename(path("next"), path(name));
    }
    void remove(std::string_view name) const { std::filesystem::remove(path(name)); }

private:
    std::filesystem::path folder_;
};

/// `bytes` with the first `from` in it replaced by `to`, which is as long.
inline std::string patched(std::string bytes, std::string_view from, std::string_view to) {
    const std::size_t at = bytes.find(from);
    if (at == std::string::npos || from.size() != to.size()) throw std::runtime_error("cannot patch");
    return bytes.replace(at, to.size(), to);
}

}  // namespace cam::enrich
