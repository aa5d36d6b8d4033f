#!/usr/bin/env python3
"""The same job in Python: an answer of Cloudflare's is parsed, filtered, claimed in SQLite and made into a message.

Two ways. "original" opens a connection and selects for each event, reads the preference file for each event, and opens
a connection, inserts and commits for each new event, in SQLite's default journal mode: the access pattern that the
Python monitor is known for. "batched" is what a careful author would do in Python: one connection in WAL mode with
synchronous=FULL, one transaction, the preferences read once. Places and networks of the sources are not looked up
(there is no reader for GeoIP databases in the standard library), which favours Python.

Prints one JSON object per run: wall and CPU seconds by stage.
"""
import argparse
import collections
import hashlib
import ipaddress
import json
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
import time

COLUMNS = [
    "event_hash", "attack_id", "event_datetime", "attack_vector", "rule_name", "rule_id", "source_ip", "source_port",
    "destination_ip", "destination_port", "protocol", "tcp_flags", "colo_code", "colo_country", "packets", "bits",
    "outcome", "mitigation_reason", "raw_data", "source_asn", "source_asn_name", "source_country"]
INSERT = (f"INSERT INTO network_analytics_events ({', '.join(COLUMNS)}) "
          f"VALUES ({', '.join('?' * len(COLUMNS))})")
SELECT = "SELECT 1 FROM network_analytics_events WHERE event_hash = ?"
MINE = [ipaddress.ip_network("185.54.80.0/22"), ipaddress.ip_network("2a02:4460::/32")]
ANYCAST = [ipaddress.ip_network(text) for text in ("162.159.0.0/16", "172.64.0.0/13", "104.16.0.0/13")]


def make_database(path, wal):
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(
        "CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_hash TEXT UNIQUE NOT NULL, "
        "attack_id TEXT, event_datetime DATETIME, attack_vector TEXT, rule_name TEXT, rule_id TEXT, source_ip TEXT, "
        "source_port INTEGER, destination_ip TEXT, destination_port INTEGER, protocol TEXT, tcp_flags TEXT, "
        "colo_code TEXT, colo_country TEXT, packets INTEGER, bits INTEGER, outcome TEXT, mitigation_reason TEXT, "
        "notified_at DATETIME DEFAULT CURRENT_TIMESTAMP, raw_data JSON, source_asn INTEGER, source_asn_name TEXT, "
        "source_country TEXT)")
    for column in ("attack_id", "event_datetime", "source_ip"):
        connection.execute(f"CREATE INDEX idx_{column} ON network_analytics_events({column})")
    connection.commit()
    connection.close()


def rows_of(body):
    return json.loads(body)["data"]["viewer"]["accounts"][0]["dosdNetworkAnalyticsAdaptiveGroups"]


def identity(row):
    d = row["dimensions"]
    parts = (d.get(name) for name in
             ("datetime", "attackId", "ipSourceAddress", "ipDestinationAddress", "destinationPort"))
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:32]


def record(row):
    d, total = row["dimensions"], row["sum"]
    return (identity(row), d.get("attackId"), d.get("datetime"), d.get("attackVector"), d.get("ruleName"),
            d.get("ruleId"), d.get("ipSourceAddress"), d.get("sourcePort"), d.get("ipDestinationAddress"),
            d.get("destinationPort"), d.get("ipProtocolName"), d.get("tcpFlagsString"), d.get("coloCode"),
            d.get("coloCountry"), total.get("packets"), total.get("bits"), d.get("outcome"),
            d.get("mitigationReason"), json.dumps(row), d.get("sourceAsn"), d.get("sourceAsnName"),
            d.get("sourceCountry"))


def watched(preferences):
    with open(preferences, encoding="utf-8") as file:
        return MINE if json.load(file).get("my_prefixes_only", True) else MINE + ANYCAST


def is_ours(row, networks):
    try:
        address = ipaddress.ip_address(row["dimensions"].get("ipDestinationAddress", ""))
    except ValueError:
        return False
    return any(address in network for network in networks) and row["sum"].get("packets", 0) >= 1


