#include "app/flow_addresses.h"

#include <string>

#include "unit/app/settings_fixture.h"

namespace cam::app {
namespace {

class FlowAddressesTest : public SettingsTest {};

TEST_F(FlowAddressesTest, LeavesOutFlowAddressesWhoseDatagramsAnotherTakesAndWarns) {
    const auto listening = [&](const char* addresses, const char* enabled = "true") {
        return parse(
            python_era(fmt::format(R"(, "flow": {{"enabled": {}, "listen": [{}]}})", enabled, addresses)));
    };
    const auto kept = [](const LoadedSettings& loaded) {
        std::string out;
        for (const ListenAddress& one : loaded.settings.flow.listen) out += one.text() + " ";
        return out;
    };
    struct Case {
        const char* addresses;
        const char* kept;
    };
    for (const Case& one : {
             Case{R"("0.0.0.0:2055", "192.0.2.1:2055")", "0.0.0.0:2055 "},
             Case{R"("192.0.2.1:2055", "192.0.2.1:2055", "0.0.0.0:2055")", "0.0.0.0:2055 "},
             Case{R"("192.0.2.1:2055", "0.0.0.0:4739", "192.0.2.1:2055")", "192.0.2.1:2055 0.0.0.0:4739 "},
             Case{R"("0.0.0.0:2055", "0.0.0.0:2055")", "0.0.0.0:2055 "},
             Case{R"("[::1]:2055", "0.0.0.0:2055", "[::]:2055")", "0.0.0.0:2055 [::]:2055 "},
             Case{R"("[2001:db8::1]:2055", "[2001:db8:0::1]:2055")", "[2001:db8::1]:2055 "},
         }) {
        const LoadedSettings loaded = listening(one.addresses);
        EXPECT_TRUE(loaded.usable()) << one.addresses << '\n' << lines(loaded);
        EXPECT_TRUE(warns(loaded, "flow.listen", "only one can be listened to")) << one.addresses;
        EXPECT_EQ(kept(loaded), one.kept) << one.addresses;
        EXPECT_TRUE(listening(one.addresses, "false").findings.empty()) << "nothing listens";
    }
    for (const Case& one : {
             Case{R"("0.0.0.0:2055", "[::]:2055")", "0.0.0.0:2055 [::]:2055 "},
             Case{R"("192.0.2.1:2055", "192.0.2.2:2055", "0.0.0.0:4739")",
                  "192.0.2.1:2055 192.0.2.2:2055 0.0.0.0:4739 "},
             Case{R"("127.0.0.1:0", "127.0.0.1:0")", "127.0.0.1:0 127.0.0.1:0 "},
         }) {
        const LoadedSettings loaded = listening(one.addresses);
        EXPECT_TRUE(loaded.findings.empty()) << lines(loaded);
        EXPECT_EQ(kept(loaded), one.kept);
    }
}

}  // namespace
}  // namespace cam::app
