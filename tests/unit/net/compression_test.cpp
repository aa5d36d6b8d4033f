#include "cam/net/compression.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace cam::net {
namespace {

std::string expanded(const std::string& frame, std::size_t room) {
    std::string out(room, '\0');
    const std::size_t size = ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size());
    EXPECT_EQ(ZSTD_isError(size), 0U);
    out.resize(size);
    return out;
}

TEST(CompressionTest, WhatIsCompressedComesBack) {
    std::string bytes;
    for (std::uint32_t i = 0; i < 100'000; ++i) bytes += static_cast<char>(i * i >> 7U);
    for (const std::string& text : {std::string{}, std::string{"x"}, bytes, std::string(1'000'000, '\0')}) {
        const Result<std::string> frame = compress_zstd(text);
        ASSERT_TRUE(frame) << frame.error().detail;
        EXPECT_EQ(expanded(*frame, text.size()), text);
    }
}

TEST(CompressionTest, KeepsNoRoomThatItDoesNotNeed) {
    const Result<std::string> frame = compress_zstd(std::string(10'000'000, 'r'));
    ASSERT_TRUE(frame);
    EXPECT_LT(frame->size(), 10'000U);
    EXPECT_LT(frame->capacity(), 20'000U) << "thousands of such bodies may wait";
}

}  // namespace
}  // namespace cam::net
