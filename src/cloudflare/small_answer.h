#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cam/base/result.h"
#include "cam/base/secret.h"
#include "cam/cloudflare/analytics_client.h"
#include "cam/model/reports.h"
#include "failure.h"

namespace cam::cloudflare {

/// No answer here comes near: 5,000 IP prefixes are 3 MB.
inline constexpr std::size_t kMostSmallAnswerBytes = 4U * 1024 * 1024;

/// Reads the answer to `limits_query`. What the node does not tell, or tells as another type, keeps its
/// default.
[[nodiscard]] Result<AccountLimits, QueryFailure> read_limits(std::string_view body,
                                                              const AnswerContext& context,
                                                              const Secret& secret);

/// Reads a list of IP prefixes: their ids, empty for an entry that has none.
[[nodiscard]] Result<std::vector<std::string>, QueryFailure> read_prefix_ids(std::string_view body,
                                                                             const AnswerContext& context,
                                                                             const Secret& secret);

/// Counts a list of BGP prefixes under one IP prefix.
[[nodiscard]] Result<BgpStatus, QueryFailure> read_bgp_prefixes(std::string_view body,
                                                                const AnswerContext& context,
                                                                const Secret& secret);

}  // namespace cam::cloudflare
