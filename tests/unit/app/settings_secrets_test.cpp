// Where secrets come from, and that they are never shown.

#include <string>
#include <vector>

#include <sys/stat.h>

#include "unit/app/settings_fixture.h"

namespace cam::app {
namespace {

std::string with_token_files() {
    return fmt::format(
        R"({{"cloudflare": {{"account_id": "a1", "api_token": "{}", "api_token_file": "secrets/cloudflare"}},
"telegram": {{"bot_token": "{}", "bot_token_file": "${{CREDENTIALS_DIRECTORY}}/telegram", "chat_id": "1"}}}})",
        kToken, kBotToken);
}

// B35: secrets need not stand in the settings file.
TEST_F(SettingsTest, TakesASecretFromTheEnvironmentThenTheFileThenInline) {
    folder_.write("secrets/cloudflare", "from-a-file\n");
    folder_.write("credentials/telegram", "1:from-a-credential \r\n\n");
    environment_.credentials_directory = folder_.file("credentials");
    LoadedSettings loaded = parse(with_token_files());
    ASSERT_TRUE(loaded.usable()) << lines(loaded);
    EXPECT_EQ(loaded.settings.cloudflare.api_token.reveal(), "from-a-file") << "without the line's end";
    EXPECT_EQ(loaded.settings.telegram.bot_token.reveal(), "1:from-a-credential");

    environment_.cloudflare_api_token = "from-the-environment";
    environment_.telegram_bot_token = "1:from-the-environment";
    loaded = parse(with_token_files());
    EXPECT_EQ(loaded.settings.cloudflare.api_token.reveal(), "from-the-environment");
    EXPECT_EQ(loaded.settings.telegram.bot_token.reveal(), "1:from-the-environment");

    environment_.cloudflare_api_token = "";
    EXPECT_EQ(parse(with_token_files()).settings.cloudflare.api_token.reveal(), "from-a-file")
        << "an empty variable is none";
    EXPECT_EQ(parse(python_era()).settings.cloudflare.api_token.reveal(), kToken);
}

TEST_F(SettingsTest, LooksForCredentialsBesideTheSettingsWhereSystemdGaveNone) {
    folder_.write("secrets/cloudflare", "x");
    folder_.write("config/credentials/telegram", "1:beside-the-settings");
    const LoadedSettings loaded = parse(with_token_files());
    ASSERT_TRUE(loaded.usable()) << lines(loaded);
    EXPECT_EQ(loaded.settings.telegram.bot_token.reveal(), "1:beside-the-settings");
}

TEST_F(SettingsTest, WarnsOfATokenThatEverybodyOnThisMachineCanRead) {
    const auto open = [&](unsigned mode) { ASSERT_EQ(::chmod(folder_.path().c_str(), mode), 0); };
    environment_.credentials_directory = folder_.file("credentials");
    folder_.write("secrets/cloudflare", "x");
    folder_.write("credentials/telegram", "1:x");
    folder_.write("config/settings.json", "{}");
    for (const char* file : {"secrets/cloudflare", "config/settings.json"})
        ASSERT_EQ(::chmod(folder_.file(file).c_str(), 0644), 0);
    ASSERT_EQ(::chmod(folder_.file("credentials/telegram").c_str(), 0640), 0);
    open(0755);
    LoadedSettings loaded = parse(with_token_files());
    EXPECT_TRUE(loaded.usable()) << lines(loaded);
    EXPECT_TRUE(warns(loaded, "cloudflare.api_token_file", "everybody on this machine can read"))
        << lines(loaded);
    EXPECT_EQ(loaded.findings.size(), 1U) << lines(loaded);
    loaded = parse(python_era());
    EXPECT_TRUE(warns(loaded, "cloudflare.api_token", folder_.file("config/settings.json"))) << lines(loaded);
    EXPECT_TRUE(warns(loaded, "telegram.bot_token")) << lines(loaded);
    environment_.cloudflare_api_token = "from-the-environment";
    environment_.telegram_bot_token = "1:from-the-environment";
    EXPECT_EQ(lines(parse(python_era())), "") << "nothing in the file is used";
    environment_ = {};
    open(0700);
    EXPECT_EQ(lines(parse(python_era())), "") << "a closed folder above it suffices";
}

