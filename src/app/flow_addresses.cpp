#include "app/flow_addresses.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

/// Whether the first takes all datagrams of the second, so that both cannot be listened to. `[::]` leaves
/// IPv4 to an IPv4 address of the same port.
bool covers(const ListenAddress& wide, const ListenAddress& narrow) {
    const auto is_v6 = [](const ListenAddress& one) { return one.host.find(':') != std::string::npos; };
    if (wide.port != narrow.port || wide.port == 0 || is_v6(wide) != is_v6(narrow)) return false;
    const auto first = IpAddress::parse(wide.host);
    const auto second = IpAddress::parse(narrow.host);
    if (!first || !second) return false;
    return *first == *second || first->bytes() == std::array<std::uint8_t, 16>{};
}

}  // namespace

void check_flow_listen(SettingsReader& reader, std::vector<ListenAddress>& listen) {
    if (listen.empty()) {
        reader.error("flow.listen", "is empty; write where routers send to, such as [\"0.0.0.0:2055\"]");
    }
    std::vector<ListenAddress> kept;
    for (std::size_t i = 0; i < listen.size(); ++i) {
        std::size_t by = 0;
        // Of two that are the same, the first stays.
        const auto takes = [&](std::size_t other) {
            return other != i && covers(listen[other], listen[i]) &&
                   (other < i || !covers(listen[i], listen[other]));
        };
        while (by < listen.size() && !takes(by)) ++by;
        if (by == listen.size()) {
            kept.push_back(listen[i]);
            continue;
        }
        reader.warning("flow.listen",
                       fmt::format("has {} and {}, of which only one can be listened to; the second is left "
                                   "out, as the first takes its datagrams too: remove it",
                                   listen[by].text(), listen[i].text()));
    }
    listen = std::move(kept);
}

}  // namespace cam::app
