-- Flow records and what is counted of them. Every statement may be repeated. `@…@` is filled in by the daemon
-- (docs/database.md): the database, ON CLUSTER, the Replicated prefix of an engine, the suffix of a shard's own tables.
-- A statement that begins with `-- cluster` is left out on one server. Statements end with a line that ends with `;`.

CREATE DATABASE IF NOT EXISTS @database@ @on_cluster@;

CREATE TABLE IF NOT EXISTS @database@.schema_versions @on_cluster@ (
    version UInt32,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = @replicated@MergeTree(@everywhere:schema_versions@) ORDER BY version;

-- The plan: what is counted. Rows of a generation are written whole before `plans` names it; dictionaries read only the
-- newest generation that `plans` names.

CREATE TABLE IF NOT EXISTS @database@.plans @on_cluster@ (
    generation UInt64,
    written_at DateTime64(3, 'UTC'),
    prefixes UInt64,
    routers UInt64
) ENGINE = @replicated@MergeTree(@everywhere:plans@) ORDER BY generation TTL toDateTime(written_at) + INTERVAL 400 DAY;

CREATE TABLE IF NOT EXISTS @database@.prefixes @on_cluster@ (
    prefix_id UInt64,
    prefix String,
    address IPv6,
    length UInt8
) ENGINE = @replicated@ReplacingMergeTree(@everywhere:prefixes@) ORDER BY prefix_id;

CREATE TABLE IF NOT EXISTS @database@.plan_prefixes @on_cluster@ (
    generation UInt64,
    prefix String,
    prefix_ids Array(UInt64)
) ENGINE = @replicated@MergeTree(@everywhere:plan_prefixes@) PARTITION BY generation ORDER BY (generation, prefix);

CREATE TABLE IF NOT EXISTS @database@.plan_routers @on_cluster@ (
    generation UInt64,
    address String,
    name String,
    default_sampling UInt32
) ENGINE = @replicated@MergeTree(@everywhere:plan_routers@) PARTITION BY generation ORDER BY (generation, address);

-- The operator's: networks and their countries, from whichever GeoIP table the site has. Empty: no countries.
CREATE TABLE IF NOT EXISTS @database@.country_networks @on_cluster@ (
    network String,
    country FixedString(2)
) ENGINE = @replicated@ReplacingMergeTree(@everywhere:country_networks@) ORDER BY network;

CREATE DICTIONARY IF NOT EXISTS @database@.prefix_sets @on_cluster@ (
    prefix String,
    prefix_ids Array(UInt64)
) PRIMARY KEY prefix
SOURCE(CLICKHOUSE(@dictionary_login@ QUERY 'SELECT prefix, prefix_ids FROM @database@.plan_prefixes WHERE generation = (SELECT max(generation) FROM @database@.plans)'
    INVALIDATE_QUERY 'SELECT max(generation) FROM @database@.plans'))
LAYOUT(IP_TRIE) LIFETIME(MIN 3 MAX 5);

CREATE DICTIONARY IF NOT EXISTS @database@.router_settings @on_cluster@ (
    address String,
    name String,
    default_sampling UInt32
) PRIMARY KEY address
SOURCE(CLICKHOUSE(@dictionary_login@ QUERY 'SELECT address, name, default_sampling FROM @database@.plan_routers WHERE generation = (SELECT max(generation) FROM @database@.plans)'
    INVALIDATE_QUERY 'SELECT max(generation) FROM @database@.plans'))
LAYOUT(IP_TRIE) LIFETIME(MIN 3 MAX 5);

CREATE DICTIONARY IF NOT EXISTS @database@.prefix_names @on_cluster@ (
    prefix_id UInt64,
    prefix String DEFAULT ''
) PRIMARY KEY prefix_id
SOURCE(CLICKHOUSE(@dictionary_login@ QUERY 'SELECT prefix_id, any(prefix) FROM @database@.prefixes GROUP BY prefix_id'
    INVALIDATE_QUERY 'SELECT max(generation) FROM @database@.plans'))
LAYOUT(HASHED) LIFETIME(MIN 3 MAX 10);

CREATE DICTIONARY IF NOT EXISTS @database@.countries @on_cluster@ (
    network String,
    country String
) PRIMARY KEY network
SOURCE(CLICKHOUSE(@dictionary_login@ QUERY 'SELECT network, toString(country) FROM @database@.country_networks FINAL'
    INVALIDATE_QUERY 'SELECT count() FROM @database@.country_networks'))
LAYOUT(IP_TRIE) LIFETIME(MIN 300 MAX 600);

-- One row per flow record. Names and meanings follow GoFlow2's FlowMessage; counts are as observed. What the daemon's own
-- collector does not know of a record is 0. The daemon sends its rows in the order of the sorting key: no sorting here.
CREATE TABLE IF NOT EXISTS @database@.raw@local@ @on_cluster@ (
    received DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    inserted DateTime('UTC') DEFAULT now() CODEC(DoubleDelta, ZSTD(1)),
    collector LowCardinality(String),
    type Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4),
    sampler_address IPv6 CODEC(ZSTD(1)),
    sequence_num UInt32 CODEC(T64, ZSTD(1)),
    sampling_rate UInt64 CODEC(ZSTD(1)),
    sampling_source Enum8('record' = 0, 'options' = 1, 'sflow_sample' = 2, 'header' = 3, 'router_default' = 4, 'none' = 5, 'goflow2' = 6)
        CODEC(ZSTD(1)),
    flow_start DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    flow_end DateTime64(3, 'UTC') CODEC(T64, ZSTD(1)),
    bytes UInt64 CODEC(T64, ZSTD(1)),
    packets UInt64 CODEC(T64, ZSTD(1)),
    src_addr IPv6 CODEC(ZSTD(1)),
    dst_addr IPv6 CODEC(ZSTD(1)),
    etype UInt16 CODEC(ZSTD(1)),
    proto UInt8 CODEC(ZSTD(1)),
    src_port UInt16 CODEC(T64, ZSTD(1)),
    dst_port UInt16 CODEC(T64, ZSTD(1)),
    in_if UInt32 CODEC(T64, ZSTD(1)),
    out_if UInt32 CODEC(T64, ZSTD(1)),
    src_mac UInt64 CODEC(ZSTD(1)),
    dst_mac UInt64 CODEC(ZSTD(1)),
    src_vlan UInt16 CODEC(ZSTD(1)),
    dst_vlan UInt16 CODEC(ZSTD(1)),
    vlan_id UInt16 CODEC(ZSTD(1)),
    ip_tos UInt8 CODEC(ZSTD(1)),
    forwarding_status UInt8 CODEC(ZSTD(1)),
    ip_ttl UInt8 CODEC(ZSTD(1)),
    ip_flags UInt8 CODEC(ZSTD(1)),
    tcp_flags UInt16 CODEC(ZSTD(1)),
    icmp_type UInt8 CODEC(ZSTD(1)),
    icmp_code UInt8 CODEC(ZSTD(1)),
    ipv6_flow_label UInt32 CODEC(ZSTD(1)),
    fragment_id UInt32 CODEC(T64, ZSTD(1)),
    fragment_offset UInt16 CODEC(ZSTD(1)),
    src_as UInt32 CODEC(ZSTD(1)),
    dst_as UInt32 CODEC(ZSTD(1)),
    next_hop IPv6 CODEC(ZSTD(1)),
    next_hop_as UInt32 CODEC(ZSTD(1)),
    src_net UInt8 CODEC(ZSTD(1)),
    dst_net UInt8 CODEC(ZSTD(1)),
    bgp_next_hop IPv6 CODEC(ZSTD(1)),
    bgp_communities Array(UInt32) CODEC(ZSTD(1)),
    as_path Array(UInt32) CODEC(ZSTD(1)),
    mpls_ttl Array(UInt32) CODEC(ZSTD(1)),
    mpls_label Array(UInt32) CODEC(ZSTD(1)),
    mpls_ip Array(String) CODEC(ZSTD(1)),
    observation_domain_id UInt32 CODEC(ZSTD(1)),
    observation_point_id UInt32 CODEC(ZSTD(1)),
    layer_stack Array(Int32) CODEC(ZSTD(1)),
    layer_size Array(UInt32) CODEC(ZSTD(1)),
    ipv6_routing_header_addresses Array(String) CODEC(ZSTD(1)),
    ipv6_routing_header_seg_left UInt32 CODEC(ZSTD(1)),

    -- Sampling is applied once, here: the record's rate, else the router's default, else 1. Products and sums saturate. What
    -- follows from other columns alone is worked out when it is read: stored, it takes a fifth more processor and disk at an insert.
    rate UInt64 MATERIALIZED if(sampling_rate > 0, sampling_rate,
        greatest(dictGetOrDefault('@database@.router_settings', 'default_sampling', tuple(sampler_address), toUInt32(0)), 1)) CODEC(ZSTD(1)),
    rate_source Enum8('record' = 0, 'options' = 1, 'sflow_sample' = 2, 'header' = 3, 'router_default' = 4, 'none' = 5, 'goflow2' = 6)
        ALIAS if(sampling_rate > 0, sampling_source, if(rate > 1, 'router_default', 'none')),
    total_bytes UInt64 ALIAS if(bytes > intDiv(18446744073709551615, rate), 18446744073709551615, bytes * rate),
    total_packets UInt64 ALIAS if(packets > intDiv(18446744073709551615, rate), 18446744073709551615, packets * rate),
    traffic_class Enum8('tcp' = 1, 'tcp_syn' = 2, 'tcp_ack' = 3, 'tcp_rst' = 4, 'udp' = 5, 'icmp' = 6, 'gre' = 7, 'esp' = 8, 'other' = 9)
        ALIAS CAST(@traffic_class@ AS Enum8('tcp' = 1, 'tcp_syn' = 2, 'tcp_ack' = 3, 'tcp_rst' = 4, 'udp' = 5, 'icmp' = 6, 'gre' = 7, 'esp' = 8, 'other' = 9)),
    src_country LowCardinality(String) MATERIALIZED dictGetOrDefault('@database@.countries', 'country', tuple(src_addr), '')
) ENGINE = @replicated@MergeTree
PARTITION BY toYYYYMMDD(received)
ORDER BY (toStartOfFiveMinutes(received), dst_addr, received)
TTL toDateTime(received) + INTERVAL @raw_days@ DAY
SETTINGS ttl_only_drop_parts = 1, @deduplication@ = 10000;

