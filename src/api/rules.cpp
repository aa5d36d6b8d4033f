#include "api/collection.h"
#include "api/routes.h"
#include "api/rule_fields.h"

namespace cam::api {

void add_rule_routes(std::vector<Route>& routes, const Backend& backend) {
    add_collection_routes<Rule>(routes, {.noun = "rule",
                                         .path = "/rules",
                                         .path_of_one = "/rules/{id}",
                                         .list = backend.rules,
                                         .get = backend.rule,
                                         .create = backend.create_rule,
                                         .update = backend.update_rule,
                                         .remove = backend.remove_rule,
                                         .json = json,
                                         .parse = parse_rule});
}

}  // namespace cam::api
