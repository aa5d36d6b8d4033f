#pragma once

#include <string_view>

namespace cam::clickhouse {

// The files of config/clickhouse, part of the program.
extern const std::string_view tables_text;
extern const std::string_view kafka_text;
extern const std::string_view traffic_class_text;
extern const std::string_view source_network_text;
extern const std::string_view address_text;
extern const std::string_view milliseconds_text;
extern const std::string_view flow_proto_text;

}  // namespace cam::clickhouse
