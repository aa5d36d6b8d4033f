#include "cam/clickhouse/client.h"

#include <algorithm>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "cam/base/masked.h"
#include "cam/base/version.h"
#include "clickhouse/server_exception.h"
#include "clickhouse/url_text.h"

namespace cam::clickhouse {
namespace {

std::string url_of(const Client::Options& options, const Query& query) {
    std::string url = options.url;
    url += "?enable_http_compression=1";
    const std::string& database = query.database ? *query.database : options.database;
    if (!database.empty()) url += "&database=" + url_text(database);
    for (const auto& [name, value] : query.parameters) {
        url += fmt::format("&param_{}={}", url_text(name), url_text(escaped_parameter(value)));
    }
    for (const auto& [name, value] : query.settings) {
        url += fmt::format("&{}={}", url_text(name), url_text(value));
    }
    if (!query.data.empty()) url += "&query=" + url_text(query.text);
    return url;
}

}  // namespace

struct Client::State {
    Options options;
    std::unique_ptr<net::HttpClient> http;
};

Result<std::unique_ptr<Client>> Client::open(Options options) {
    auto http = net::CurlHttpClient::create(fmt::format("cloudflare-analytics-monitor/{}", cam::version()));
    if (!http) return std::move(http).error();
    return open(std::move(options), std::move(http).value());
}

Result<std::unique_ptr<Client>> Client::open(Options options, std::unique_ptr<net::HttpClient> http) {
    if (const std::optional<std::string> fault = fault_of_url(options.url)) {
        return Error{ErrorCode::kInvalid, *fault};
    }
    if (options.url.find('/', options.url.find("://") + 3) == std::string::npos) options.url += '/';
    return std::unique_ptr<Client>(
        new Client(std::make_unique<State>(State{std::move(options), std::move(http)})));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

const std::string& Client::database() const noexcept {
    return state_->options.database;
}

Result<std::string> Client::run(const Query& query) {
    const Options& options = state_->options;
    net::HttpRequest request;
    request.method = net::Method::kPost;
    request.url = url_of(options, query);
    request.headers = {{"X-ClickHouse-User", options.user}, {"Content-Type", "application/octet-stream"}};
    if (!options.password.empty())
        request.headers.emplace_back("X-ClickHouse-Key", options.password.reveal());
    if (!query.data_encoding.empty()) request.headers.emplace_back("Content-Encoding", query.data_encoding);
    request.body = query.data.empty() ? query.text : query.data;
    request.total = query.total.value_or(options.total);
    request.connect = std::min(options.connect, request.total);
    request.max_response_bytes = query.max_answer_bytes;
    request.ca_file = options.ca_file;
    request.stop = query.stop;

    Result<net::HttpResponse> response = state_->http->perform(request);
    if (!response) {
        const Error& why = response.error();
        return Error{why.code, fmt::format("ClickHouse: {}", why.detail)};
    }
    if (const std::optional<ServerException> exception = find_exception(*response)) {
        Error error = explain(*exception, response->status, options.user,
                              query.database ? *query.database : options.database);
        error.detail = masked(std::move(error.detail), options.password);
        return error;
    }
    return std::move(response->body);
}

Result<std::string> Client::version() {
    Result<std::string> answer = run({.text = "SELECT version()", .database = ""});
    if (!answer) return answer;
    const std::size_t end = answer->find_first_not_of("0123456789.");
    if (answer->empty() || end == 0 || answer->size() > 64) {
        return Error{ErrorCode::kInvalid,
                     "the server does not answer as ClickHouse does: check host and port of "
                     "traffic.clickhouse.url (8123, or 8443 with https)"};
    }
    return answer->substr(0, end);
}

}  // namespace cam::clickhouse
