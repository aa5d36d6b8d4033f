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

/// An IP prefix of the account.
struct ListedPrefix {
    std::string id;    ///< empty: the entry has none
    std::string cidr;  ///< empty: the entry has none that is one
};

/// Reads a list of IP prefixes.
[[nodiscard]] Result<std::vector<ListedPrefix>, QueryFailure> read_prefixes(std::string_view body,
                                                                            const AnswerContext& context,
                                                                            const Secret& secret);

/// Counts and names a list of BGP prefixes under one IP prefix.
[[nodiscard]] Result<BgpStatus, QueryFailure> read_bgp_prefixes(std::string_view body,
                                                                const AnswerContext& context,
                                                                const Secret& secret);

}  // namespace cam::cloudflare
