#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "cam/base/clock.h"
#include "cam/net/http_client.h"

namespace cam::app {

/// Hands every request on to libcurl and keeps when it was made. One thread at a time.
class RecordingHttpClient final : public net::HttpClient {
public:
    explicit RecordingHttpClient(const Clock& clock) : clock_(clock) {
        auto made = net::CurlHttpClient::create("cam-test/1.0");
        check(made.has_value(), "a test needs libcurl");
        client_ = std::move(*made);
    }
    Result<net::HttpResponse> perform(const net::HttpRequest& request) override {
        asked.push_back(clock_.steady());
        if (hasty == 0) return client_->perform(request);
        --hasty;
        net::HttpRequest hurried = request;
        hurried.total = std::chrono::milliseconds{200};
        return client_->perform(hurried);
    }

    std::vector<SteadyTime> asked;
    /// So many of the next requests get a fifth of a second only: tests of what never answers need not wait
    /// for it.
    std::size_t hasty = 0;

private:
    const Clock& clock_;
    std::unique_ptr<net::CurlHttpClient> client_;
};

}  // namespace cam::app
