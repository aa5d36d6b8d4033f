#include <charconv>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "generated_answer.h"

/// Writes the benchmarks' answer to standard output, so that other programs can be given the same one.
int main(int argc, char** argv) {
    const std::string_view asked = argc == 2 ? argv[1] : "";
    std::size_t rows = 0;
    const auto read = std::from_chars(asked.data(), asked.data() + asked.size(), rows);
    if (read.ec != std::errc{} || read.ptr != asked.data() + asked.size() || rows == 0) {
        std::fprintf(stderr, "usage: cam-bench-answer ROWS > FILE\n");
        return 2;
    }
    try {
        const std::string answer = cam::bench::generated_answer(rows, 0);
        return std::fwrite(answer.data(), 1, answer.size(), stdout) == answer.size() ? 0 : 1;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "cam-bench-answer: %s\n", failure.what());
        return 1;
    }
}
