#include "cam/store/flow_store.h"

#include <charconv>
#include <utility>

#include "cam/base/time_text.h"
#include "flow_store_state.h"
#include "store_state.h"

namespace cam::store {

FlowStore::FlowStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
FlowStore::~FlowStore() = default;

Result<std::unique_ptr<FlowStore>> FlowStore::open(const Options& options) {
    Result<Connection> opened = Connection::open(options);
    if (!opened) return opened.error();
    return std::unique_ptr<FlowStore>(new FlowStore(std::make_unique<State>(std::move(*opened))));
}

Result<std::int64_t> FlowStore::generation() {
    const Result<bool> there = state_->ready_to_read("monitor_state");
    if (!there) return there.error();
    if (!*there) return std::int64_t{0};
    const Result<std::optional<std::string>> text = read_value(*state_->database, kFlowGeneration);
    if (!text) return text.error();
    if (!*text) return std::int64_t{0};
    std::int64_t generation = 0;
    const char* const end = (*text)->data() + (*text)->size();
    const auto read = std::from_chars((*text)->data(), end, generation);
    if (read.ec == std::errc{} && read.ptr == end) return generation;
    return state_->database->error(ErrorCode::kCorrupt,
                                   "the value of flow_generation in monitor_state is not a number");
}

Result<std::optional<MinuteTime>> FlowStore::judged_to() {
    const Result<bool> there = state_->ready_to_read("monitor_state");
    if (!there) return there.error();
    if (!*there) return std::optional<MinuteTime>{};
    return read_judged_to(*state_->database);
}

Result<std::optional<MinuteTime>> read_judged_to(Database& database) {
    const Result<std::optional<std::string>> text = read_value(database, kJudgedTo);
    if (!text) return text.error();
    if (!*text) return std::optional<MinuteTime>{};
    const std::optional<WallTime> time = parse_time(**text);
    if (time) return std::optional<MinuteTime>{std::chrono::floor<std::chrono::minutes>(*time)};
    return database.error(ErrorCode::kCorrupt, "the value of flow_judged_to in monitor_state is not a time");
}

}  // namespace cam::store
