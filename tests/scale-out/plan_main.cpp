// cam-clickhouse-plan: makes the schema and a plan as the daemon does, for tests of the parts beside it.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/clickhouse/client.h"
#include "cam/clickhouse/plan_writer.h"
#include "cam/clickhouse/schema.h"

namespace {

using namespace cam;

constexpr std::string_view kUsage =
    "usage: cam-clickhouse-plan --url URL --database NAME [--brokers HOST:PORT] [--topic NAME]\n"
    "           [--cluster NAME] [--prefix CIDR]... [--router ADDRESS=SAMPLING]...\n"
    "The password is read from CAM_CLICKHOUSE_PASSWORD.\n";

struct Arguments {
    clickhouse::Client::Options client;
    clickhouse::SchemaOptions schema;
    clickhouse::Plan plan;
};

Router router_of(const std::string& text) {
    const std::size_t equals = text.find('=');
    const auto address = IpAddress::parse(text.substr(0, equals));
    if (equals == std::string::npos || !address) throw std::runtime_error("--router " + text);
    return {.id = {},
            .name = text.substr(0, equals),
            .address = *address,
            .default_sampling = static_cast<std::uint32_t>(std::stoul(text.substr(equals + 1)))};
}

Arguments parsed(int argc, char** argv) {
    Arguments out;
    const char* const password = std::getenv("CAM_CLICKHOUSE_PASSWORD");
    out.client.password = out.schema.password = Secret{password != nullptr ? password : ""};
    clickhouse::KafkaSource kafka;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string key = argv[i];
        const std::string value = argv[i + 1];
        if (key == "--url") out.client.url = value;
        if (key == "--database") out.client.database = out.schema.database = value;
        if (key == "--cluster") out.schema.cluster = value;
        if (key == "--brokers") kafka.brokers = value;
        if (key == "--topic") kafka.topic = value;
        if (key == "--router") out.plan.routers.push_back(router_of(value));
        if (key == "--prefix") {
            const auto prefix = Prefix::parse(value);
            if (!prefix) throw std::runtime_error("--prefix " + value);
            out.plan.prefixes.push_back(*prefix);
        }
    }
    if (!kafka.brokers.empty()) out.schema.kafka = kafka;
    if (out.client.url.empty()) throw std::runtime_error(std::string{kUsage});
    return out;
}

template <typename T>
T needed(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    return std::move(result).value();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        Arguments arguments = parsed(argc, argv);
        const auto client = needed(clickhouse::Client::open(arguments.client));
        needed(clickhouse::migrate(*client, arguments.schema, {}));
        clickhouse::PlanWriter writer(*client, arguments.schema.cluster);
        std::cout << "generation " << needed(writer.write(arguments.plan, SystemClock{}.wall(), {})) << "\n";
        return 0;
    } catch (const std::exception& why) {
        std::cerr << "cam-clickhouse-plan: " << why.what() << "\n";
        return 1;
    }
}
