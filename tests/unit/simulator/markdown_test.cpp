#include "simulator/markdown.h"

#include <gtest/gtest.h>

namespace cam::simulator {
namespace {

std::string plain(std::string_view text) {
    const RenderedText rendered = render_markdown(text);
    if (rendered.unclosed_at) return "unclosed at " + std::to_string(*rendered.unclosed_at);
    return rendered.plain;
}

TEST(MarkdownTest, RendersBoldItalicCodePreAndLinks) {
    const RenderedText rendered = render_markdown("*b* _i_ `c` ```cpp\nx```[t](http://u/)");
    EXPECT_EQ(rendered.plain, "b i c xt");
    ASSERT_EQ(rendered.entities.size(), 5U);
    EXPECT_EQ(rendered.entities[0].kind, MarkdownEntity::Kind::kBold);
    EXPECT_EQ(rendered.entities[3].kind, MarkdownEntity::Kind::kPre);
    EXPECT_EQ(rendered.entities[4].url, "http://u/");
}

TEST(MarkdownTest, UnescapesOnlyTheFourMarksAndOnlyOutsideEntities) {
    EXPECT_EQ(plain(R"(a\_b\*c\`d\[e\.f\\g)"), R"(a_b*c`d[e\.f\\g)");
    EXPECT_EQ(plain(R"(*a\_b*)"), R"(a\_b)");
    EXPECT_EQ(plain(R"(`a\`b`)"), "unclosed at 5");
    EXPECT_EQ(plain("a\\"), "a\\");
}

TEST(MarkdownTest, DropsAnEntityWithoutText) {
    const RenderedText rendered = render_markdown("a**b__c[]d");
    EXPECT_EQ(rendered.plain, "abcd");
    EXPECT_TRUE(rendered.entities.empty());
}

TEST(MarkdownTest, TakesTheTextOfALinkWithoutTargetAsItsTarget) {
    const RenderedText rendered = render_markdown("[example.org] and (x)");
    EXPECT_EQ(rendered.plain, "example.org and (x)");
    EXPECT_EQ(rendered.entities.front().url, "example.org");
}

TEST(MarkdownTest, TakesOtherMarksInsideAnEntityAsText) {
    EXPECT_EQ(plain("*a_b`c[d*"), "a_b`c[d");
    EXPECT_EQ(plain("_a*b_"), "a*b");
}

TEST(MarkdownTest, LeavesHarmlessPunctuationAlone) {
    EXPECT_EQ(plain("a]b)c-d.e|f!g"), "a]b)c-d.e|f!g");
}

TEST(MarkdownTest, NamesTheByteWhereAnUnclosedEntityBegins) {
    EXPECT_EQ(plain("MEGAHOST_"), "unclosed at 8");
    EXPECT_EQ(plain("AS_ATUAXANELA"), "unclosed at 2");
    EXPECT_EQ(plain("CDN77 _"), "unclosed at 6");
    EXPECT_EQ(plain("VLAD_COJUHARI"), "unclosed at 4");
    EXPECT_EQ(plain("DM_AUTO"), "unclosed at 2");
    EXPECT_EQ(plain(std::string(39, '*')), "unclosed at 38");
    EXPECT_EQ(plain("Pābna *x"), "unclosed at 7");  // ā has two bytes
    EXPECT_EQ(plain("🛡️ `x"), "unclosed at 8");
    EXPECT_EQ(plain("```x``"), "unclosed at 0");
    EXPECT_EQ(plain("[x"), "unclosed at 0");
}

TEST(MarkdownTest, SilentlyEatsPairsOfMarksInRealNames) {
    EXPECT_EQ(plain("NOS_COMUNICACOES_X"), "NOSCOMUNICACOESX");
    EXPECT_EQ(plain("CYBER_FOLKS-RO-DC_CLJ"), "CYBERFOLKS-RO-DCCLJ");
    EXPECT_EQ(plain("TELEFONICA_DE_ESPANA"), "TELEFONICADEESPANA");
    for (const char* harmless : {"AT&T Enterprises, LLC", "NETBITS & GOBLE LTDA", "-Reserved AS-", "AS"}) {
        EXPECT_EQ(plain(harmless), harmless);
    }
}

TEST(MarkdownTest, CountsCharactersAndUtf16Units) {
    EXPECT_EQ(code_points("a🛡️ā"), 4U);
    EXPECT_EQ(utf16_units("a🛡️ā"), 5U);
}

TEST(MarkdownTest, TellsValidUtf8) {
    EXPECT_TRUE(is_utf8("Pābna 🛡️"));
    for (const char* broken : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "a\x80"}) {
        EXPECT_FALSE(is_utf8(broken)) << broken;
    }
}

}  // namespace
}  // namespace cam::simulator
