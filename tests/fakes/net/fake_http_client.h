#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cam/net/http_client.h"

namespace cam::net {

/// Answers from a script, in order; the last answer stays. Keeps every request. One thread at a time.
class FakeHttpClient final : public HttpClient {
public:
    using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;

    FakeHttpClient& then(Answer answer) {
        script_.push_back(std::move(answer));
        return *this;
    }
    FakeHttpClient& then_body(int status, std::string body,
                              std::vector<std::pair<std::string, std::string>> headers = {
                                  {"content-type", "application/json"}}) {
        return then([=](const HttpRequest&) { return HttpResponse{status, headers, body}; });
    }
    FakeHttpClient& then_error(ErrorCode code) {
        return then([=](const HttpRequest&) { return Error{code, "told by the fake"}; });
    }

    Result<HttpResponse> perform(const HttpRequest& request) override {
        requests.push_back(request);
        if (request.stop.stop_requested()) return Error{ErrorCode::kCancelled, "asked to stop"};
        check(!script_.empty(), "FakeHttpClient has no answer left");
        const Answer answer = script_.front();
        if (script_.size() > 1) script_.pop_front();
        return answer(request);
    }

    std::vector<HttpRequest> requests;

private:
    std::deque<Answer> script_;
};

}  // namespace cam::net
