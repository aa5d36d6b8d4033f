#pragma once

#include <string>
#include <string_view>

#include "cam/model/alert.h"
#include "cam/model/traffic.h"

// How traffic is called in messages.
namespace cam::notify {

/// `TCP SYN`, `all traffic`.
[[nodiscard]] std::string_view class_words(TrafficClass traffic_class);

/// `UDP/53 (DNS)` for the key `17/53` of a port; what is no such key comes back escaped. The names are those
/// of services that attacks are reflected from.
[[nodiscard]] std::string port_words(std::string_view key);

/// What the traffic of an alert is measured in.
enum class TrafficUnit { kBits, kPackets, kFlows };
[[nodiscard]] TrafficUnit unit_of(const Crossing& crossing);
/// A rate with its unit: `1.50 Gbps`, `200.00 Kpps`, `9.00 Kflows/s`.
[[nodiscard]] std::string rate_words(double per_second, TrafficUnit unit);
/// As a number to take shares of.
[[nodiscard]] double amount(const Volume& volume, TrafficUnit unit);
/// `bits`, `packets` or `flows`.
[[nodiscard]] std::string_view unit_words(TrafficUnit unit);

}  // namespace cam::notify
