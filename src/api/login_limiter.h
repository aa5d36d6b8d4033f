#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/base/guarded.h"

namespace cam::api {

/// How often somebody may try to log in: so many times at once, then one more after each pause; from each
/// source (an IPv4 address, an IPv6 /64) and in all. A source from which somebody did log in is not held up
/// by what others try. Bounded: of many sources the one that tried longest ago is forgotten. Safe from any
/// thread.
class LoginLimiter {
public:
    struct Allowance {
        int at_once;
        std::chrono::milliseconds pause;
    };
    struct Limits {
        Allowance source{.at_once = 5, .pause = std::chrono::seconds{30}};
        Allowance all{.at_once = 30, .pause = std::chrono::seconds{2}};
        std::size_t sources = 1024;
    };
    LoginLimiter(Limits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

    /// Takes one try; else for how long there is none.
    std::optional<std::chrono::seconds> take(std::string_view address);
    /// The last try from there was right: it does not count.
    void succeeded(std::string_view address);

private:
    using Wait = std::chrono::milliseconds;
    /// The generic cell rate algorithm (ITU-T I.371): each try moves `paid_to` one pause ahead, and it may
    /// not be further ahead than all tries at once would bring it.
    struct Meter {
        SteadyTime paid_to{};
        /// How long until the next try is allowed; not positive: now.
        [[nodiscard]] Wait wait(const Allowance& allowance, SteadyTime now) const;
        void pay(const Allowance& allowance, SteadyTime now);
    };
    struct Source {
        Meter meter;
        SteadyTime tried{};
        bool is_known = false;  ///< somebody logged in from there
    };
    struct State {
        Meter all;
        std::map<std::string, Source> sources;
    };
    Source& source(State& state, const std::string& key, SteadyTime now) const;

    Limits limits_;
    const Clock& clock_;
    Guarded<State> state_;
};

}  // namespace cam::api
