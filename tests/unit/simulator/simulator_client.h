#pragma once

#include <httplib.h>

#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "simulator/world.h"

namespace cam::simulator {

inline constexpr const char* kEventsQuery = R"(
    query Events($account: string!, $from: Time!, $to: Time!, $limit: uint64!) {
      viewer {
        accounts(filter: {accountTag: $account}) {
          dosdNetworkAnalyticsAdaptiveGroups(
            filter: {datetime_geq: $from, datetime_lt: $to}
            limit: $limit
            orderBy: [datetime_ASC]
          ) {
            dimensions { datetime attackId ipSourceAddress }  # and the sums
            sum { packets bits }
          }
        }
      }
    })";

/// Talks to a World over HTTP with somebody else's client. One thread at a time.
class SimulatorClient {
public:
    explicit SimulatorClient(const World& world) : world_(world), http_("127.0.0.1", world.port()) {
        http_.set_keep_alive(true);
        http_.set_tcp_nodelay(true);
        http_.set_decompress(true);
        http_.set_read_timeout(5, 0);
        http_.set_bearer_token_auth(world.api_token());
    }

    /// Never null; status 0 when there was no answer.
    using Answer = std::unique_ptr<httplib::Response>;

    httplib::Client& http() { return http_; }

    Answer graphql(const std::string& query, const nlohmann::json& variables = nlohmann::json::object()) {
        const nlohmann::json body{{"query", query}, {"variables", variables}};
        return settled(http_.Post("/client/v4/graphql", body.dump(), "application/json"));
    }

    Answer events(const std::string& from, const std::string& to, int limit = 100) {
        return graphql(kEventsQuery,
                       {{"account", world_.account_id()}, {"from", from}, {"to", to}, {"limit", limit}});
    }

    /// The rows of a query for `fields` with this filter, or the error message as a string.
    nlohmann::json rows(const std::string& filter, const std::string& fields = "dimensions { attackId }",
                        const std::string& more = "limit: 100, orderBy: [datetime_ASC]") {
        const auto answer =
            graphql("query { viewer { accounts(filter: {accountTag: \"" + world_.account_id() +
                    "\"}) { dosdNetworkAnalyticsAdaptiveGroups(filter: {" + filter + "}, " + more + ") { " +
                    fields + " } } } }");
        if (answer->status == 0) return "no answer";
        const auto body = nlohmann::json::parse(answer->body);
        if (!body.at("errors").is_null()) return body.at("errors").at(0).at("message");
        return body.at("data").at("viewer").at("accounts").at(0).at("dosdNetworkAnalyticsAdaptiveGroups");
    }

    Answer send(const nlohmann::json& message) {
        return settled(http_.Post("/telegram/bot" + world_.bot_token() + "/sendMessage",
                                  message.dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore),
                                  "application/json"));
    }

    Answer send_text(const std::string& text, const std::string& parse_mode = "Markdown") {
        return send({{"chat_id", world_.chat_id()}, {"text", text}, {"parse_mode", parse_mode}});
    }

    nlohmann::json send_text_json(const std::string& text, const std::string& parse_mode = "Markdown") {
        const auto answer = send_text(text, parse_mode);
        return nlohmann::json::parse(answer->body, nullptr, false);
    }

private:
    static Answer settled(httplib::Result result) {
        auto answer = std::make_unique<httplib::Response>();
        answer->status = 0;
        if (result) *answer = result.value();
        return answer;
    }

    const World& world_;
    httplib::Client http_;
};

}  // namespace cam::simulator
