#!/usr/bin/env python3
"""The tables of a cluster on a real engine with a real ZooKeeper: Replicated tables, Distributed ones over them, views on
the shard, deduplication tokens in ZooKeeper. What is counted is what one server without a cluster counts; a batch under
one token counts once, over kill -9 of the engine too; a collector loses nothing while ZooKeeper is away.

usage: cluster.py --parts FOLDER --exporter PROGRAM --plan PROGRAM --monitor PROGRAM --simulator PROGRAM

What the engine (chDB) lacks: the statements run with ON CLUSTER taken out, and a second replica could fetch nothing.
"""

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from alerts import Way, say
from parts import Unavailable, obtain, skipped
from programs import Engine, ZooKeeper, ending, eventually

PREFIXES = ("185.54.82.0/24", "185.54.80.0/22")
ROWS = 1000
YESTERDAY = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))  # no table's TTL is over
# As the daemon sends a batch.
SETTINGS = {"deduplicate_blocks_in_dependent_materialized_views": 1, "insert_deduplicate": 1, "async_insert": 0,
            "distributed_foreground_insert": 1, "max_insert_block_size": 1_048_576, "min_insert_block_size_bytes": 0,
            "min_insert_block_size_rows": 1_048_576, "optimize_on_insert": 0}
TABLES = {
    "raw": "SELECT * EXCEPT inserted, rate, rate_source, total_bytes, total_packets, traffic_class FROM raw",
    "prefix_minutes": "SELECT minute, prefix_id, traffic_class, sum(bytes), sum(packets), sum(flows), sum(records) "
                      "FROM prefix_minutes GROUP BY ALL",
    "collector_minutes": "SELECT minute, collector, sampler_address, sum(records), max(newest), min(oldest) "
                         "FROM collector_minutes GROUP BY ALL",
    "source_minutes": "SELECT minute, source_network, src_as, src_country, sum(bytes), sum(packets), sum(flows) "
                      "FROM source_minutes GROUP BY ALL",
    "interface_minutes": "SELECT minute, sampler_address, direction, interface, sum(bytes), sum(packets), sum(flows) "
                         "FROM interface_minutes GROUP BY ALL",
    "prefix_days": "SELECT day, prefix_id, traffic_class, quarter, sum(bytes), sum(packets), sum(flows) "
                   "FROM prefix_days GROUP BY ALL",
    "prefix_traffic": "SELECT * FROM prefix_traffic",
    "prefixes": "SELECT * FROM prefixes",
}


def config_of(folder, zookeeper):
    """A server's config.xml. Paths by name: without ON CLUSTER the engine takes no {uuid}, which is a server's default."""
    file = folder / "config.xml"
    file.write_text(f"""<clickhouse>
    <zookeeper>
        <node><host>127.0.0.1</host><port>{zookeeper.port}</port></node>
        <session_timeout_ms>3000</session_timeout_ms>
    </zookeeper>
    <macros><shard>one</shard><replica>a</replica></macros>
    <remote_servers><main><shard>
        <internal_replication>true</internal_replication>
        <replica><host>127.0.0.1</host><port>9000</port></replica>
    </shard></main></remote_servers>
    <tcp_port>9000</tcp_port>
    <default_replica_path>/clickhouse/tables/{{database}}/{{table}}/{{shard}}</default_replica_path>
    <default_replica_name>{{replica}}</default_replica_name>
</clickhouse>
""")
    return file


def prepare(asked, engine, database, *cluster):
    prefixes = [word for prefix in PREFIXES for word in ("--prefix", prefix)]
    subprocess.run([asked.plan, "--url", engine.url, "--database", database, "--router", "192.0.2.1=500", *prefixes,
                    *cluster], check=True, timeout=120,
                   env={"CAM_CLICKHOUSE_PASSWORD": Engine.PASSWORD, "PATH": "/usr/bin:/bin"})


