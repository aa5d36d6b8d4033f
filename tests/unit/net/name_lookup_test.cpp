#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>

#include "cam/net/http_client.h"

namespace {

/// A resolver that hangs, as it does when the network's name servers are gone.
struct HangingResolver {
    std::mutex mutex;
    std::condition_variable changed;
    bool hangs = true;
    int inside = 0;
};
HangingResolver resolver;  // getaddrinfo() has no other way to be told

}  // namespace

/// Stands before the C library's in this program, libcurl's calls included.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    if (node != nullptr && std::string_view{node} == "hangs.invalid") {
        std::unique_lock lock(resolver.mutex);
        ++resolver.inside;
        resolver.changed.notify_all();
        resolver.changed.wait(lock, [] { return !resolver.hangs; });
        --resolver.inside;
        resolver.changed.notify_all();
        return EAI_AGAIN;
    }
    using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(node, service, hints, result);
}

namespace cam::net {
namespace {

using namespace std::chrono_literals;

// B32: getaddrinfo() knows no deadline.
TEST(NameLookupTest, AHangingResolverCannotHoldARequestBeyondItsDeadline) {
    auto client = CurlHttpClient::create("cam-test/1.0");
    ASSERT_TRUE(client);
    const auto begin = std::chrono::steady_clock::now();
    const auto response = (*client)->perform({.url = "http://hangs.invalid/", .total = 300ms});
    const auto took = std::chrono::steady_clock::now() - begin;
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::kUnreachable);
    EXPECT_EQ(response.error().detail.find("hangs"), std::string::npos) << response.error().detail;
    EXPECT_LT(took, 20s);

    std::unique_lock lock(resolver.mutex);
    resolver.changed.wait(lock, [] { return resolver.inside > 0; });  // it was this resolver that was asked
    resolver.hangs = false;
    resolver.changed.notify_all();
    resolver.changed.wait(lock, [] { return resolver.inside == 0; });
}

}  // namespace
}  // namespace cam::net
