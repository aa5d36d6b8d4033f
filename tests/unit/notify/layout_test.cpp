#include "notify/layout.h"

#include <string>

#include <gtest/gtest.h>

#include "unit/notify/legacy_markdown.h"

namespace cam::notify {
namespace {

TEST(LayoutTest, SeparatesSectionsByABlankLineAndLeavesOutEmptyOnes) {
    Layout layout;
    layout.add({"a", "b"});
    layout.add({});
    layout.add("*title*", {});
    layout.add("*title*", {"c"});
    EXPECT_EQ(layout.text(), "🛡️ *CLOUDFLARE DDoS PROTECTION*\n\na\nb\n\n*title*\nc");
}

TEST(JoinTest, CountsWhatItLeavesOut) {
    EXPECT_EQ(join({"a", "b", "c"}, ", ", 3), "a, b, c");
    EXPECT_EQ(join({"a", "b", "c"}, ", ", 2), "a, b, +1 more");
    EXPECT_EQ(join({"a", "b", "c"}, ", ", 0), "+3 more");
    EXPECT_EQ(join({}, ", ", 2), "");
}

TEST(AddBulletsTest, CountsWhatItLeavesOut) {
    Lines lines{"title"};
    add_bullets(lines, {"a", "b", "c"}, 1);
    EXPECT_EQ(lines, (Lines{"title", "• a", "• +2 more"}));
}

TEST(ShortenListsTest, TakesTheLongestTextThatTelegramTakes) {
    const auto make = [](std::size_t most) { return std::string(1000 * most, 'x'); };
    EXPECT_EQ(shorten_lists(3, make).size(), 3000U);
    EXPECT_EQ(shorten_lists(9, make).size(), 4000U);
}

TEST(ShortenListsTest, TakesExactlyTelegramsLimitAndNotOneMore) {
    const auto of_length = [](std::size_t length) {
        return [length](std::size_t most) {
            return most == 0 ? std::string("short") : std::string(length, 'x');
        };
    };
    EXPECT_EQ(shorten_lists(1, of_length(4096)).size(), 4096U);
    EXPECT_EQ(shorten_lists(1, of_length(4097)), "short");
}

TEST(ShortenListsTest, CutsBetweenLinesWhenNoListCanBeShortened) {
    std::string text = "header";
    for (int i = 0; i < 1000; ++i) text += "\n*bold " + std::to_string(1000 + i) + "* 💥";
    const std::string kept = shorten_lists(5, [&](std::size_t) { return text; });
    EXPECT_LE(utf16_units(kept), kMaxMessageUnits);
    EXPECT_GT(utf16_units(kept), kMaxMessageUnits - 20);
    EXPECT_TRUE(kept.starts_with("header\n*bold 1000* 💥\n"));
    EXPECT_TRUE(kept.ends_with("* 💥\n…"));
    EXPECT_TRUE(test::parse_legacy_markdown(kept));
}

TEST(ShortenListsTest, NeverCutsWithinALine) {
    const auto one_line = [](std::size_t) { return std::string(5000, '*'); };
    EXPECT_EQ(shorten_lists(0, one_line), kHeader);
}

}  // namespace
}  // namespace cam::notify
