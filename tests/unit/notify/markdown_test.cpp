#include "notify/markdown.h"

#include <string>

#include <gtest/gtest.h>

#include "cam/notify/render.h"
#include "unit/notify/legacy_markdown.h"

namespace cam::notify {
namespace {

using test::parse_legacy_markdown;

TEST(EscapeTextTest, PutsABackslashBeforeTheFourMarksAndNothingElse) {
    EXPECT_EQ(escape_text("a_b*c[d`e"), "a\\_b\\*c\\[d\\`e");
    EXPECT_EQ(escape_text("]().!-+=|{}~>#&<"), "]().!-+=|{}~>#&<");
}

TEST(EscapeTextTest, KeepsABackslashOfTheTextVisible) {
    const auto parsed = parse_legacy_markdown(escape_text("a\\_b\\*c\\\\d\\"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->visible, "a\\_b\\*c\\\\d\\");
    EXPECT_TRUE(parsed->entities.empty());
}

// Names from a public list of some 830 real networks that broke the Python monitor's messages.
TEST(EscapeTextTest, ShowsRealNetworkNamesAsTheyAre) {
    for (const std::string name :
         {"MEGAHOST_", "AS_ATUAXANELA", "CDN77 _", "VLAD_COJUHARI", "DM_AUTO", "NOS_COMUNICACOES",
          "***************************************", "CYBER_FOLKS-RO-DC_CLJ", "TELEFONICA_DE_ESPANA",
          "AT&T Enterprises, LLC", "NETBITS & GOBLE LTDA", "1&1 Mail & Media", "-Reserved AS-", "AS",
          "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"}) {
        const auto parsed = parse_legacy_markdown("*ASN:* " + escape_text(name) + " | _footer_");
        ASSERT_TRUE(parsed) << name;
        EXPECT_EQ(parsed->visible, "ASN: " + name + " | footer");
        EXPECT_EQ(parsed->entities.size(), 2U) << name;
    }
}

TEST(EscapeTextTest, TurnsLineBreaksAndControlCharactersIntoBlanks) {
    EXPECT_EQ(escape_text(std::string_view("a\nb\rc\td\0e\x1b"
                                           "f\x7fg",
                                           13)),
              "a b c d e f g");
    EXPECT_EQ(escape_text("a\xC2\x85"
                          "b\xE2\x80\xA8"
                          "c\xE2\x80\xA9"
                          "d"),
              "a b c d");
}

TEST(EscapeTextTest, RemovesCharactersThatReorderOrHideText) {
    EXPECT_EQ(escape_text("evil\xE2\x80\xAEgpj.exe"), "evilgpj.exe");  // U+202E
    EXPECT_EQ(escape_text("\xE2\x81\xA6"
                          "a\xE2\x81\xA9\xD8\x9C\xE2\x80\x8F\xE2\x80\x8E"),
              "a");  // isolates, marks
    EXPECT_EQ(escape_text("a\xE2\x80\x8B"
                          "b\xEF\xBB\xBF"
                          "c\xC2\xAD"
                          "d\xF3\xA0\x81\xA1"),
              "abcd");  // invisible
}

TEST(EscapeTextTest, KeepsJoinersThatScriptsAndEmojiNeed) {
    EXPECT_EQ(escape_text("نمی\xE2\x80\x8Cخواهم 👩\xE2\x80\x8D💻"), "نمی\xE2\x80\x8Cخواهم 👩\xE2\x80\x8D💻");
}

TEST(SanitizeTest, ReplacesEachMaximalPartOfAnInvalidSequence) {
    EXPECT_EQ(sanitize("\xFF"), "\xEF\xBF\xBD");
    EXPECT_EQ(sanitize("a\xE2\x82z"), "a\xEF\xBF\xBDz");                          // cut
    EXPECT_EQ(sanitize("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
    EXPECT_EQ(sanitize("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
    EXPECT_EQ(sanitize("\xF4\x90\x80\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(sanitize("\xF0\x9F\x92"), "\xEF\xBF\xBD");                          // cut at the end
    EXPECT_EQ(sanitize("Pābna 💥 \xF4\x8F\xBF\xBF"), "Pābna 💥 \xF4\x8F\xBF\xBF");  // all valid
}

TEST(EscapeCodeTest, TurnsABacktickIntoAnApostropheAndLeavesTheOtherMarks) {
    EXPECT_EQ(escape_code("a`b_c*d[e\\"), "a'b_c*d[e\\");
    EXPECT_EQ(code("```"), "`'''`");
}

TEST(BoldTest, ReplacesTheAsteriskThatWouldEndIt) {
    const auto parsed = parse_legacy_markdown(bold("A*B_C`D[E\\") + " rest");
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->entities.size(), 1U);
    EXPECT_EQ(parsed->entities[0].text, "A∗B_C`D[E\\");
}

TEST(BoldTest, OfNothingIsNothingAndLeavesNoMarks) {
    EXPECT_EQ(bold(""), "");
    EXPECT_EQ(code(""), "");
}

TEST(CleanTest, CutsAtCodePointsWithAnEllipsisAsTheLast) {
    EXPECT_EQ(clean("abcdef", 6), "abcdef");
    EXPECT_EQ(clean("abcdefg", 6), "abcde…");
    EXPECT_EQ(clean("💥💥💥💥", 3), "💥💥…");
    EXPECT_EQ(clean("ab cdef", 4), "ab…");  // no blank before the ellipsis
}

TEST(CleanTest, CutsBlanksAtBothEnds) {
    EXPECT_EQ(clean(" \n a b \t ", 10), "a b");
    EXPECT_EQ(clean(" \n\t ", 10), "");
}

TEST(ShownTest, HidesWhatSaysNothing) {
    EXPECT_FALSE(shown(std::nullopt, 10));
    EXPECT_FALSE(shown("", 10));
    EXPECT_FALSE(shown(" \n", 10));
    EXPECT_FALSE(shown("\xE2\x80\x8B", 10));
    EXPECT_FALSE(shown("Unknown", 10));
    EXPECT_FALSE(shown(" UNKNOWN ", 10));
    EXPECT_EQ(shown("Unknown Flood", 20), "Unknown Flood");
}

TEST(Utf16UnitsTest, CountsSurrogatePairsAsTwo) {
    EXPECT_EQ(utf16_units(""), 0U);
    EXPECT_EQ(utf16_units("abc"), 3U);
    EXPECT_EQ(utf16_units("Pābna"), 5U);
    EXPECT_EQ(utf16_units("💥"), 2U);
    EXPECT_EQ(utf16_units("⚠️"), 2U);  // U+26A0 U+FE0F
}

}  // namespace
}  // namespace cam::notify
