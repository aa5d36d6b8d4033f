#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cam/cloudflare/analytics_client.h"
#include "failure.h"

namespace cam::cloudflare {

/// The dataset that is asked; also its key in the answer.
inline constexpr std::string_view kDataset = "dosdNetworkAnalyticsAdaptiveGroups";

/// What an answer to the event query holds, before anyone judges it.
struct EventAnswer {
    enum class Shape {
        kBroken,     ///< no JSON object, or not intact to its end
        kNoData,     ///< `data`, or a step on the way to the accounts, is null, missing or of another type
        kNoAccount,  ///< the list of accounts is empty
        kNoDataset,  ///< an account without the dataset's list of rows: null, missing or of another type
        kRows,       ///< a list of rows, perhaps empty
    };
    Shape shape = Shape::kBroken;
    std::vector<ToldError> errors;  ///< at most kMostToldErrors
    std::uint64_t error_count = 0;  ///< zero for `"errors": null` and `[]`
    EventPage page;                 ///< of kRows
};

/// Reads an answer to the event query. The events keep `body`, where their texts lie.
///
/// A field of an event whose type is not the expected one is nullopt. A number is a whole one that is not
/// negative, written with or without a fraction of zeros or an exponent (`1500`, `1500.0`, `1.5e3`), or a
/// text of digits. Of a repeated key the last one counts in an event; further up all of them count, so that
/// no row can be lost.
[[nodiscard]] EventAnswer parse_event_answer(std::string body);

}  // namespace cam::cloudflare
