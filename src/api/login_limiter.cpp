#include "api/login_limiter.h"

#include <algorithm>

#include "cam/model/ip_address.h"

namespace cam::api {
namespace {

/// Whoever has one IPv6 address has the 2^64 of its network.
std::string source_of(std::string_view address) {
    constexpr std::size_t kNetworkBytes = 8;
    const auto parsed = IpAddress::parse(address);
    if (!parsed || parsed->family() == IpAddress::Family::kV4) return std::string{address};
    const auto bytes = parsed->bytes();
    return {bytes.begin(), bytes.begin() + kNetworkBytes};
}

}  // namespace

LoginLimiter::Wait LoginLimiter::Meter::wait(const Allowance& allowance, SteadyTime now) const {
    return paid_to - (allowance.at_once - 1) * allowance.pause - now;
}

void LoginLimiter::Meter::pay(const Allowance& allowance, SteadyTime now) {
    paid_to = std::max(paid_to, now) + allowance.pause;
}

LoginLimiter::Source& LoginLimiter::source(State& state, const std::string& key, SteadyTime now) const {
    auto found = state.sources.find(key);
    if (found == state.sources.end()) {
        if (state.sources.size() >= limits_.sources) {
            state.sources.erase(std::min_element(
                state.sources.begin(), state.sources.end(),
                [](const auto& a, const auto& b) { return a.second.tried < b.second.tried; }));
        }
        found = state.sources.emplace(key, Source{}).first;
    }
    found->second.tried = now;
    return found->second;
}

std::optional<std::chrono::seconds> LoginLimiter::take(std::string_view address) {
    const SteadyTime now = clock_.steady();
    const std::string key = source_of(address);
    return state_.with([&](State& state) -> std::optional<std::chrono::seconds> {
        Source& own = source(state, key, now);
        Wait wait = own.meter.wait(limits_.source, now);
        if (!own.is_known) wait = std::max(wait, state.all.wait(limits_.all, now));
        if (wait > Wait{0}) return std::chrono::ceil<std::chrono::seconds>(wait);
        own.meter.pay(limits_.source, now);
        if (!own.is_known) state.all.pay(limits_.all, now);
        return std::nullopt;
    });
}

void LoginLimiter::succeeded(std::string_view address) {
    const SteadyTime now = clock_.steady();
    const std::string key = source_of(address);
    state_.with([&](State& state) {
        Source& own = source(state, key, now);
        own.meter.paid_to -= limits_.source.pause;
        own.is_known = true;
    });
}

}  // namespace cam::api
