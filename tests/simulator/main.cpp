// cam-simulator: Cloudflare and Telegram on one local port, from a scenario file.

#include <pthread.h>
#include <signal.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/scenario.h"
#include "simulator/world.h"

namespace {

using cam::simulator::DeliveredMessage;
using cam::simulator::World;

constexpr std::string_view kUsage =
    "usage: cam-simulator [--scenario FILE] [--port N] [--port-file PATH] [--show-messages] [--check] "
    "[--help]\n";

struct Arguments {
    std::string scenario;
    std::uint16_t port = 0;
    std::string port_file;
    bool show_messages = false;
    bool check = false;
    bool help = false;
};

/// Nothing, after saying why on standard error, when the arguments are wrong.
std::optional<Arguments> parse_arguments(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--show-messages") {
            arguments.show_messages = true;
        } else if (option == "--check") {
            arguments.check = true;
        } else if (option == "--help") {
            arguments.help = true;
        } else if (option != "--scenario" && option != "--port" && option != "--port-file") {
            std::cerr << "cam-simulator: unknown option " << option << "\n" << kUsage;
            return std::nullopt;
        } else if (i + 1 == argc) {
            std::cerr << "cam-simulator: " << option << " needs a value\n" << kUsage;
            return std::nullopt;
        } else {
            const std::string_view value = argv[++i];
            if (option == "--scenario") arguments.scenario = value;
            if (option == "--port-file") arguments.port_file = value;
            if (option != "--port") continue;
            const auto [end, error] =
                std::from_chars(value.data(), value.data() + value.size(), arguments.port);
            if (error == std::errc{} && end == value.data() + value.size()) continue;
            std::cerr << "cam-simulator: --port " << value << ": expected 0 to 65535\n";
            return std::nullopt;
        }
    }
    return arguments;
}

/// Readers never see a half-written file.
void write_port(const std::filesystem::path& file, std::uint16_t port) {
    const std::filesystem::path fresh = file.string() + ".new";
    {
        std::ofstream out(fresh);
        out << port << "\n";
        if (!out.flush()) throw std::runtime_error("cannot write " + fresh.string());
    }
    std::filesystem::rename(fresh, file);
}

void show(const DeliveredMessage& message) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    std::cout << "┌── Telegram message " << message.message_id << " to " << message.chat_id;
    if (message.thread_id) std::cout << ", thread " << *message.thread_id;
    std::cout << ", " << cam::simulator::moment_text(message.received_at) << "\n";
    std::string_view rest = message.text;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::cout << "│ " << rest.substr(0, end) << "\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    std::cout << "└──" << std::endl;
}

int run(const Arguments& arguments) {
    cam::simulator::Scenario scenario;
    try {
        if (!arguments.scenario.empty()) scenario = cam::simulator::load_scenario(arguments.scenario);
    } catch (const cam::simulator::ScenarioError& error) {
        std::cerr << "cam-simulator: " << error.what() << "\n";
        return 2;
    }
    if (arguments.check) return 0;

    sigset_t ends{};
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    World world(scenario);
    if (arguments.show_messages) world.on_message(show);
    world.start(arguments.port);
    std::cout << "cam-simulator: cloudflare " << world.cloudflare_url() << " telegram "
              << world.telegram_url() << " control " << world.url() << "/sim/" << std::endl;
    if (!arguments.port_file.empty()) write_port(arguments.port_file, world.port());
    int signal = 0;
    sigwait(&ends, &signal);
    world.stop();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto arguments = parse_arguments(argc, argv);
    if (!arguments) return 2;
    if (arguments->help) {
        std::cout << kUsage;
        return 0;
    }
    try {
        return run(*arguments);
    } catch (const std::exception& error) {
        std::cerr << "cam-simulator: " << error.what() << "\n";
        return 1;
    }
}
