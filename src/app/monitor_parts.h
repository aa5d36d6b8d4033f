#pragma once

#include <memory>
#include <string>

#include "app/conditions.h"
#include "app/deliverer.h"
#include "app/flow_board.h"
#include "app/heartbeat.h"
#include "app/poller.h"
#include "app/settings.h"
#include "app/status_board.h"
#include "cam/api/event_board.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/cloudflare/analytics_client.h"
#include "cam/enrich/geo_databases.h"
#include "cam/net/http_client.h"
#include "cam/notify/telegram.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// What every mode of the program shares. Outlives all parts made with it. Safe from any thread.
struct Surroundings {
    const Settings& settings;
    Clock& clock;
    Logger log;
    MetricRegistry& metrics;
    Heartbeats& heartbeats;
    Conditions& conditions;
    enrich::GeoDatabases& geo;
    Guarded<std::string>& poll_problem;  ///< why the last poll was no success; empty if it was
    FlowBoard& flow_board;
    StatusBoard& status_board;
    api::EventBoard& events;  ///< what just happened, for those who watch the page
};

[[nodiscard]] std::string user_agent();
[[nodiscard]] notify::RenderOptions render_options(const Settings& settings);
[[nodiscard]] enrich::GeoDatabases::Options geo_options(const Settings& settings);
[[nodiscard]] rules::EventFilter::Options filter_options(const Settings& settings);
[[nodiscard]] Composer::Options compose_options(const Settings& settings);
[[nodiscard]] cloudflare::AnalyticsClient::Options cloudflare_options(const Settings& settings);
[[nodiscard]] store::SqliteStore::Options store_options(const Settings& settings, store::Access access);

/// Everything that asks Cloudflare, made to live on one thread.
struct CloudflareSide {
    static Result<std::unique_ptr<CloudflareSide>> make(const Surroundings& around, Heartbeat& heartbeat);

    std::unique_ptr<net::CurlHttpClient> http;
    std::unique_ptr<cloudflare::AnalyticsClient> client;
    std::unique_ptr<EventFetcher> fetcher;
};

/// Everything that polls, made to live on one thread.
struct PollSide {
    struct Hooks {
        std::function<void()> before_first_claim;
        std::function<void()> queued;
    };
    struct Manner {
        std::chrono::milliseconds patience;  ///< how long failures may be repeated within one poll
        Polls polls;
    };
    static Result<std::unique_ptr<PollSide>> make(const Surroundings& around, Heartbeat& heartbeat,
                                                  Manner manner, Hooks hooks);

    std::unique_ptr<CloudflareSide> cloudflare;
    std::unique_ptr<store::SqliteStore> store;
    std::unique_ptr<Poller> poller;
};

/// Everything that delivers, made to live on one thread.
struct DeliverySide {
    /// `abort` cuts a call to Telegram in flight; see Deliverer::Parts.
    static Result<std::unique_ptr<DeliverySide>> make(const Surroundings& around, Heartbeat& heartbeat,
                                                      std::stop_token abort = {});

    std::unique_ptr<net::CurlHttpClient> http;
    std::unique_ptr<notify::TelegramClient> telegram;
    std::unique_ptr<store::SqliteStore> store;
    std::unique_ptr<Deliverer> deliverer;
};

}  // namespace cam::app
