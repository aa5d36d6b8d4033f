#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "app/deliverer.h"
#include "fakes/app/log_book.h"
#include "fakes/app/plain_sqlite.h"
#include "fakes/app/recording_http.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"
#include "simulator/world.h"

namespace cam::app {

using namespace std::chrono_literals;
using simulator::BodyKind;
using simulator::Fault;
using simulator::Target;
using simulator::TelegramChat;
using Step = Deliverer::Step;

/// A 429 as Telegram words it. Not the simulator's own, which would hold us to real time.
inline Fault retry_after(int seconds) {
    return Fault::body(
               fmt::format(
                   R"({{"ok":false,"error_code":429,"description":"Too Many Requests: retry after {}",)"
                   R"("parameters":{{"retry_after":{}}}}})",
                   seconds, seconds),
               429)
        .on(Target::kTelegram);
}

class DelivererTest : public testing::Test {
protected:
    void SetUp() override {
        world_.on_message([this](const simulator::DeliveredMessage&) {
            if (on_message_) on_message_();
        });
        world_.start();
        target_.chat_id = std::to_string(world_.chat_id());
    }
    void TearDown() override { world_.stop(); }  // its threads call on_message_

    /// What a process that delivers has of its own.
    struct Process {
        explicit Process(DelivererTest& test)
            : conditions(test.clock_, test.book_.logger(), test.render_),
              store(open(test)),
              telegram(test.http_,
                       {.api_url = test.world_.telegram_url(), .bot_token = Secret{test.world_.bot_token()}}),
              deliverer({telegram, *store, conditions, test.clock_, test.book_.logger(), test.metrics_,
                         test.heartbeat_, test.render_},
                        {.database = test.database(), .target = test.target_, .send_total = 20s}) {}
        static std::unique_ptr<store::SqliteStore> open(const DelivererTest& test) {
            auto opened = store::SqliteStore::open({.path = test.database(),
                                                    .access = store::Access::kReadWrite,
                                                    .busy = std::chrono::milliseconds{50}});
            EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
            return std::move(opened).value();
        }
        Conditions conditions;
        std::unique_ptr<store::SqliteStore> store;
        notify::TelegramClient telegram;
        Deliverer deliverer;
    };
    Process& process() {
        if (!process_) process_ = std::make_unique<Process>(*this);
        return *process_;
    }
    Deliverer& deliverer() { return process().deliverer; }
    void restart() {
        process_.reset();
        process();
    }

    void queue(const std::string& text, MessageKind kind = MessageKind::kEvent) {
        EXPECT_TRUE(process().store->enqueue({kind, text}, clock_.wall()));
    }
    void queue_many(int count) {
        for (int i = 0; i < count; ++i) queue(fmt::format("message {}", i));
    }
    bool drain() { return deliverer().drain({}, 3, 5min); }
    /// Steps, and waits as long as a step says, until `until` has come or nothing waits any more.
    void live(SteadyTime until) {
        while (clock_.steady() < until) {
            const Step step = deliverer().step({});
            if (step == Step::kEmpty) return;
            if (step == Step::kWait) clock_.sleep_until(std::min(until, deliverer().ready_at()), {});
        }
    }
    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> out;
        for (const auto& message : world_.messages()) out.push_back(message.text);
        return out;
    }
    [[nodiscard]] std::vector<std::string> expected(int count) const {
        std::vector<std::string> out;
        for (int i = 0; i < count; ++i) out.push_back(fmt::format("message {}", i));
        return out;
    }
    [[nodiscard]] std::uint64_t waiting() { return process().store->outbox()->waiting; }
    [[nodiscard]] std::uint64_t sends(const char* result) {
        return metrics_.counter("cam_telegram_sends_total", "", {{"result", result}}).value();
    }
    [[nodiscard]] std::size_t requests() const { return world_.requests(Target::kTelegram).size(); }
    [[nodiscard]] std::string database() const { return folder_.file("magic_transit.db"); }
    void change_chat(const std::function<void(TelegramChat&)>& change) {
        world_.configure_telegram([&](auto& settings) { change(settings.chats.front()); });
    }

    TempFolder folder_;
    FakeClock clock_;
    LogBook book_;
    MetricRegistry metrics_;
    Heartbeat heartbeat_{"deliver", clock_};
    RecordingHttpClient http_{clock_};
    const notify::RenderOptions render_{.organization = "TEST SOC", .geoip = std::nullopt};
    notify::TelegramClient::Target target_;
    std::function<void()> on_message_;
    simulator::World world_;
    std::unique_ptr<Process> process_;
};

}  // namespace cam::app
