#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cam/cloudflare/analytics_client.h"

namespace cam::cloudflare {

/// The dimensions to ask under these options, in the order of the query. Those that make the identity of an
/// event are always asked; of the others those that the account lacks are not, and then the least important
/// ones are given up until `max_fields` (which counts the two sums as well) is kept.
[[nodiscard]] std::vector<std::string_view> asked_dimensions(const PageOptions& options);

/// The body of the request for the events of a window.
[[nodiscard]] std::string event_query(std::string_view account_id, const TimeWindow& window,
                                      const PageOptions& options);

/// The body of the request for the account's limits.
[[nodiscard]] std::string limits_query(std::string_view account_id);

}  // namespace cam::cloudflare
