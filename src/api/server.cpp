#include "cam/api/server.h"

#include <exception>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/event_streams.h"
#include "api/gate.h"
#include "api/http_server.h"
#include "api/route_table.h"
#include "api/routes.h"

namespace cam::api {
namespace {

using OpenStream = std::function<HttpAnswer(const HttpRequest&)>;

std::vector<Route> all_routes(const Backend& backend, Gate& gate, OpenStream open_stream) {
    std::vector<Route> routes;
    add_page_routes(routes);
    add_session_routes(routes, gate);
    add_stream_route(routes, std::move(open_stream));
    add_preview_route(routes, backend);
    add_traffic_routes(routes, backend);
    add_router_routes(routes, backend);
    add_rule_routes(routes, backend);
    add_alert_routes(routes, backend);
    add_exporter_routes(routes, backend);
    add_status_routes(routes, backend);
    add_attack_routes(routes, backend);
    add_event_routes(routes, backend);
    add_delivery_routes(routes, backend);
    add_preference_routes(routes, backend);
    add_probe_routes(routes, backend);
    add_description_routes(routes);
    add_index_route(routes);
    return routes;
}

}  // namespace

struct Server::State {
    State(const std::optional<Secret>& token, Backend given, Logger logger)
        : gate(token, clock),
          backend(std::move(given)),
          routes(
              all_routes(backend, gate, [this](const HttpRequest& request) { return open_stream(request); })),
          log(std::move(logger)) {}

    /// A stream ends with the session that opened it.
    HttpAnswer open_stream(const HttpRequest& request) {
        return streams->open(request,
                             [this, session = gate.session(request)] { return gate.still_open(session); });
    }

    std::optional<HttpAnswer> refuse(const HttpRequest& request) {
        if (auto refused = gate.refuse(request, routes.access(request))) return refused;
        return routes.refuse(request);
    }

    HttpAnswer answer(const HttpRequest& request) const {
        HttpAnswer given;
        try {
            given = routes.answer(request);
        } catch (const std::exception& fault) {
            log->error("api request failed path={} detail={}", quote(request.path), quote(fault.what()));
            return failure(500, "internal error");
        } catch (...) {  // the backend is not ours; whatever it throws costs one answer, not the daemon
            log->error("api request failed path={} detail=unknown", quote(request.path));
            return failure(500, "internal error");
        }
        if (given.status == 500)
            log->warn("api request failed path={} answer={}", quote(request.path), quote(given.body));
        return given;
    }

    SystemClock clock;
    Gate gate;        ///< the routes refer to it
    Backend backend;  ///< the routes refer to it
    RouteTable routes;
    Logger log;
    MetricRegistry own_metrics;  ///< where nobody wants them
    EventBoard own_board;        ///< where nobody tells anything
    std::uint16_t port = 0;
    std::unique_ptr<EventStreams> streams;
    std::unique_ptr<HttpServer> http;  ///< last: its threads use all of the above
};

Result<std::unique_ptr<Server>> Server::start(Options options, Backend backend, Logger log) {
    if (options.token && options.token->empty())
        return Error{ErrorCode::kInvalid, "the API's token is empty"};
    Result<ListenSocket> socket = listen_on(options.host, options.port);
    if (!socket) return socket.error();
    if (!socket->is_loopback && !options.token) {
        return Error{ErrorCode::kInvalid,
                     fmt::format("{} is not loopback: a token is needed", socket->address)};
    }
    auto state = std::make_unique<State>(options.token, std::move(backend), log);
    state->port = socket->port;
    const HttpService service{
        .refuse = [&self = *state](const HttpRequest& request) { return self.refuse(request); },
        .answer = [&self = *state](const HttpRequest& request) { return self.answer(request); }};
    MetricRegistry& registry = options.metrics != nullptr ? *options.metrics : state->own_metrics;
    EventBoard& board = options.events != nullptr ? *options.events : state->own_board;
    auto streams = EventStreams::start(board, EventStreams::Limits{}, registry, log);
    if (!streams) return streams.error();
    state->streams = std::move(*streams);
    const std::string address = socket->address;
    Result<std::unique_ptr<HttpServer>> http =
        HttpServer::start(std::move(socket).value(), service, HttpLimits{}, HttpMetrics{registry}, log);
    if (!http) return http.error();
    state->http = std::move(http).value();
    log->info("api listening address={} token={}", address, options.token ? "asked" : "none");
    return std::unique_ptr<Server>{new Server(std::move(state))};
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() = default;

std::uint16_t Server::port() const noexcept {
    return state_->port;
}

}  // namespace cam::api
