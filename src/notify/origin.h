#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cam/notify/render.h"

namespace cam::notify {

/// What is known about where an event's source is: what `options.place_of` finds first, where that is silent
/// what Cloudflare says. All texts are cleaned and not yet escaped.
struct Origin {
    std::optional<std::string> city;
    std::optional<std::string> country;       ///< name
    std::optional<std::string> country_code;  ///< ISO 3166-1 alpha-2, or what came instead
    std::optional<std::uint32_t> asn;
    std::optional<std::string> organization;
};
[[nodiscard]] Origin origin_of(const MitigationEvent& event, const RenderOptions& options);
/// What the GeoIP databases alone know.
[[nodiscard]] Origin origin_of(const Place& place);

/// An address as people read it: the parsed one if it could be parsed, else the text as it came.
[[nodiscard]] std::optional<std::string> address_text(const std::optional<IpAddress>& address,
                                                      MaybeText as_sent);

/// A country code, cleaned; nullopt also for XX, Cloudflare's word for unknown.
[[nodiscard]] std::optional<std::string> country_code(MaybeText field);

/// `Pābna, Bangladesh (BD)`, escaped; empty if nothing is known.
[[nodiscard]] std::string place_text(const Origin& origin);

/// `AS137959 - Vision Technologies Ltd.`, escaped; empty if nothing is known.
[[nodiscard]] std::string network_text(const Origin& origin);

}  // namespace cam::notify