def insert(engine, database, batch):
    """Rows that differ from batch to batch, the batch's number as token."""
    engine.ask(f"""INSERT INTO raw (received, collector, type, sampler_address, sampling_rate, sampling_source, bytes,
        packets, src_addr, dst_addr, proto, tcp_flags, src_port, dst_port, in_if, out_if, src_as) SELECT
        toDateTime64('{YESTERDAY} 10:00:00', 3, 'UTC') + {batch} * 60 + number / 20, concat('c/', toString(number % 3)),
        'NETFLOW_V9', toIPv6('192.0.2.1'), if(number % 2, 0, 100), if(number % 2, 'none', 'record'), 60 + number,
        1 + number % 5, toIPv6(concat('198.51.', toString(number % 200), '.7')),
        toIPv6(concat('185.54.', toString(80 + number % 6), '.', toString(number % 250))),
        [6, 17, 1, 47, 50][1 + number % 5], number % 64, number, 443, 1 + number % 2, 3, 64496 + number % 9
        FROM numbers({ROWS})""", database, insert_deduplication_token=f"batch-{batch}", **SETTINGS)


def contents(engine, database):
    return {table: engine.ask(f"{query} ORDER BY ALL", database) for table, query in TABLES.items()}


def check_same(engine, batches):
    one, many = contents(engine, "one"), contents(engine, "many")
    assert len(one["raw"].splitlines()) == batches * ROWS, len(one["raw"].splitlines())
    different = [table for table in TABLES if one[table] != many[table]]
    assert not different, [(table, one[table][:600], many[table][:600]) for table in different]


def is_writable(engine):
    return engine.ask("SELECT count() > 0 AND max(is_readonly) = 0 FROM system.replicas") == "1"


def engine_killed(engine, begin):
    engine.kill()
    engine.start()
    eventually(lambda: is_writable(engine), 60, "replicas active again")
    for batch in (0, 1, 2):
        for database in ("one", "many"):
            insert(engine, database, batch)
    check_same(engine, 3)
    say(begin, "the engine was killed: batches that are sent again count once, new ones count")


def zookeeper_away(asked, folder, engine, zookeeper, begin):
    """The daemon, its own collector, and tables of a cluster."""
    way = Way("daily", asked, folder, engine, None, folder / "simulator", True, {"clickhouse": {"cluster": "main"}})
    with ending(way.simulator, way.daemon):
        way.start()
        eventually(way.plan_is_there, 60, "the plan")
        sender = way.send(14)
        time.sleep(4)
        zookeeper.kill()
        time.sleep(5)
        zookeeper.start()
        assert sender.wait(60) == 0
        eventually(lambda: way.stored() >= way.sent, 90, "all records")
        time.sleep(2)
        counted = way.engine.ask("SELECT sum(records) FROM prefix_minutes WHERE prefix_id = 0", way.name)
        assert way.stored() == int(counted) == way.sent, (way.stored(), counted, way.sent)
        say(begin, f"ZooKeeper was away: the collector's {way.sent} records are there, none twice")


def play(asked, parts, folder):
    begin = time.monotonic()
    zookeeper = ZooKeeper(folder / "zookeeper")
    engine = Engine(parts, folder / "engine", config_of(folder, zookeeper), ["--replicas"])
    with ending(zookeeper, engine):
        zookeeper.start()
        engine.start()
        prepare(asked, engine, "one")
        prepare(asked, engine, "many", "--cluster", "main")
        assert int(engine.ask("SELECT countIf(engine LIKE 'Replicated%') FROM system.tables WHERE database = 'many'")) == 13
        eventually(lambda: is_writable(engine), 60, "replicas active")
        for batch in (0, 0, 1, 0):
            for database in ("one", "many"):
                insert(engine, database, batch)
        check_same(engine, 2)
        say(begin, f"a cluster's tables hold what one server's hold, in {len(TABLES)} tables; a batch sent thrice counts once")
        engine_killed(engine, begin)
        zookeeper_away(asked, folder, engine, zookeeper, begin)


def main():
    parser = argparse.ArgumentParser()
    for name in ("parts", "exporter", "plan", "monitor", "simulator"):
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    try:
        if platform.machine() != "x86_64":
            raise Unavailable(f"chdb_front.mjs --replicas knows the engine's build for x86_64 only, this is {platform.machine()}")
        parts = obtain(asked.parts, ("engine",))
        if not ZooKeeper.JAR.exists():
            raise Unavailable("not installed: zookeeper")
    except Unavailable as why:
        return skipped(why)
    with tempfile.TemporaryDirectory() as folder:
        play(asked, parts, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