class Original:
    wal = False

    @staticmethod
    def sift(rows, preferences):
        return [row for row in rows if is_ours(row, watched(preferences))]

    @staticmethod
    def claim(rows, database):
        fresh = []
        for row in rows:
            connection = sqlite3.connect(database)
            known = connection.execute(SELECT, (identity(row),)).fetchone()
            connection.close()
            if known:
                continue
            connection = sqlite3.connect(database)
            connection.execute(INSERT, record(row))
            connection.commit()
            connection.close()
            fresh.append(row)
        return fresh


class Batched:
    wal = True

    @staticmethod
    def sift(rows, preferences):
        networks = watched(preferences)
        return [row for row in rows if is_ours(row, networks)]

    @staticmethod
    def claim(rows, database):
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA synchronous=FULL")
        fresh = [row for row in rows if not connection.execute(SELECT, (identity(row),)).fetchone()]
        with connection:
            connection.executemany(INSERT, (record(row) for row in fresh))
        connection.close()
        return fresh


def is_spoofed(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_private or address.is_reserved or address.is_loopback or address.is_link_local


def messages(rows):
    """One text for each attack, or for each event of an attack of up to three."""
    attacks = collections.defaultdict(list)
    for row in rows:
        attacks[row["dimensions"].get("attackId")].append(row)
    texts = []
    for attack in attacks.values():
        for group in [attack] if len(attack) > 3 else [[row] for row in attack]:
            packets = sum(row["sum"]["packets"] for row in group)
            bits = sum(row["sum"]["bits"] for row in group)
            by_source, edges = collections.Counter(), collections.Counter()
            for row in group:
                by_source[row["dimensions"]["ipSourceAddress"]] += row["sum"]["packets"]
                edges[f"{row['dimensions']['coloCode']} ({row['dimensions']['coloCountry']})"] += row["sum"]["packets"]
            spoofed = sum(is_spoofed(source) for source in by_source)
            times = sorted(row["dimensions"]["datetime"] for row in group)
            vectors = sorted({row["dimensions"]["attackVector"] for row in group})
            texts.append("\n".join(
                [f"*Events:* {len(group):,}", f"*Unique Sources:* {len(by_source):,}", f"*Spoofed:* {spoofed:,}",
                 f"*From:* {times[0]}", f"*To:* {times[-1]}", *vectors, f"*Packets:* {packets:,}", f"*Data:* {bits:,}",
                 *(f"`{source}` {count:,}" for source, count in by_source.most_common(3)),
                 ", ".join(edge for edge, _ in edges.most_common(5))]))
    return texts


class Laps:
    def __init__(self):
        self.wall, self.cpu = {}, {}
        self._at = self._begin = (time.perf_counter(), time.process_time())

    def note(self, name, since=None):
        now = (time.perf_counter(), time.process_time())
        since = since or self._at
        self.wall[name], self.cpu[name] = now[0] - since[0], now[1] - since[1]
        self._at = now

    def total(self):
        self.note("total", self._begin)


def run(body, way, folder):
    database, preferences = os.path.join(folder, "reference.db"), os.path.join(folder, "dashboard_prefs.json")
    make_database(database, way.wal)
    with open(preferences, "w", encoding="utf-8") as file:
        json.dump({"my_prefixes_only": True}, file)
    laps = Laps()
    rows = rows_of(body)
    laps.note("parse")
    ours = way.sift(rows, preferences)
    laps.note("filter")
    fresh = way.claim(ours, database)
    laps.note("claim")
    texts = messages(fresh)
    laps.note("compose")
    laps.total()
    assert len(fresh) == len(rows) and texts, "events were lost"
    return {"rows": len(rows), "wall": laps.wall, "cpu": laps.cpu,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("answer", help="file with Cloudflare's answer")
    parser.add_argument("--way", choices=("original", "batched"), default="original")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the database is made")
    asked = parser.parse_args()
    with open(asked.answer, encoding="utf-8") as file:
        body = file.read()
    folder = tempfile.mkdtemp(prefix="cam-reference-", dir=asked.folder)
    try:
        json.dump(run(body, {"original": Original, "batched": Batched}[asked.way], folder), sys.stdout)
        print()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
