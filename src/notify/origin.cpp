#include "notify/origin.h"

#include <spdlog/fmt/fmt.h>

#include "notify/country_names.h"
#include "notify/layout.h"
#include "notify/markdown.h"

namespace cam::notify {
namespace {

/// AS 0 is reserved (RFC 7607); here it means that nothing is known.
std::optional<std::uint32_t> known_asn(std::optional<std::uint32_t> asn) {
    return asn && *asn != 0 ? asn : std::nullopt;
}

void add_country(Origin& origin, const MitigationEvent& event, const Place& place) {
    origin.country = shown(place.country, kWordCap);
    origin.country_code = country_code(place.country_code);
    if (!origin.country && !origin.country_code) origin.country_code = country_code(event.source_country);
    if (origin.country || !origin.country_code) return;
    const std::string_view name = country_name(*origin.country_code);
    if (name == *origin.country_code) return;
    origin.country = std::string(name);
}

void add_network(Origin& origin, const MitigationEvent& event, const Place& place) {
    const std::optional<std::uint32_t> cloudflares = known_asn(event.source_asn);
    origin.asn = known_asn(place.asn);
    origin.organization = shown(place.organization, kNameCap);
    if (!origin.asn && !origin.organization) origin.asn = cloudflares;
    // Cloudflare's name belongs to Cloudflare's number, not to another one.
    if (!origin.organization && origin.asn == cloudflares)
        origin.organization = shown(event.source_asn_name, kNameCap);
}

}  // namespace

Origin origin_of(const MitigationEvent& event, const RenderOptions& options) {
    const Place place = event.source && options.place_of ? options.place_of(*event.source) : Place{};
    Origin origin;
    origin.city = shown(place.city, kNameCap);
    add_country(origin, event, place);
    add_network(origin, event, place);
    return origin;
}

Origin origin_of(const Place& place) {
    Origin origin;
    origin.city = shown(place.city, kNameCap);
    add_country(origin, {}, place);
    add_network(origin, {}, place);
    return origin;
}

std::optional<std::string> address_text(const std::optional<IpAddress>& address, MaybeText as_sent) {
    if (address) return address->text();
    return shown(as_sent, kWordCap);
}

std::optional<std::string> country_code(MaybeText field) {
    std::optional<std::string> text = shown(field, kWordCap);
    if (text == "XX") return std::nullopt;
    return text;
}

std::string place_text(const Origin& origin) {
    Lines parts;
    if (origin.city) parts.push_back(escape_text(*origin.city));
    if (origin.country) parts.push_back(escape_text(*origin.country));
    std::string text = join(parts, ", ", parts.size());
    if (!origin.country_code) return text;
    const std::string code_text = escape_text(*origin.country_code);
    return text.empty() ? code_text : fmt::format("{} ({})", text, code_text);
}

std::string network_text(const Origin& origin) {
    Lines parts;
    if (origin.asn) parts.push_back(fmt::format("AS{}", *origin.asn));
    if (origin.organization) parts.push_back(escape_text(*origin.organization));
    return join(parts, " - ", parts.size());
}

}  // namespace cam::notify
