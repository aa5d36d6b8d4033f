#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <httplib.h>
#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cam/api/server.h"
#include "cam/base/guarded.h"
#include "cam/base/time_text.h"

namespace cam::api {

/// Things with ids, as the database keeps them. Safe from any thread.
template <typename Item>
class Shelf {
public:
    explicit Shelf(std::string noun) : noun_(std::move(noun)) {}

    Result<std::vector<Item>> list(const ListQuery& asked) const {
        asked_.with([&](ListQuery& last) { last = asked; });
        return items_.with([&](const auto& items) -> Result<std::vector<Item>> {
            auto from = items.begin();
            if (asked.after) {
                from = find(items, *asked.after);
                if (from == items.end()) return Error{ErrorCode::kNotFound, "no such row"};
                ++from;
            }
            const auto left = static_cast<std::size_t>(items.end() - from);
            const std::size_t most = std::min<std::size_t>(left, asked.limit.value_or(left));
            return std::vector<Item>(from, from + static_cast<std::ptrdiff_t>(most));
        });
    }
    std::vector<Item> all() const { return list({}).value(); }
    /// What the last list was asked for.
    ListQuery last_asked() const {
        return asked_.with([](const ListQuery& asked) { return asked; });
    }
    Result<Item> get(std::string_view id) const {
        return items_.with([&](const auto& items) -> Result<Item> {
            const auto found = find(items, id);
            if (found == items.end()) return Error{ErrorCode::kNotFound, "no such row"};
            return *found;
        });
    }
    Result<Item> add(Item item) {
        item.created_at = item.updated_at = *parse_time("2026-01-19T22:51:50Z");
        return items_.with([&](auto& items) -> Result<Item> {
            item.id = fmt::format("{}-{}", noun_, ++made_);
            items.push_back(item);
            return item;
        });
    }
    Result<Item> replace(Item item) {
        return items_.with([&](auto& items) -> Result<Item> {
            const auto found = find(items, item.id);
            if (found == items.end()) return Error{ErrorCode::kNotFound, "no such row"};
            item.created_at = found->created_at;
            item.updated_at = found->updated_at;
            return *found = item;
        });
    }
    Status remove(std::string_view id) {
        return items_.with([&](auto& items) -> Status {
            const auto found = find(items, id);
            if (found == items.end()) return Error{ErrorCode::kNotFound, "no such row"};
            items.erase(found);
            return Done{};
        });
    }

private:
    template <typename Items>
    static auto find(Items& items, std::string_view id) {
        return std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.id == id; });
    }
    std::string noun_;
    mutable Guarded<std::vector<Item>> items_;
    mutable Guarded<ListQuery> asked_;
    int made_ = 0;  ///< under the guard of items_
};

/// A server on a free port over a backend that remembers.
class SiteTest : public ::testing::Test {
protected:
    void SetUp() override { start({}); }

    void start(const std::optional<Secret>& token) {
        client_.reset();
        server_.reset();
        auto server = Server::start(
            {.host = "127.0.0.1", .port = 0, .token = token, .metrics = &metrics_, .events = &board_},
            backend(), null_logger());
        ASSERT_TRUE(server) << server.error().detail;
        server_ = std::move(server).value();
        client_ = std::make_unique<httplib::Client>("127.0.0.1", server_->port());
    }

    /// `work` unless the site is in trouble.
    template <typename Work>
    auto unless_faulty(Work work) const -> decltype(work()) {
        if (fault_) return *fault_;
        return work();
    }

    Backend backend() {
        Backend made;
        made.events = [this](const EventQuery& query) {
            asked_events_.with([&](auto& asked) { asked = query; });
            return unless_faulty([&] { return Result{EventPage{events_, next_cursor_}}; });
        };
        made.my_prefixes_only = [this] { return unless_faulty([&] { return Result{my_prefixes_only_}; }); };
        made.set_my_prefixes_only = [this](bool value) {
            return unless_faulty([&] {
                my_prefixes_only_ = value;
                return Status{Done{}};
            });
        };
        made.readiness = [this]() -> Readiness {
            if (fault_) throw std::runtime_error("no readiness");
            return readiness_;
        };
        made.metrics_text = [this]() -> std::string {
            if (fault_) throw std::runtime_error("no metrics");
            return "cam_polls_total 7\n";
        };
        made.routers = [this](const ListQuery& asked) {
            return unless_faulty([&] { return routers_.list(asked); });
        };
        made.router = [this](std::string_view id) { return unless_faulty([&] { return routers_.get(id); }); };
        made.create_router = [this](const Router& router) {
            return unless_faulty([&] { return is_taken(router) ? conflict(router) : routers_.add(router); });
        };
        made.update_router = [this](const Router& router) {
            return unless_faulty(
                [&] { return is_taken(router) ? conflict(router) : routers_.replace(router); });
        };
        made.remove_router = [this](std::string_view id) {
            return unless_faulty([&] { return routers_.remove(id); });
        };
        made.rules = [this](const ListQuery& asked) {
            return unless_faulty([&] { return rules_.list(asked); });
        };
        made.rule = [this](std::string_view id) { return unless_faulty([&] { return rules_.get(id); }); };
        made.create_rule = [this](const Rule& rule) {
            return unless_faulty([&] { return rules_.add(rule); });
        };
        made.update_rule = [this](const Rule& rule) {
            return unless_faulty([&] { return rules_.replace(rule); });
        };
        made.remove_rule = [this](std::string_view id) {
            return unless_faulty([&] { return rules_.remove(id); });
        };
        made.alerts = [this](const AlertQuery& query) {
            asked_alerts_.with([&](auto& asked) { asked = query; });
            return unless_faulty([&] { return Result{alerts_}; });
        };
        made.now = [] { return *parse_time("2026-01-20T09:00:30Z"); };
        made.traffic = [this](const std::vector<Prefix>& prefixes, const TrafficRange& range) {
            asked_traffic_.with([&](auto& asked) { asked = {prefixes, range}; });
            return unless_faulty([&] { return Result{points_}; });
        };
        made.traffic_minute = [this](std::optional<MinuteTime>) {
            return unless_faulty([&] { return Result{traffic_minute_}; });
        };
        made.traffic_parts = [this](const Prefix&, const TrafficRange&, std::size_t) {
            return unless_faulty([&] { return Result{parts_}; });
        };
        made.preview_rule = [this](const Rule&, std::chrono::hours) {
            return unless_faulty([&] { return Result{preview_}; });
        };
        made.exporters = [this] { return unless_faulty([&] { return Result{exporters_}; }); };
        fill_mitigation(made);
        return made;
    }

