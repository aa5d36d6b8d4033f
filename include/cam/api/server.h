#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/api/event_board.h"
#include "cam/api/traffic.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/model/alert.h"
#include "cam/model/attack.h"
#include "cam/model/delivery.h"
#include "cam/model/exporter_status.h"
#include "cam/model/list_query.h"
#include "cam/model/monitor_status.h"
#include "cam/model/rule.h"
#include "cam/model/stored_event.h"

namespace cam::api {

struct Readiness {
    bool ready = false;
    std::vector<std::string> reasons;  ///< why not, or what is degraded; safe to show
};

/// What the server shows and changes; app connects it to the rooms behind. Each function is called from
/// several threads at once and must be safe for that.
struct Backend {
    /// kInvalid, of this and the functions below it: 422 with the detail. Newest first.
    std::function<Result<EventPage>(const EventQuery&)> events;
    std::function<Result<bool>()> my_prefixes_only;
    std::function<Status(bool)> set_my_prefixes_only;
    std::function<Readiness()> readiness;
    std::function<std::string()> metrics_text;

    // Routers and rules are data: they can be kept while nothing listens for flows. Lists come in the order
    // in which things were made, kNotFound: nothing has the id `after`. `create` is given a value without id
    // and times and returns it with them; `update` replaces everything but id and created_at. kNotFound and
    // kExists become 404 and 409, their detail is shown to the client; anything else is a 500.
    std::function<Result<std::vector<Router>>(const ListQuery&)> routers = {};
    std::function<Result<Router>(std::string_view id)> router = {};
    std::function<Result<Router>(const Router&)> create_router = {};
    std::function<Result<Router>(const Router&)> update_router = {};
    std::function<Status(std::string_view id)> remove_router = {};
    std::function<Result<std::vector<Rule>>(const ListQuery&)> rules = {};
    std::function<Result<Rule>(std::string_view id)> rule = {};
    std::function<Result<Rule>(const Rule&)> create_rule = {};
    std::function<Result<Rule>(const Rule&)> update_rule = {};
    std::function<Status(std::string_view id)> remove_rule = {};
    /// Newest first.
    std::function<Result<std::vector<Alert>>(const AlertQuery&)> alerts = {};
    /// Exporters that were heard. May be empty where no flow monitor runs: then none was.
    std::function<Result<std::vector<ExporterStatus>>()> exporters = {};

    // Mitigation as the page shows it. kNotFound: 404; kInvalid: 422 with the detail.
    std::function<Result<EventDetail>(std::int64_t id)> event = {};
    /// Newest first.
    std::function<Result<AttackPage>(const AttackQuery&)> attacks = {};
    std::function<Result<AttackDetail>(std::string_view attack_id)> attack = {};
    std::function<Result<AttackTimeline>(const TimelineRequest&)> attack_timeline = {};
    std::function<Result<BothSides>(std::string_view attack_id)> both_sides = {};
    /// Newest first.
    std::function<Result<DeliveryPage>(const DeliveryQuery&)> deliveries = {};
    std::function<Result<MonitorStatus>()> status = {};
    // Stored minutes. kInvalid: more than may be asked for at once; the detail says what to change.
    /// Of these prefixes together; one that lies in another one adds nothing.
    std::function<Result<std::vector<TrafficPoint>>(const std::vector<Prefix>&, const TrafficRange&)>
        traffic = {};
    /// The minute, or the latest one that is stored; nullopt if there is none.
    std::function<Result<std::optional<TrafficMinute>>(std::optional<MinuteTime>)> traffic_minute = {};
    /// At most `most` of each facet.
    std::function<Result<TrafficParts>(const Prefix&, const TrafficRange&, std::size_t most)> traffic_parts =
        {};
    /// kBusy: another preview is under way.
    std::function<Result<RulePreview>(const Rule&, std::chrono::hours past)> preview_rule = {};
    std::function<WallTime()> now = {};
};

/// The REST API; src/api/openapi.json describes it, docs/api.md explains it. Bounded: bodies of 1 MiB,
/// connections, header and body times. Safe from any thread.
class Server {
public:
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 8090;    ///< 0: any free one
        std::optional<Secret> token;  ///< asked as `Authorization: Bearer`; see Access::kOpen for what is not
        /// Where requests and dropped connections are counted (cam_api_*), if given. Must outlive the server.
        MetricRegistry* metrics = nullptr;
        /// What `GET /stream` tells, if given. Must outlive the server.
        EventBoard* events = nullptr;
    };
    /// Binds at once: kBusy if the address is taken; kInvalid if it is none of ours, if it is not loopback
    /// and there is no token, or if the token is empty; kRefused if the port is not permitted. Serves until
    /// destroyed, which takes no longer than the backend call under way.
    static Result<std::unique_ptr<Server>> start(Options options, Backend backend, Logger log);
    ~Server();
    [[nodiscard]] std::uint16_t port() const noexcept;

private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::api
