#include <limits>

#include <nlohmann/json.hpp>

#include "api/collection.h"
#include "api/field_reader.h"
#include "api/name_field.h"
#include "api/routes.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

Json json(const Router& router) {
    return {{"id", router.id},
            {"name", router.name},
            {"router_ip", router.address.text()},
            {"default_sampling", router.default_sampling},
            {"created_at", rfc3339(router.created_at)},
            {"updated_at", rfc3339(router.updated_at)}};
}

/// An address that a datagram can come from.
bool is_source(const IpAddress& address) {
    const auto& bytes = address.bytes();
    const bool is_v4 = address.family() == IpAddress::Family::kV4;
    const bool is_multicast = is_v4 ? bytes[0] >= 224 : bytes[0] == 0xff;
    const bool is_unspecified = bytes == std::array<std::uint8_t, 16>{};
    return !is_multicast && !is_unspecified;
}

std::optional<IpAddress> read_address(FieldReader& fields) {
    constexpr const char* kField = "router_ip";
    constexpr const char* kExpected = "the address that its flows come from, IPv4 or IPv6";
    const auto given = fields.text(kField);
    fields.require(kField, kExpected);
    if (!given) return std::nullopt;
    const auto address = IpAddress::parse(*given);
    if (address && is_source(*address)) return address;
    const std::string_view hint = given->find('/') == std::string::npos ? "" : ", without a prefix length";
    fields.problem(kField, fmt::format("{}{} is expected, not {}", kExpected, hint, quote(*given, 60)));
    return std::nullopt;
}

Result<Router, HttpAnswer> parse(std::string_view body) {
    Result<FieldReader, HttpAnswer> parsed = FieldReader::parse(body);
    if (!parsed) return std::move(parsed).error();
    FieldReader& fields = parsed.value();
    for (const char* ours : {"id", "created_at", "updated_at"}) fields.leave_out(ours);
    std::string name = read_name(fields);
    const auto address = read_address(fields);
    const auto sampling = fields.number("default_sampling", 0, std::numeric_limits<std::uint32_t>::max());
    if (auto refused = fields.refusal()) return *refused;
    return Router{.id = {},
                  .name = std::move(name),
                  .address = *address,
                  .default_sampling = static_cast<std::uint32_t>(sampling.value_or(0))};
}

}  // namespace

void add_router_routes(std::vector<Route>& routes, const Backend& backend) {
    add_collection_routes<Router>(routes, {.noun = "router",
                                           .path = "/routers",
                                           .path_of_one = "/routers/{id}",
                                           .list = backend.routers,
                                           .get = backend.router,
                                           .create = backend.create_router,
                                           .update = backend.update_router,
                                           .remove = backend.remove_router,
                                           .json = json,
                                           .parse = parse});
}

}  // namespace cam::api