    void fill_mitigation(Backend& made) {
        made.event = [this](std::int64_t id) {
            return unless_faulty([&]() -> Result<EventDetail> {
                for (const StoredEvent& event : events_) {
                    if (event.id == id) return EventDetail{event, raw_data_};
                }
                return Error{ErrorCode::kNotFound, fmt::format("no event has the id {}", id)};
            });
        };
        made.attacks = [this](const AttackQuery& query) {
            asked_attacks_.with([&](auto& asked) { asked = query; });
            return unless_faulty([&] { return attacks_; });
        };
        made.attack = [this](std::string_view id) {
            return unless_faulty([&]() -> Result<AttackDetail> {
                if (id == attack_.attack.attack_id) return attack_;
                return Error{ErrorCode::kNotFound, "no such attack"};
            });
        };
        made.attack_timeline = [this](const TimelineRequest& request) {
            asked_timeline_.with([&](auto& asked) { asked = request; });
            return unless_faulty([&] { return timeline_; });
        };
        made.both_sides = [this](std::string_view id) {
            return unless_faulty([&]() -> Result<BothSides> {
                if (id == attack_.attack.attack_id) return both_sides_;
                return Error{ErrorCode::kNotFound, "no such attack"};
            });
        };
        made.deliveries = [this](const DeliveryQuery& query) {
            asked_deliveries_.with([&](auto& asked) { asked = query; });
            return unless_faulty([&] { return Result{deliveries_}; });
        };
        made.status = [this] { return unless_faulty([&] { return Result{status_}; }); };
    }

    /// The body, after checking that it is an envelope which agrees with the status.
    static nlohmann::json opened(const httplib::Result& answer) {
        if (!answer) {
            ADD_FAILURE() << "no answer: " << httplib::to_string(answer.error());
            return {};
        }
        nlohmann::json body = nlohmann::json::parse(answer->body, nullptr, false);
        EXPECT_TRUE(body.is_object()) << answer->body;
        EXPECT_EQ(body.size(), body.contains("result_info") ? 4U : 3U);
        EXPECT_EQ(body.at("success"), answer->status < 400);
        EXPECT_EQ(body.at("errors").empty(), answer->status < 400);
        return body;
    }
    static std::vector<std::string> messages(const httplib::Result& answer) {
        std::vector<std::string> all;
        const nlohmann::json body = opened(answer);
        for (const auto& error : body["errors"]) all.push_back(error["message"]);
        return all;
    }

    std::optional<Error> fault_;  ///< what every backend call says
    Readiness readiness_{.ready = true, .reasons = {}};
    bool my_prefixes_only_ = true;
    std::vector<StoredEvent> events_;
    std::optional<std::int64_t> next_cursor_;
    std::optional<std::string> raw_data_;
    Result<AttackPage> attacks_ = AttackPage{};
    AttackDetail attack_;
    Result<AttackTimeline> timeline_ = AttackTimeline{};
    BothSides both_sides_;
    DeliveryPage deliveries_;
    MonitorStatus status_;
    Guarded<EventQuery> asked_events_;
    Guarded<AttackQuery> asked_attacks_;
    Guarded<TimelineRequest> asked_timeline_;
    Guarded<DeliveryQuery> asked_deliveries_;
    std::vector<Alert> alerts_;
    std::vector<ExporterStatus> exporters_;
    Guarded<AlertQuery> asked_alerts_;
    Guarded<std::pair<std::vector<Prefix>, TrafficRange>> asked_traffic_;
    std::vector<TrafficPoint> points_;
    std::optional<TrafficMinute> traffic_minute_;
    TrafficParts parts_;
    RulePreview preview_{.from = {}, .to = {}, .alerts = {}, .suggestion = {}};
    Shelf<Router> routers_{"router"};
    Shelf<Rule> rules_{"rule"};
    MetricRegistry metrics_;
    EventBoard board_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<httplib::Client> client_;

private:
    bool is_taken(const Router& router) const {
        const auto all = routers_.all();
        return std::any_of(all.begin(), all.end(), [&](const Router& other) {
            return other.address == router.address && other.id != router.id;
        });
    }
    static Result<Router> conflict(const Router& router) {
        return Error{ErrorCode::kExists, "another router has the address " + router.address.text()};
    }
};

}  // namespace cam::api
