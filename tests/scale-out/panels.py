#!/usr/bin/env python3
"""Every panel of every dashboard, asked of real parts: SQL of the ClickHouse engine with the daemon's schema and flows in
it, PromQL of a real Prometheus that scrapes the real daemon and the real GoFlow2. Each must answer with rows.

usage: panels.py --parts FOLDER --plan PROGRAM --monitor PROGRAM --exporter PROGRAM --simulator PROGRAM

The engine here has no /metrics: of the panels on ClickHouse's own metrics PromQL is parsed, and the names are looked up in
the engine's tables of events and metrics.
"""

import subprocess
import sys
import time

import dashboards
from parts import with_parts
from programs import Engine, GoFlow2, Kafka, ending, eventually
from cam_site import Daemon, Prometheus, Simulator

PREFIX = "185.54.82.0/24"
DAY = 86400
WEEK = 7 * DAY
INSERT = """INSERT INTO flows.raw (received, inserted, collector, type, sampler_address, sampling_rate, bytes, packets, src_addr,
    dst_addr, proto, src_port, dst_port, in_if, out_if, src_as, tcp_flags)
SELECT toDateTime64({start}, 3) + number * 6 AS received, toDateTime(received) + 2, 'kafka:flows/0', 'IPFIX',
    toIPv6('::ffff:10.0.0.1'), 1000, 1500, 3, toIPv6(concat('::ffff:8.8.', toString(number % 40), '.1')),
    toIPv6('::ffff:185.54.82.4'), if(number % 2, 17, 6), 53, 443, 1 + number % 3, 4, 64500 + number % 20, 2
FROM numbers(100)"""


def fill(engine, asked, kafka, now):
    """Ten minutes of flows now and a week ago, a country for each source, a message that is none."""
    from confluent_kafka import Producer
    subprocess.run([asked.plan, "--url", engine.url, "--database", "flows", "--brokers", kafka.brokers, "--topic",
                    "flows", "--prefix", PREFIX, "--prefix", "185.54.80.0/22"], check=True, timeout=120,
                   env={"CAM_CLICKHOUSE_PASSWORD": Engine.PASSWORD, "PATH": "/usr/bin:/bin"})
    engine.ask("INSERT INTO flows.country_networks VALUES ('8.8.0.0/16', 'US')")
    engine.ask("SYSTEM RELOAD DICTIONARY flows.countries")
    for start in (now - 600, now - 600 - WEEK):
        engine.ask(INSERT.format(start=start))
    sender = Producer({"bootstrap.servers": kafka.brokers})
    sender.produce("flows", b"\xff\xff\xff no protobuf")
    assert sender.flush(20) == 0
    eventually(lambda: engine.ask("SELECT count() FROM flows.kafka_errors") == "1", 60, "the error is kept")


def check_sql(engine, now):
    """The number of queries that were asked; AssertionError names those without rows."""
    empty, count = [], 0
    for query in dashboards.queries():
        if query.kind == "promql":
            continue
        count += 1
        rows = engine.rows(dashboards.sql(query.text, now - 3600, now + 60, 60, PREFIX))
        numbers = [value for row in rows for value in row.values() if isinstance(value, (int, float))]
        if not rows or (query.kind == "sql" and not any(numbers) and "value" in rows[0]):
            empty.append(query.where)
    assert not empty, f"no rows: {empty}"
    return count


def check_figures(engine, now):
    """One panel's figure by hand: 10 records a minute of 1500 bytes at 1 in 1000."""
    query = next(one for one in dashboards.queries() if one.where == "traffic.json: Bits per second by prefix")
    rows = engine.rows(dashboards.sql(query.text, now - 3600, now + 60, 60, PREFIX))
    total = sum(row["value"] for row in rows) * 60 / 8
    assert abs(total - 100 * 1500 * 1000) < 1, (total, rows[:2])
    assert {row["prefix"] for row in rows} == {PREFIX}


def known_to_engine(engine, name):
    """The engine here counts events; it has no asynchronous metrics."""
    kind, _, metric = name.partition("_")
    return kind == "ClickHouseProfileEvents" and \
        engine.ask(f"SELECT count() FROM system.events WHERE event = '{metric}'") == "1"


def check_promql(prometheus, engine):
    """(asked, only parsed)"""
    asked = parsed = 0
    for query in dashboards.queries():
        if query.kind != "promql":
            continue
        names = dashboards.metric_names(query.text)
        assert names, query
        if any(name.startswith("ClickHouse") for name in names):
            prometheus.ask(dashboards.promql(query.text))
            unknown = [name for name in names if not known_to_engine(engine, name)]
            assert not unknown or "AsyncMetrics" in unknown[0], unknown
            print(f"only parsed: {query.where}{f' (not known to the engine here: {unknown})' if unknown else ''}")
            parsed += 1
            continue
        asked += 1
        # A rate needs two scrapes.
        eventually(lambda query=query: prometheus.ask(dashboards.promql(query.text)), 20, f"a series for {query}")
    return asked, parsed


def send_flows(asked, port):
    for flow_format in ("v9", "v5"):
        subprocess.run([asked.exporter, "--to", f"127.0.0.1:{port}", "--format", flow_format, "--seconds", "1"],
                       check=True, timeout=30)


def play(asked, parts, folder):
    now = int(time.time())
    kafka, engine = Kafka(parts, folder / "kafka"), Engine(parts, folder / "engine")
    goflow2 = GoFlow2(parts, folder / "goflow2", kafka)
    simulator = Simulator(asked.simulator, folder / "simulator")
    judged = {"url": engine.url, "database": "judged", "password_file": "config/clickhouse-password"}
    daemon = Daemon(asked.monitor, folder / "daemon", simulator, secrets={"clickhouse-password": Engine.PASSWORD},
                    traffic={"store": "clickhouse", "clickhouse": judged})
    prometheus = Prometheus(folder / "prometheus", {"cloudflare-analytics-monitor": daemon.api_port,
                                                    "goflow2": goflow2.web})
    with ending(kafka, engine, goflow2, simulator, daemon, prometheus):
        for program in (kafka, engine, simulator, daemon):
            program.start()
        kafka.create("flows")
        fill(engine, asked, kafka, now)
        check_figures(engine, now)
        goflow2.start()
        daemon.api("POST", "/rules", {"name": "web", "prefixes": [PREFIX], "type": "threshold", "packet_threshold": 1})
        send_flows(asked, daemon.flow_port)
        send_flows(asked, goflow2.netflow)
        prometheus.start()
        print(f"{check_sql(engine, now)} SQL queries answer with rows", flush=True)
        eventually(lambda: prometheus.ask("rate(cam_flow_records_total[1m]) > 0 or cam_flow_records_total > 0"), 30, "flows")
        # A minute is judged when something came after it.
        trickle = subprocess.Popen([asked.exporter, "--to", f"127.0.0.1:{daemon.flow_port}", "--seconds", "150"])
        try:
            eventually(lambda: prometheus.ask("cam_clickhouse_read_seconds > 0"), 150, "a judged minute")
        finally:
            trickle.terminate()
            trickle.wait(10)
        count, parsed = check_promql(prometheus, engine)
        print(f"{count} PromQL queries answer with series, {parsed} on ClickHouse's own metrics are parsed")


if __name__ == "__main__":
    sys.exit(with_parts(play, ("plan", "monitor", "exporter", "simulator"), only=("kafka", "goflow2", "engine"),
                        programs=("prometheus",)))
