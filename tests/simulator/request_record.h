#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "simulator/fault.h"
#include "simulator/moment.h"

namespace cam::simulator {

/// One request the simulator got (its own /sim/ pages aside).
struct RequestRecord {
    std::uint64_t connection = 0;
    Moment received_at;
    Target target = Target::kUnknown;
    std::string method;
    std::string path;
    nlohmann::json variables;  ///< of GraphQL; for Telegram the parameters
    std::string query;         ///< the GraphQL text
    std::optional<Moment>
        from;  ///< the window on `datetime` of the last dataset in the query, both ends inclusive
    std::optional<Moment> to;
    std::optional<std::size_t> limit;
    std::size_t rows = 0;  ///< rows in the answer
    int status = 0;        ///< what was answered; 0: nothing
    std::string error;     ///< the error text answered, if any
    std::string fault;     ///< kind of the fault that hit it, if any
};

}  // namespace cam::simulator
