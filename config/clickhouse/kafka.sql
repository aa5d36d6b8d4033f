-- GoFlow2's messages from Kafka. Made anew when the settings of the source change; offsets are the consumer group's.
CREATE TABLE IF NOT EXISTS @database@.kafka_flows @on_cluster@ (
    type Int32, time_received_ns UInt64, sequence_num UInt32, sampling_rate UInt64, sampler_address String,
    time_flow_start_ns UInt64, time_flow_end_ns UInt64, bytes UInt64, packets UInt64, src_addr String, dst_addr String,
    etype UInt32, proto UInt32, src_port UInt32, dst_port UInt32, in_if UInt32, out_if UInt32, src_mac UInt64, dst_mac UInt64,
    src_vlan UInt32, dst_vlan UInt32, vlan_id UInt32, ip_tos UInt32, forwarding_status UInt32, ip_ttl UInt32, ip_flags UInt32,
    tcp_flags UInt32, icmp_type UInt32, icmp_code UInt32, ipv6_flow_label UInt32, fragment_id UInt32, fragment_offset UInt32,
    src_as UInt32, dst_as UInt32, next_hop String, next_hop_as UInt32, src_net UInt32, dst_net UInt32, bgp_next_hop String,
    bgp_communities Array(UInt32), as_path Array(UInt32), mpls_ttl Array(UInt32), mpls_label Array(UInt32), mpls_ip Array(String),
    observation_domain_id UInt32, observation_point_id UInt32, layer_stack Array(Int32), layer_size Array(UInt32),
    ipv6_routing_header_addresses Array(String), ipv6_routing_header_seg_left UInt32
) ENGINE = Kafka
SETTINGS kafka_broker_list = @kafka_brokers@, kafka_topic_list = @kafka_topic@, kafka_group_name = @kafka_group@,
    kafka_format = @kafka_format@, kafka_num_consumers = @kafka_consumers@, kafka_thread_per_consumer = 1,
    kafka_handle_error_mode = 'stream', kafka_max_block_size = 524288, kafka_flush_interval_ms = 1000, @kafka_schema@;

CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.kafka_to_errors @on_cluster@ TO @database@.kafka_errors@local@ AS
SELECT now64(3) AS received, _topic AS topic, _partition AS partition, _offset AS offset, _error AS error, _raw_message AS message
FROM @database@.kafka_flows WHERE length(_error) > 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS @database@.kafka_to_raw @on_cluster@ TO @database@.raw@local@ AS
SELECT
    -- A clock that is off by more than a week, or none: the time of arrival here.
    if(abs(toInt64(intDiv(time_received_ns, 1000000000)) - toUnixTimestamp(now())) > 604800, now64(3, 'UTC'),
        @milliseconds(time_received_ns)@) AS received,
    concat('kafka:', _topic, '/', toString(_partition)) AS collector,
    CAST(if(type BETWEEN 1 AND 4, type, 0) AS Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4)) AS type,
    @address(sampler_address)@ AS sampler_address, sequence_num,
    sampling_rate, CAST(if(sampling_rate > 0, 6, 5) AS Enum8('record' = 0, 'options' = 1, 'sflow_sample' = 2, 'header' = 3, 'router_default' = 4, 'none' = 5, 'goflow2' = 6)) AS sampling_source,
    @milliseconds(time_flow_start_ns)@ AS flow_start,
    @milliseconds(time_flow_end_ns)@ AS flow_end,
    bytes, packets, @address(src_addr)@ AS src_addr, @address(dst_addr)@ AS dst_addr, toUInt16(etype) AS etype,
    toUInt8(proto) AS proto, toUInt16(src_port) AS src_port, toUInt16(dst_port) AS dst_port, in_if, out_if, src_mac, dst_mac,
    toUInt16(src_vlan) AS src_vlan, toUInt16(dst_vlan) AS dst_vlan, toUInt16(vlan_id) AS vlan_id, toUInt8(ip_tos) AS ip_tos,
    toUInt8(forwarding_status) AS forwarding_status, toUInt8(ip_ttl) AS ip_ttl, toUInt8(ip_flags) AS ip_flags,
    toUInt16(tcp_flags) AS tcp_flags, toUInt8(icmp_type) AS icmp_type, toUInt8(icmp_code) AS icmp_code, ipv6_flow_label,
    fragment_id, toUInt16(fragment_offset) AS fragment_offset, src_as, dst_as, @address(next_hop)@ AS next_hop, next_hop_as,
    toUInt8(src_net) AS src_net, toUInt8(dst_net) AS dst_net, @address(bgp_next_hop)@ AS bgp_next_hop, bgp_communities, as_path,
    mpls_ttl, mpls_label, mpls_ip, observation_domain_id, observation_point_id, layer_stack, layer_size,
    ipv6_routing_header_addresses, ipv6_routing_header_seg_left
FROM @database@.kafka_flows WHERE length(_error) = 0;