-- Per prefix, minute of receipt and narrowest traffic class (docs/protocols.md). prefix_id 0 is all traffic, to whichever
-- prefix or none: it makes a minute's `records` tell how much of it is here. Both lie in one table so that they become
-- visible together.
CREATE TABLE IF NOT EXISTS @database@.prefix_minutes@local@ @on_cluster@ (
    minute DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    prefix_id UInt64 CODEC(ZSTD(1)),
    traffic_class Enum8('tcp' = 1, 'tcp_syn' = 2, 'tcp_ack' = 3, 'tcp_rst' = 4, 'udp' = 5, 'icmp' = 6, 'gre' = 7, 'esp' = 8, 'other' = 9) CODEC(ZSTD(1)),
    bytes UInt128 CODEC(ZSTD(1)),
    packets UInt128 CODEC(ZSTD(1)),
    flows UInt128 CODEC(ZSTD(1)),
    records UInt64 CODEC(T64, ZSTD(1))
) ENGINE = @replicated@SummingMergeTree((bytes, packets, flows, records))
PARTITION BY toYYYYMMDD(minute)
ORDER BY (toStartOfTenMinutes(minute), prefix_id, minute, traffic_class)
TTL minute + INTERVAL @minute_days@ DAY
SETTINGS ttl_only_drop_parts = 1, @deduplication@ = 10000;

