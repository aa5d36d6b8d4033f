#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::filesystem::path> seeds_in(const char* folder) {
    std::vector<std::filesystem::path> seeds;
    std::error_code ignored;  // a folder that is not there has no seeds
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (entry.is_regular_file()) seeds.push_back(entry.path());
    }
    std::sort(seeds.begin(), seeds.end());
    return seeds;
}

void replay(const std::filesystem::path& seed) {
    // The last name that is printed before a crash is the culprit.
    std::printf("%s\n", seed.filename().c_str());
    std::fflush(stdout);
    std::ifstream file(seed, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

}  // namespace

/// Feeds each seed of a folder to the fuzz target that this is linked with. Fails without seeds.
int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
        return 2;
    }
    try {
        const std::vector<std::filesystem::path> seeds = seeds_in(argv[1]);
        for (const std::filesystem::path& seed : seeds) replay(seed);
        std::printf("%zu seeds replayed\n", seeds.size());
        return seeds.empty() ? 1 : 0;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "replay failed: %s\n", failure.what());
        return 1;
    }
}
