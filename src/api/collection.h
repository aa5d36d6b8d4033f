#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/query_reader.h"
#include "api/route_table.h"
#include "cam/base/log.h"
#include "cam/base/result.h"
#include "cam/model/list_query.h"

namespace cam::api {

/// Things of one kind that clients list, get, create, replace and remove; each has an `id`. The functions it
/// refers to must outlive the routes.
template <typename Item>
struct Collection {
    std::string_view noun;         ///< `rule`
    std::string_view path;         ///< `/rules`
    std::string_view path_of_one;  ///< `/rules/{id}`
    const std::function<Result<std::vector<Item>>(const ListQuery&)>& list;
    const std::function<Result<Item>(std::string_view id)>& get;
    const std::function<Result<Item>(const Item&)>& create;
    const std::function<Result<Item>(const Item&)>& update;
    const std::function<Status(std::string_view id)>& remove;
    nlohmann::ordered_json (*json)(const Item&);
    /// The item that a body describes, without id and times.
    Result<Item, HttpAnswer> (*parse)(std::string_view body);
};

inline constexpr std::uint32_t kMostPerPage = 1000;

template <typename Item>
HttpAnswer failed(const Collection<Item>& all, std::string_view id, const Error& why) {
    if (why.code != ErrorCode::kNotFound) return failure(why);
    return failure(404, fmt::format("no {} has the id {}", all.noun, quote(id, 64)));
}

/// The whole list, or with `limit` the part of it that follows the item `after`; a `Link` header then leads
/// to the next part while there is one.
template <typename Item>
HttpAnswer show_list(const Collection<Item>& all, const HttpRequest& request) {
    QueryReader query(request);
    const auto limit = query.number("limit", 1, kMostPerPage);
    const auto after = query.text("after");
    if (auto refused = query.refusal()) return *refused;
    // One more than is shown tells whether there is more.
    const auto most = limit ? std::optional<std::uint32_t>{*limit + 1} : std::nullopt;
    const Result<std::vector<Item>> items = all.list(ListQuery{.after = after, .limit = most});
    if (!items && after && items.error().code == ErrorCode::kNotFound)
        return failure(422, fmt::format("after: no {} has the id {}", all.noun, quote(*after, 64)));
    if (!items) return failure(items.error());
    const std::size_t shown = std::min<std::size_t>(items->size(), limit.value_or(items->size()));
    const auto end = items->begin() + static_cast<std::ptrdiff_t>(shown);
    ListAnswer answer;
    for (auto item = items->begin(); item != end; ++item) answer.add(all.json(*item));
    HttpAnswer made = std::move(answer).finish();
    if (end != items->end()) {
        made.headers.emplace_back(
            "Link", fmt::format("<{}?limit={}&after={}>; rel=\"next\"", all.path, *limit, (end - 1)->id));
    }
    return made;
}

template <typename Item>
HttpAnswer show_one(const Collection<Item>& all, std::string_view id) {
    const Result<Item> item = all.get(id);
    return item ? success(all.json(item.value())) : failed(all, id, item.error());
}

template <typename Item>
HttpAnswer create(const Collection<Item>& all, std::string_view body) {
    const Result<Item, HttpAnswer> wanted = all.parse(body);
    if (!wanted) return wanted.error();
    const Result<Item> made = all.create(wanted.value());
    if (!made) return failure(made.error());
    HttpAnswer answer = envelope(201, all.json(made.value()), {});
    answer.headers.emplace_back("Location", fmt::format("{}/{}", all.path, made->id));
    return answer;
}

template <typename Item>
HttpAnswer replace(const Collection<Item>& all, std::string_view id, std::string_view body) {
    Result<Item, HttpAnswer> wanted = all.parse(body);
    if (!wanted) return wanted.error();
    wanted->id = id;
    const Result<Item> made = all.update(wanted.value());
    return made ? success(all.json(made.value())) : failed(all, id, made.error());
}

/// Answers with what was removed, so that a mistake can be taken back.
template <typename Item>
HttpAnswer remove(const Collection<Item>& all, std::string_view id) {
    const Result<Item> item = all.get(id);
    if (!item) return failed(all, id, item.error());
    const Status removed = all.remove(id);
    return removed ? success(all.json(item.value())) : failed(all, id, removed.error());
}

template <typename Item>
void add_collection_routes(std::vector<Route>& routes, const Collection<Item>& all) {
    routes.push_back({.method = "GET", .path = all.path, .answer = [all](const HttpRequest& request) {
                          return show_list(all, request);
                      }});
    routes.push_back({.method = "POST", .path = all.path, .answer = [all](const HttpRequest& request) {
                          return create(all, request.body);
                      }});
    routes.push_back({.method = "GET", .path = all.path_of_one, .answer = [all](const HttpRequest& request) {
                          return show_one(all, last_segment(request.path));
                      }});
    routes.push_back({.method = "PUT", .path = all.path_of_one, .answer = [all](const HttpRequest& request) {
                          return replace(all, last_segment(request.path), request.body);
                      }});
    routes.push_back(
        {.method = "DELETE", .path = all.path_of_one, .answer = [all](const HttpRequest& request) {
             return remove(all, last_segment(request.path));
         }});
}

}  // namespace cam::api