-- How far each source of records has come.
CREATE TABLE IF NOT EXISTS @database@.collector_minutes@local@ @on_cluster@ (
    minute DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    collector LowCardinality(String),
    sampler_address IPv6 CODEC(ZSTD(1)),
    records SimpleAggregateFunction(sum, UInt64),
    newest SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    oldest SimpleAggregateFunction(min, DateTime64(3, 'UTC'))
) ENGINE = @replicated@AggregatingMergeTree
PARTITION BY toYYYYMMDD(minute)
ORDER BY (minute, collector, sampler_address)
TTL minute + INTERVAL @minute_days@ DAY
SETTINGS ttl_only_drop_parts = 1, @deduplication@ = 10000;

-- Per source network (/24, /64) and source AS, of the traffic to watched prefixes.
CREATE TABLE IF NOT EXISTS @database@.source_minutes@local@ @on_cluster@ (
    minute DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    source_network IPv6 CODEC(ZSTD(1)),
    src_as UInt32 CODEC(ZSTD(1)),
    src_country LowCardinality(String),
    bytes UInt128 CODEC(ZSTD(1)),
    packets UInt128 CODEC(ZSTD(1)),
    flows UInt128 CODEC(ZSTD(1))
) ENGINE = @replicated@SummingMergeTree((bytes, packets, flows))
PARTITION BY toYYYYMMDD(minute)
ORDER BY (minute, source_network, src_as, src_country)
TTL minute + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1, @deduplication@ = 10000;

