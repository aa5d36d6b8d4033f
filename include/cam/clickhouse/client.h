#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/net/http_client.h"

namespace cam::clickhouse {

/// One statement and what goes with it.
struct Query {
    std::string text;  ///< with `{name:Type}` where parameters belong; one statement
    std::vector<std::pair<std::string, std::string>> parameters{};  ///< values as plain text, escaped here
    std::vector<std::pair<std::string, std::string>> settings{};    ///< of this statement only
    /// Rows of an INSERT, in the format that `text` names.
    std::string data{};
    std::string data_encoding{};  ///< how `data` is compressed: empty, "gzip" or "zstd"
    /// None: Options::database. Empty: no database (to make one).
    std::optional<std::string> database{};
    std::optional<std::chrono::milliseconds> total{};  ///< none: Options::total
    std::size_t max_answer_bytes = std::size_t{256} * 1024 * 1024;
    std::stop_token stop{};  ///< ends the call within a second with kCancelled
};

/// Speaks to one ClickHouse server (or the balancer before several) over its HTTP interface. User and
/// password go in headers, never in the URL. One thread at a time.
class Client {
public:
    struct Options {
        std::string
            url;  ///< `http://host:8123` or `https://host:8443`; a path is kept, a query is not allowed
        std::string database = "flows";
        std::string user = "default";
        Secret password{};
        std::string ca_file{};  ///< PEM; empty: the system's certificates
        std::chrono::milliseconds total{30'000};
        std::chrono::milliseconds connect{5'000};
    };
    /// kInvalid: the URL is none, or names a user or password.
    static Result<std::unique_ptr<Client>> open(Options options);
    /// The same over another HTTP client.
    static Result<std::unique_ptr<Client>> open(Options options, std::unique_ptr<net::HttpClient> http);
    ~Client();

    /// The answer's body, or why there is none:
    /// kUnreachable, kTls, kTimeout, kBroken, kTooLarge, kCancelled as net::HttpClient (after kTimeout and
    /// kBroken the server may have acted); kBroken also if the answer ended in an exception after rows were
    /// sent and nothing better is known of it;
    /// kRefused: user, password or rights; kNotFound: database, table, column, function or setting is
    /// missing; kBusy: too many queries or parts, out of memory, too slow for its own limit: try again later;
    /// kFull: its disk; kReadOnly; kInvalid: the statement or the data are wrong and stay wrong, or the URL
    /// is not ClickHouse's HTTP interface; kInternal: any other exception. The text names what to do. No
    /// error holds the password, the URL, a parameter or data.
    Result<std::string> run(const Query& query);

    /// The server's version as it tells it, such as `26.7.2.1`; also a check of address, user and password.
    /// Does not need the database.
    Result<std::string> version();

    [[nodiscard]] const std::string& database() const noexcept;

private:
    struct State;
    explicit Client(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::clickhouse
