#include "cam/model/maybe_text.h"

#include <sstream>
#include <type_traits>

#include <gtest/gtest.h>

namespace cam {
namespace {

TEST(MaybeTextTest, TellsNoTextFromAnEmptyOne) {
    MaybeText text;
    EXPECT_FALSE(text);
    EXPECT_EQ(text, std::nullopt);
    EXPECT_EQ(*text, "");
    EXPECT_EQ(text.value_or("other"), "other");
    for (const MaybeText empty : {MaybeText{""}, MaybeText{std::string_view{}}}) {
        EXPECT_TRUE(empty);
        EXPECT_NE(empty, text);
        EXPECT_EQ(empty.value_or("other"), "");
    }
    text = "abc";
    EXPECT_EQ(text, "abc");
    EXPECT_EQ(text->size(), 3U);
    text.reset();
    EXPECT_EQ(text, MaybeText{});
}

TEST(MaybeTextTest, ViewsTextsThatStayAndRefusesThoseThatWouldBeGone) {
    const std::string kept = "kept";
    const std::optional<std::string> none;
    EXPECT_EQ(
        MaybeText { kept } -> data(), kept.data());
    EXPECT_FALSE(MaybeText{none});
    static_assert(!std::is_constructible_v<MaybeText, std::string>);
    static_assert(!std::is_constructible_v<MaybeText, std::optional<std::string>>);
    static_assert(sizeof(MaybeText) == 2 * sizeof(void*));
}

TEST(MaybeTextTest, PrintsForReadersOfTests) {
    std::ostringstream out;
    out << MaybeText{"a"} << MaybeText{};
    EXPECT_EQ(out.str(), "\"a\"(none)");
}

}  // namespace
}  // namespace cam