CREATE TABLE IF NOT EXISTS @database@.interface_minutes@local@ @on_cluster@ (
    minute DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    sampler_address IPv6 CODEC(ZSTD(1)),
    direction Enum8('in' = 0, 'out' = 1),
    interface UInt32 CODEC(ZSTD(1)),
    bytes UInt128 CODEC(ZSTD(1)),
    packets UInt128 CODEC(ZSTD(1)),
    flows UInt128 CODEC(ZSTD(1))
) ENGINE = @replicated@SummingMergeTree((bytes, packets, flows))
PARTITION BY toYYYYMMDD(minute)
ORDER BY (minute, sampler_address, direction, interface)
TTL minute + INTERVAL @minute_days@ DAY
SETTINGS ttl_only_drop_parts = 1, @deduplication@ = 10000;

-- The profile of a day: per prefix and class the sums of each quarter of an hour, for a year of weeks to compare with.
CREATE TABLE IF NOT EXISTS @database@.prefix_days@local@ @on_cluster@ (
    day Date CODEC(DoubleDelta, ZSTD(1)),
    prefix_id UInt64 CODEC(ZSTD(1)),
    traffic_class Enum8('tcp' = 1, 'tcp_syn' = 2, 'tcp_ack' = 3, 'tcp_rst' = 4, 'udp' = 5, 'icmp' = 6, 'gre' = 7, 'esp' = 8, 'other' = 9),
    quarter UInt8 CODEC(ZSTD(1)),
    bytes UInt128 CODEC(ZSTD(1)),
    packets UInt128 CODEC(ZSTD(1)),
    flows UInt128 CODEC(ZSTD(1))
) ENGINE = @replicated@SummingMergeTree((bytes, packets, flows))
PARTITION BY toYYYYMM(day)
ORDER BY (prefix_id, day, traffic_class, quarter)
TTL day + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1, @deduplication@ = 10000;

-- Messages from Kafka that are no FlowMessage: kept to look at, counted, never in the way of the next one.
CREATE TABLE IF NOT EXISTS @database@.kafka_errors@local@ @on_cluster@ (
    received DateTime64(3, 'UTC') DEFAULT now64(3),
    topic LowCardinality(String),
    partition UInt64,
    offset UInt64,
    error String,
    message String
) ENGINE = @replicated@MergeTree
PARTITION BY toYYYYMMDD(received)
ORDER BY received
TTL toDateTime(received) + INTERVAL 7 DAY
SETTINGS ttl_only_drop_parts = 1;

-- cluster
CREATE TABLE IF NOT EXISTS @database@.raw @on_cluster@ AS @database@.raw@local@
    ENGINE = Distributed(@cluster@, @database@, 'raw_local', cityHash64(received, src_addr, dst_addr, src_port, dst_port, sequence_num));
-- cluster
CREATE TABLE IF NOT EXISTS @database@.prefix_minutes @on_cluster@ AS @database@.prefix_minutes@local@
    ENGINE = Distributed(@cluster@, @database@, 'prefix_minutes_local');
-- cluster
CREATE TABLE IF NOT EXISTS @database@.collector_minutes @on_cluster@ AS @database@.collector_minutes@local@
    ENGINE = Distributed(@cluster@, @database@, 'collector_minutes_local');
-- cluster
CREATE TABLE IF NOT EXISTS @database@.source_minutes @on_cluster@ AS @database@.source_minutes@local@
    ENGINE = Distributed(@cluster@, @database@, 'source_minutes_local');
-- cluster
CREATE TABLE IF NOT EXISTS @database@.interface_minutes @on_cluster@ AS @database@.interface_minutes@local@
    ENGINE = Distributed(@cluster@, @database@, 'interface_minutes_local');
-- cluster
CREATE TABLE IF NOT EXISTS @database@.prefix_days @on_cluster@ AS @database@.prefix_days@local@
    ENGINE = Distributed(@cluster@, @database@, 'prefix_days_local');
-- cluster
CREATE TABLE IF NOT EXISTS @database@.kafka_errors @on_cluster@ AS @database@.kafka_errors@local@
    ENGINE = Distributed(@cluster@, @database@, 'kafka_errors_local');

-- The views group by what their tables are sorted by, so a server need not sum again at the insert (optimize_on_insert = 0).

