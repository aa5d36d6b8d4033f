#include "simulator/world.h"

#include <gtest/gtest.h>

#include <thread>

#include "unit/simulator/simulator_client.h"

namespace cam::simulator {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

TEST(WorldTest, CountsOneConnectionForAClientThatKeepsIt) {
    World world;
    world.start();
    SimulatorClient client(world);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(client.send_text("x")->status, 200);
    EXPECT_EQ(world.connections(Target::kTelegram), 1U);
    EXPECT_EQ(world.counters().connections, 1U);
    EXPECT_EQ(world.counters().telegram_accepted, 5U);
}

TEST(WorldTest, ComesBackOnTheSamePortWithEverythingKept) {
    World world;
    world.start();
    const std::uint16_t port = world.port();
    SimulatorClient(world).send_text("before");
    world.stop();
    EXPECT_EQ(SimulatorClient(world).send_text("during")->status, 0);
    world.start();
    EXPECT_EQ(world.port(), port);
    EXPECT_EQ(SimulatorClient(world).send_text("after")->status, 200);
    EXPECT_EQ(world.messages().size(), 2U);
}

TEST(WorldTest, WaitsForWhatComesFromOtherThreads) {
    World world;
    world.start();
    EXPECT_FALSE(world.wait_for_messages(1, 10ms));
    std::thread sender([&] { SimulatorClient(world).send_text("x"); });
    EXPECT_TRUE(world.wait_for_messages(1));
    EXPECT_TRUE(world.wait_for_requests(Target::kTelegram, 1));
    sender.join();
}

TEST(WorldTest, ServesManyClientsAtOnce) {
    World world;
    world.start();
    std::vector<std::thread> senders;
    for (int i = 0; i < 8; ++i) {
        senders.emplace_back([&] {
            SimulatorClient client(world);
            for (int j = 0; j < 20; ++j) client.send_text("x");
        });
    }
    for (std::thread& sender : senders) sender.join();
    EXPECT_EQ(world.messages().size(), 160U);
}

TEST(WorldTest, TellsAListenerEveryMessage) {
    World world;
    std::string heard;
    world.on_message([&](const DeliveredMessage& message) { heard = message.text; });
    world.start();
    SimulatorClient(world).send_text("hear this");
    world.stop();
    EXPECT_EQ(heard, "hear this");
}

TEST(WorldTest, IsSteeredOverHttp) {
    World world;
    world.start();
    SimulatorClient client(world);
    httplib::Client& http = client.http();
    EXPECT_EQ(
        http.Post("/sim/events", R"([{"at_seconds_ago": 5, "attackId": "x"}])", "application/json")->status,
        201);
    EXPECT_EQ(
        http.Post("/sim/events", R"({"attacks": [{"at_seconds_ago": 60, "events": 4, "over_seconds": 1}]})",
                  "application/json")
            ->status,
        201);
    const std::string hour_ago = moment_text(world.now() - 1h);
    EXPECT_EQ(
        client.rows("datetime_geq: \"" + hour_ago + "\"", "dimensions { attackId ipSourceAddress }").size(),
        5U);

    EXPECT_EQ(http.Post("/sim/faults", R"({"kind": "status", "status": 503, "target": "telegram"})",
                        "application/json")
                  ->status,
              201);
    EXPECT_EQ(client.send_text("x")->status, 503);
    EXPECT_EQ(http.Delete("/sim/faults")->status, 200);
    EXPECT_EQ(client.send_text("x")->status, 200);

    const json messages = json::parse(http.Get("/sim/messages")->body);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages.at(0).at("text"), "x");
    const json requests = json::parse(http.Get("/sim/requests")->body);
    ASSERT_EQ(requests.size(), 3U);
    EXPECT_EQ(requests.at(1).at("fault"), "status");
    EXPECT_EQ(json::parse(http.Get("/sim/health")->body).at("counters").at("telegram_accepted"), 1);
    EXPECT_EQ(http.Delete("/sim/log")->status, 200);
    EXPECT_TRUE(world.messages().empty());
}

TEST(WorldTest, SaysOverHttpWhatIsWrongWithAnEventOrFault) {
    World world;
    world.start();
    httplib::Client http("127.0.0.1", world.port());
    const auto refused = http.Post("/sim/faults", R"([{"kind": "boom"}])", "application/json");
    EXPECT_EQ(refused->status, 422);
    EXPECT_NE(refused->body.find("[0].kind: expected one of"), std::string::npos);
    EXPECT_EQ(http.Post("/sim/events", R"({"events": [{"nonsense": 1}]})", "application/json")->status, 422);
    EXPECT_EQ(http.Post("/sim/events", "not json", "application/json")->status, 422);
    EXPECT_EQ(http.Get("/sim/nothing")->status, 404);
}

TEST(WorldTest, GivesTheSettingsThatFitIt) {
    World world;
    world.start();
    const json settings = world.client_settings();
    EXPECT_EQ(settings.at("cloudflare").at("api_url"), world.cloudflare_url());
    EXPECT_EQ(settings.at("telegram").at("chat_id"), std::to_string(world.chat_id()));
}

TEST(WorldTest, RefusesAnEventWithAnUnknownKeyAndAPortInUse) {
    World world;
    EXPECT_THROW(world.add_event({{"at_seconds_ago", 1}, {"nonsense", 1}}), ScenarioError);
    world.start();
    World other;
    EXPECT_THROW(other.start(world.port()), std::runtime_error);
}

}  // namespace
}  // namespace cam::simulator
