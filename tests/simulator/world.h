#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/cloudflare.h"
#include "simulator/fault.h"
#include "simulator/http_server.h"
#include "simulator/request_record.h"
#include "simulator/scenario.h"
#include "simulator/telegram.h"

namespace cam::simulator {

struct Counters {
    std::size_t connections = 0;
    std::size_t requests = 0;
    std::size_t faults = 0;
    std::size_t telegram_accepted = 0;
    std::size_t telegram_rate_limited = 0;  ///< 429 by the simulated flood limits
    /// Calls that came before the time a 429 had told.
    std::size_t telegram_retry_after_violations = 0;
    std::size_t cloudflare_retry_after_violations = 0;
};

/// Cloudflare and Telegram on one port of 127.0.0.1:
///
///     World world;
///     world.start();
///     world.add_event({{"datetime", "2026-01-19T22:51:50Z"}, {"attackId", "a-1"}, {"packets", 1500}});
///     world.add_fault(Fault::status(503).on(Target::kGraphql).times(2));
///     ... run the program against world.cloudflare_url() and world.telegram_url() ...
///     ASSERT_TRUE(world.wait_for_messages(1));
///
/// Safe from any thread, except start() and stop(): one thread at a time.
class World {
public:
    static constexpr std::chrono::milliseconds kPatience{60'000};

    World();
    explicit World(const Scenario& scenario);
    ~World() { stop(); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Listens, on a free port unless one is given, and starts the time spans of the faults. Throws
    /// std::runtime_error. After stop() it takes the same port again with everything kept: an outage is
    /// stop() and start().
    void start(std::uint16_t port = 0);
    void stop();
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::string cloudflare_url() const { return url() + "/client/v4"; }
    [[nodiscard]] std::string telegram_url() const { return url() + "/telegram"; }

    /// The first of what the settings accept.
    [[nodiscard]] std::string api_token() const;
    [[nodiscard]] std::string account_id() const;
    [[nodiscard]] std::string bot_token() const;
    [[nodiscard]] std::int64_t chat_id() const;
    /// The `cloudflare` and `telegram` parts of a settings.json that fits this world.
    [[nodiscard]] nlohmann::json client_settings() const;

    void load(const Scenario& scenario);
    /// Throws ScenarioError for keys an event does not have. Times relative to the start count from the
    /// world's construction or load(), whichever was later.
    void add_event(const nlohmann::json& event);
    void add_events(const std::vector<nlohmann::json>& events);
    void add_attack(const AttackOptions& attack, Moment first) { add_events(attack_events(attack, first)); }
    void clear_events();
    void set_prefixes(std::vector<IpPrefix> prefixes);
    void set_limits(const DatasetLimits& limits);
    void configure_cloudflare(const std::function<void(CloudflareSettings&)>& change);
    void configure_telegram(const std::function<void(TelegramSettings&)>& change);
    /// A clock that stands still, for data of a fixed day. Nothing: the machine's clock again.
    void set_now(std::optional<Moment> now);
    [[nodiscard]] Moment now() const;

    void add_fault(const Fault& fault);
    /// Replaces all faults.
    void set_faults(const std::vector<Fault>& faults);
    void clear_faults();

    [[nodiscard]] std::vector<DeliveredMessage> messages() const;
    [[nodiscard]] std::vector<RequestRecord> requests() const;
    [[nodiscard]] std::vector<RequestRecord> requests(Target target) const;
    [[nodiscard]] Counters counters() const;
    /// How many different connections carried requests of this kind.
    [[nodiscard]] std::size_t connections(Target target) const;
    /// Forgets messages, requests, counters and flood states.
    void forget();

    /// True as soon as so many have arrived since the beginning, false after `patience`.
    bool wait_for_messages(std::size_t count, std::chrono::milliseconds patience = kPatience) const;
    bool wait_for_requests(Target target, std::size_t count,
                           std::chrono::milliseconds patience = kPatience) const;
    bool wait_until(const std::function<bool(const World&)>& condition,
                    std::chrono::milliseconds patience = kPatience) const;
    /// Called for every message accepted, from a connection's thread, without a lock held. Set before
    /// start().
    void on_message(std::function<void(const DeliveredMessage&)> listener) {
        listener_ = std::move(listener);
    }

private:
    using Steady = std::chrono::steady_clock::time_point;

    HttpResponse handle(const HttpRequest& request);
    HttpResponse answer_control(const HttpRequest& request);
    HttpResponse play(const HttpRequest& request, RequestRecord& record);
    HttpResponse apply(const Fault& fault, const HttpRequest& request, RequestRecord& record);
    HttpResponse serve(const HttpRequest& request, RequestRecord& record);
    [[nodiscard]] Moment now_locked() const { return now_.value_or(machine_time()); }

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::optional<Moment> now_;
    Moment started_;
    std::uint16_t port_ = 0;
    Cloudflare cloudflare_;
    Telegram telegram_;
    FaultPlan faults_;
    std::vector<RequestRecord> requests_;
    std::size_t faults_fired_ = 0;
    std::size_t cloudflare_violations_ = 0;
    std::optional<Steady> cloudflare_not_before_;
    std::function<void(const DeliveredMessage&)> listener_;
    HttpServer server_;  // last: its threads use all of the above
};

}  // namespace cam::simulator