-- First by the longest prefix (ids[-1], which tells the set of those that cover it), then each set's sums for its prefixes:
-- far fewer rows are multiplied.
CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.raw_to_prefix_minutes @on_cluster@ TO @database@.prefix_minutes@local@ AS
SELECT minute, prefix_id, traffic_class,
    sum(set_bytes) AS bytes, sum(set_packets) AS packets, sum(set_flows) AS flows, sum(set_records) AS records
FROM (
    SELECT toStartOfMinute(toDateTime(received, 'UTC')) AS minute, traffic_class, any(ids) AS prefix_set,
        sum(toUInt128(total_bytes)) AS set_bytes, sum(toUInt128(total_packets)) AS set_packets, sum(toUInt128(rate)) AS set_flows,
        count() AS set_records
    FROM (SELECT received, traffic_class, total_bytes, total_packets, rate,
            dictGetOrDefault('@database@.prefix_sets', 'prefix_ids', tuple(dst_addr), CAST([] AS Array(UInt64))) AS ids
        FROM @database@.raw@local@)
    GROUP BY minute, traffic_class, ids[-1])
ARRAY JOIN arrayPushFront(prefix_set, 0) AS prefix_id
GROUP BY minute, prefix_id, traffic_class;

CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.raw_to_collector_minutes @on_cluster@ TO @database@.collector_minutes@local@ AS
SELECT toStartOfMinute(toDateTime(received, 'UTC')) AS minute, collector, sampler_address,
    count() AS records, max(received) AS newest, min(received) AS oldest
FROM @database@.raw@local@ GROUP BY minute, collector, sampler_address;

CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.raw_to_source_minutes @on_cluster@ TO @database@.source_minutes@local@ AS
SELECT toStartOfMinute(toDateTime(received, 'UTC')) AS minute,
    @source_network@ AS source_network, src_as, src_country,
    sum(toUInt128(total_bytes)) AS bytes, sum(toUInt128(total_packets)) AS packets, sum(toUInt128(rate)) AS flows
FROM @database@.raw@local@
WHERE dictHas('@database@.prefix_sets', tuple(dst_addr))
GROUP BY minute, source_network, src_as, src_country;

CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.raw_to_interface_minutes @on_cluster@ TO @database@.interface_minutes@local@ AS
SELECT minute, sampler_address, side.1 AS direction, side.2 AS interface,
    sum(pair_bytes) AS bytes, sum(pair_packets) AS packets, sum(pair_flows) AS flows
FROM (
    SELECT toStartOfMinute(toDateTime(received, 'UTC')) AS minute, sampler_address, in_if, out_if,
        sum(toUInt128(total_bytes)) AS pair_bytes, sum(toUInt128(total_packets)) AS pair_packets, sum(toUInt128(rate)) AS pair_flows
    FROM @database@.raw@local@ GROUP BY minute, sampler_address, in_if, out_if)
ARRAY JOIN [(CAST('in' AS Enum8('in' = 0, 'out' = 1)), in_if), (CAST('out' AS Enum8('in' = 0, 'out' = 1)), out_if)] AS side
GROUP BY minute, sampler_address, direction, interface;

CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.prefix_minutes_to_days @on_cluster@ TO @database@.prefix_days@local@ AS
SELECT toDate(minute, 'UTC') AS day, prefix_id, traffic_class,
    toUInt8(intDiv(toHour(minute, 'UTC') * 60 + toMinute(minute, 'UTC'), 15)) AS quarter,
    sum(bytes) AS bytes, sum(packets) AS packets, sum(flows) AS flows
FROM @database@.prefix_minutes@local@ GROUP BY day, prefix_id, traffic_class, quarter;

-- For people and dashboards: prefixes by name, and rates.
CREATE VIEW IF NOT EXISTS @database@.prefix_traffic @on_cluster@ AS
SELECT minute, if(prefix_id = 0, 'all', dictGetOrDefault('@database@.prefix_names', 'prefix', prefix_id, toString(prefix_id))) AS prefix,
    toString(traffic_class) AS traffic_class, sum(m.bytes) AS bytes, sum(m.packets) AS packets, sum(m.flows) AS flows,
    toFloat64(bytes) * 8 / 60 AS bits_per_second, toFloat64(packets) / 60 AS packets_per_second
FROM @database@.prefix_minutes AS m GROUP BY minute, prefix_id, traffic_class;
