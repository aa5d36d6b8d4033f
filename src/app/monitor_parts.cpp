#include "app/monitor_parts.h"

#include <filesystem>

#include <spdlog/fmt/fmt.h>

#include "cam/base/version.h"

namespace cam::app {

std::string user_agent() {
    return fmt::format("cloudflare-analytics-monitor/{}", version());
}

notify::RenderOptions render_options(const Settings& settings) {
    return {.organization = settings.organization, .geoip = std::nullopt};
}

enrich::GeoDatabases::Options geo_options(const Settings& settings) {
    return {.city = settings.geoip.city,
            .asn = settings.geoip.asn,
            .scratch_folder = std::filesystem::path(settings.paths.database).parent_path().string()};
}

rules::EventFilter::Options filter_options(const Settings& settings) {
    return {.mine = settings.prefixes.mine,
            .cloudflare_anycast = settings.prefixes.cloudflare_anycast,
            .min_packets = settings.monitor.min_packets};
}

Composer::Options compose_options(const Settings& settings) {
    return {.organization = settings.organization, .aggregate_above = settings.monitor.aggregate_above};
}

cloudflare::AnalyticsClient::Options cloudflare_options(const Settings& settings) {
    return {.api_url = settings.cloudflare.api_url,
            .account_id = settings.cloudflare.account_id,
            .api_token = settings.cloudflare.api_token};
}

store::SqliteStore::Options store_options(const Settings& settings, store::Access access) {
    return {.path = settings.paths.database, .access = access, .busy = std::chrono::seconds{20}};
}

Result<std::unique_ptr<CloudflareSide>> CloudflareSide::make(const Surroundings& around,
                                                             Heartbeat& heartbeat) {
    auto side = std::make_unique<CloudflareSide>();
    auto http = net::CurlHttpClient::create(user_agent());
    if (!http) return http.error();
    side->http = std::move(*http);
    side->client = std::make_unique<cloudflare::AnalyticsClient>(*side->http, around.clock,
                                                                 cloudflare_options(around.settings));
    side->fetcher = std::make_unique<EventFetcher>(
        EventFetcher::Parts{*side->client, around.clock, around.log, around.metrics, heartbeat});
    return side;
}

Result<std::unique_ptr<PollSide>> PollSide::make(const Surroundings& around, Heartbeat& heartbeat,
                                                 Manner manner, Hooks hooks) {
    auto side = std::make_unique<PollSide>();
    auto cloudflare = CloudflareSide::make(around, heartbeat);
    if (!cloudflare) return cloudflare.error();
    side->cloudflare = std::move(*cloudflare);
    auto store = store::SqliteStore::open(store_options(around.settings, store::Access::kReadWrite));
    if (!store) return store.error();
    side->store = std::move(*store);
    const Settings::Monitor& monitor = around.settings.monitor;
    side->poller = std::make_unique<Poller>(
        Poller::Parts{.fetcher = *side->cloudflare->fetcher,
                      .store = *side->store,
                      .geo = around.geo,
                      .preferences = PreferenceFile(around.settings.paths.dashboard_prefs),
                      .conditions = around.conditions,
                      .clock = around.clock,
                      .log = around.log,
                      .metrics = around.metrics,
                      .before_first_claim = std::move(hooks.before_first_claim),
                      .queued = std::move(hooks.queued)},
        Poller::Options{.poll_interval = monitor.poll_interval,
                        .lookback = monitor.lookback,
                        .catch_up = monitor.catch_up,
                        .filter = filter_options(around.settings),
                        .compose = compose_options(around.settings),
                        .patience = manner.patience,
                        .polls = manner.polls});
    return side;
}

Result<std::unique_ptr<DeliverySide>> DeliverySide::make(const Surroundings& around, Heartbeat& heartbeat,
                                                         std::stop_token abort) {
    auto side = std::make_unique<DeliverySide>();
    auto http = net::CurlHttpClient::create(user_agent());
    if (!http) return http.error();
    side->http = std::move(*http);
    const Settings::Telegram& telegram = around.settings.telegram;
    side->telegram = std::make_unique<notify::TelegramClient>(
        *side->http,
        notify::TelegramClient::Options{.api_url = telegram.api_url, .bot_token = telegram.bot_token});
    auto store = store::SqliteStore::open(store_options(around.settings, store::Access::kReadWrite));
    if (!store) return store.error();
    side->store = std::move(*store);
    side->deliverer = std::make_unique<Deliverer>(
        Deliverer::Parts{
            *side->telegram, *side->store, around.conditions, around.clock, around.log, around.metrics,
            heartbeat, render_options(around.settings), std::move(abort),
            [&board = around.status_board](std::optional<WallTime> at) { board.note_next_delivery(at); },
            &around.events},
        Deliverer::Options{.database = around.settings.paths.database,
                           .target = {.chat_id = telegram.chat_id, .thread_id = telegram.message_thread_id},
                           .send_total = std::chrono::seconds{20}});
    return side;
}

}  // namespace cam::app
