#pragma once

#include <chrono>

#include "app/settings.h"
#include "cam/clickhouse/client.h"
#include "cam/clickhouse/record_writer.h"
#include "cam/clickhouse/schema.h"

namespace cam::app {

/// How ClickHouse is asked, as the settings say; a call takes at most `total`.
[[nodiscard]] clickhouse::Client::Options clickhouse_options(const Settings::Traffic::ClickHouse& settings,
                                                             std::chrono::milliseconds total);
[[nodiscard]] clickhouse::SchemaOptions schema_options(const Settings::Traffic::ClickHouse& settings);
[[nodiscard]] clickhouse::RecordWriter::Options writer_options(const Settings::Traffic::ClickHouse& settings);

}  // namespace cam::app
