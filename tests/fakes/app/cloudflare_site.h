#pragma once

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "app/event_fetcher.h"
#include "app/heartbeat.h"
#include "cam/base/time_text.h"
#include "fakes/app/log_book.h"
#include "fakes/app/recording_http.h"
#include "fakes/base/fake_clock.h"
#include "simulator/world.h"

namespace cam::app {

/// A simulated Cloudflare, a clock that stands at the world's time, and what asks the one by the other. The
/// world's time moves only by set_now().
struct CloudflareSite {
    CloudflareSite() {
        world.start();
        world.set_now(clock.wall());
    }

    [[nodiscard]] EventFetcher::Parts fetcher_parts() {
        return {client(), clock, book.logger(), metrics, heartbeat};
    }
    cloudflare::AnalyticsClient& client() {
        if (!client_) {
            client_ = std::make_unique<cloudflare::AnalyticsClient>(
                http, clock,
                cloudflare::AnalyticsClient::Options{world.cloudflare_url(), world.account_id(),
                                                     Secret{world.api_token()}});
        }
        return *client_;
    }

    /// An event that hit the operator's prefix; `changes` on top.
    static nlohmann::json event(WallTime at, const nlohmann::json& changes = nlohmann::json::object()) {
        nlohmann::json made = {{"datetime", rfc3339(at)},
                               {"attackId", "attack-1"},
                               {"attackVector", "ICMP Flood"},
                               {"ruleName", "ICMP-0001"},
                               {"mitigationReason", "BLOCKED"},
                               {"outcome", "drop"},
                               {"direction", "ingress"},
                               {"ipSourceAddress", "103.118.76.198"},
                               {"sourcePort", 46181},
                               {"ipDestinationAddress", "185.54.82.4"},
                               {"destinationPort", 0},
                               {"ipProtocolName", "ICMP"},
                               {"coloCode", "SOF"},
                               {"coloCountry", "BG"},
                               {"packets", 1500},
                               {"bits", 9000000}};
        made.update(changes);
        return made;
    }

    simulator::World world;
    FakeClock clock;
    MetricRegistry metrics;
    LogBook book;
    Heartbeat heartbeat{"test", clock};
    RecordingHttpClient http{clock};

private:
    std::unique_ptr<cloudflare::AnalyticsClient> client_;
};

}  // namespace cam::app