TEST_F(SettingsTest, RefusesATokenFileThatIsMissingEmptyOrOdd) {
    environment_.credentials_directory = folder_.file("credentials");
    LoadedSettings loaded = parse(with_token_files());
    EXPECT_TRUE(refuses(loaded, "cloudflare.api_token_file", "No such file or directory")) << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "cloudflare.api_token_file", folder_.file("secrets/cloudflare")))
        << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "telegram.bot_token_file", folder_.file("credentials/telegram")))
        << lines(loaded);
    EXPECT_EQ(loaded.findings.size(), 2U) << "and not that the token is missing, too:\n" << lines(loaded);

    folder_.write("secrets/cloudflare", " \n");
    folder_.write("credentials/telegram", "two words");
    loaded = parse(with_token_files());
    EXPECT_TRUE(refuses(loaded, "cloudflare.api_token_file", "is empty")) << lines(loaded);
    EXPECT_TRUE(refuses(loaded, "telegram.bot_token_file", "blanks or control characters")) << lines(loaded);

    folder_.write("secrets/cloudflare", std::string(5'000, 'x'));
    EXPECT_TRUE(refuses(parse(with_token_files()), "cloudflare.api_token_file", "larger than"));
}

// B34: neither a wrong type nor a wrong place brings a token into a finding.
TEST_F(SettingsTest, ShowsASecretInNoFinding) {
    const std::string secret = "SeCrEt0123456789";
    for (const std::string& text : {
             fmt::format(R"({{"cloudflare": {{"api_token": "{} x"}}}})", secret),
             fmt::format(
                 R"({{"cloudflare": {{"api_token": ["{}"]}}, "telegram": {{"bot_token": {{"t": "{}"}}}}}})",
                 secret, secret),
             fmt::format(R"({{"cloudflare": "{}", "telegram": "{}"}})", secret, secret),
             fmt::format(R"({{"cloudflare": {{"api_tokn": "{}"}}}})", secret),
             fmt::format(R"({{"cloudflare": {{"api_url": "https://me:{}@api.cloudflare.com"}}}})", secret),
             fmt::format(R"({{"telegram": {{"bot_token": "\u0007{}"}}}})", secret),
             fmt::format(R"({{"telegram": {{"api_url": "api.telegram.org/bot1:{}"}}}})", secret),
             fmt::format(R"({{"cloudflare": {{"api_token": "{}" "oops"}}}})", secret),
             fmt::format(R"({{"cloudflare": {{"api_token": "{}\q"}}}})", secret),
         }) {
        const LoadedSettings loaded = parse(text);
        EXPECT_FALSE(loaded.usable());
        EXPECT_EQ(lines(loaded).find(secret), std::string::npos) << lines(loaded);
    }
    environment_.cloudflare_api_token = secret + " blank";
    folder_.write("secrets/cloudflare", secret + "\tblank");
    EXPECT_EQ(lines(parse(python_era())).find(secret), std::string::npos);
    environment_.cloudflare_api_token.reset();
    EXPECT_EQ(lines(parse(with_token_files())).find(secret), std::string::npos);
}

TEST_F(SettingsTest, ShowsNoTokenThatStandsWhereItsFileBelongs) {
    const std::string token = "123456789:AAwrittenIntoTheWrongKey0000000001";
    const LoadedSettings loaded = parse(
        fmt::format(R"({{"cloudflare": {{"api_token_file": "{}"}}, "telegram": {{"bot_token_file": "{}"}}}})",
                    kToken, token));
    EXPECT_TRUE(refuses(loaded, "telegram.bot_token_file"));
    EXPECT_TRUE(refuses(loaded, "cloudflare.api_token_file"));
    EXPECT_EQ(lines(loaded).find(token), std::string::npos) << lines(loaded);
    EXPECT_EQ(lines(loaded).find(kToken), std::string::npos) << lines(loaded);
}

}  // namespace
}  // namespace cam::app
