#!/usr/bin/env python3
"""The whole chain to the alert, three ways at once, each with a daemon of its own that judges on ClickHouse:
GoFlow2 → Kafka → ClickHouse; our collector → ClickHouse; our collector → Kafka → ClickHouse. A minute and more of attack;
START and END each reach the (simulated) Telegram once, though the engine is restarted and the daemons are killed while the
alert is active; what is stored is what was sent. Prints how long after the minute's end START was told.

usage: alerts.py --parts FOLDER --exporter PROGRAM --monitor PROGRAM --simulator PROGRAM
"""

import subprocess
import sys
import time

from cam_site import Daemon, Simulator
from parts import with_parts
from programs import Engine, GoFlow2, Kafka, ending, eventually

PREFIX = "185.54.82.0/24"
ATTACK_SECONDS = 76
SOURCES, PACKETS, SAMPLING, PACKET = 20, 10, 1000, 1000
THRESHOLD = SOURCES * PACKETS * SAMPLING // 2  # packets per second


class Way:
    """A judge, its database, and where its exporter sends to."""

    def __init__(self, name, asked, folder, engine, kafka, simulator_folder, flow, traffic, goflow2=None):
        self.name, self.asked, self.engine, self.goflow2 = name, asked, engine, goflow2
        self.simulator = Simulator(asked.simulator, simulator_folder)
        clickhouse = {"url": engine.url, "database": name, "password_file": "config/clickhouse-password",
                      **traffic.pop("clickhouse", {})}
        self.daemon = Daemon(asked.monitor, folder / name, self.simulator, flow=flow, name=name,
                             traffic={"store": "clickhouse", "clickhouse": clickhouse, **traffic},
                             secrets={"clickhouse-password": Engine.PASSWORD})
        self.sent = 0
        self.rule = f"rule of {name.replace('_', ' ')}"

    def start(self):
        self.simulator.start()
        self.daemon.start()
        self.daemon.api("POST", "/rules", {"name": self.rule, "prefixes": [PREFIX], "type": "threshold",
                                           "packet_threshold": THRESHOLD, "duration": 1})

    def plan_is_there(self):
        try:
            return self.engine.ask(f"SELECT count() FROM prefixes WHERE prefix = '{PREFIX}'", self.name) == "1"
        except AssertionError:
            return False

    def send(self, seconds, destination="185.54.82.4", source="127.0.0.21", sources=SOURCES):
        self.sent += seconds * sources
        port = self.goflow2.netflow if self.goflow2 else self.daemon.flow_port
        return subprocess.Popen(
            [self.asked.exporter, "--to", f"127.0.0.1:{port}", "--from", source, "--format", "v9", "--sampling",
             str(SAMPLING), "--sources", str(sources), "--packet-bytes", str(PACKET), "--bits-per-second",
             str(PACKETS * PACKET * 8 * SAMPLING * sources), "--seconds", str(seconds), "--destination", destination])

    def stored(self):
        return int(self.engine.ask("SELECT count() FROM raw", self.name))

    def starts(self):
        return self.simulator.texts("*TRAFFIC ALERT*")

    def ends(self):
        return self.simulator.texts("*TRAFFIC ALERT ENDED*")


def ways_of(asked, folder, engine, kafka, goflow2):
    own = {"brokers": kafka.brokers, "topic": "own"}
    source = {"consumers": 1}
    return [
        Way("by_goflow2", asked, folder, engine, kafka, folder / "s1", False,
            {"clickhouse": {"kafka": {"brokers": kafka.brokers, "topic": "flows", "group": "one", **source}}}, goflow2),
        Way("direct", asked, folder, engine, kafka, folder / "s2", True, {}),
        Way("by_kafka", asked, folder, engine, kafka, folder / "s3", True,
            {"kafka": own, "clickhouse": {"kafka": {**own, "group": "two", **source}}}),
    ]


def wait_for_minute(least):
    """The beginning of the next minute that is at least `least` seconds away."""
    begin = (int(time.time() + least) // 60 + 1) * 60
    time.sleep(begin - time.time())
    return begin


def say(begin, text):
    print(f"{time.monotonic() - begin:5.0f} s  {text}", flush=True)


def all_told(ways, told, seconds, what):
    """Seconds since the call until each way was told, by name."""
    begin, taken = time.monotonic(), {}

    def every():
        for way in ways:
            if way.name not in taken and told(way):
                taken[way.name] = time.monotonic() - begin
        return len(taken) == len(ways)
    try:
        eventually(every, seconds, what)
    except AssertionError:
        raise AssertionError(f"{what}: only {sorted(taken)} within {seconds} s") from None
    return taken


def attack(ways, begin):
    minute = wait_for_minute(6)
    senders = [way.send(ATTACK_SECONDS) for way in ways]
    # Something to everybody all the time, so that the judges see the clock of the data go on.
    senders += [way.send(200, "185.54.80.9", "127.0.0.30", 1) for way in ways]
    time.sleep(max(0.0, minute + 60 - time.time()))
    taken = all_told(ways, Way.starts, 100, "START")
    say(begin, "START told after the minute's end: " + ", ".join(f"{name} {one:.1f} s" for name, one in taken.items()))
    return senders


def play(asked, parts, folder):
    begin = time.monotonic()
    kafka, engine = Kafka(parts, folder / "kafka"), Engine(parts, folder / "engine")
    goflow2 = GoFlow2(parts, folder / "goflow2", kafka, "flows")
    ways = ways_of(asked, folder, engine, kafka, goflow2)
    programs = [kafka, engine, goflow2, *(one for way in ways for one in (way.simulator, way.daemon))]
    with ending(*programs):
        kafka.start()
        for topic in ("flows", "own"):
            kafka.create(topic)
        engine.start()
        goflow2.start()
        for way in ways:
            way.start()
        for way in ways:
            eventually(way.plan_is_there, 60, f"the plan of {way.name}")
        senders = attack(ways, begin)
        faults(ways, engine, senders, begin)


def faults(ways, engine, senders, begin):
    """While the alert is active: the judge that does not collect is killed, the engine is restarted."""
    judge = ways[0].daemon
    judge.kill()
    judge.start()
    ended = engine.stop(60)
    time.sleep(3)
    engine.start()
    say(begin, f"the judge was killed, the engine restarted (it ended with {ended})")
    taken = all_told(ways, Way.ends, 200, "END")
    say(begin, "END told: " + ", ".join(f"{name} {one:.0f} s" for name, one in taken.items()))
    assert [sender.wait(200) for sender in senders] == [0] * len(senders)
    for way in ways:
        eventually(lambda way=way: way.stored() >= way.sent, 90, f"all records of {way.name}")
    time.sleep(2)
    stored = {way.name: (way.stored(), way.sent) for way in ways}
    say(begin, f"stored and sent: {stored}")
    # An engine that did not end in order reads again from Kafka what it had not acknowledged: a second's records.
    most_again = 0 if ended == 0 else 2 * (SOURCES + 1)
    for name, (one, other) in stored.items():
        assert other <= one <= other + (0 if name == "direct" else most_again), stored
    for way in ways:
        assert (len(way.starts()), len(way.ends())) == (1, 1), (way.name, way.simulator.texts())
        assert way.daemon.api("GET", "/alerts?active=true") == []
        assert way.rule in way.starts()[0] and PREFIX in way.starts()[0]


if __name__ == "__main__":
    sys.exit(with_parts(play, ("exporter", "monitor", "simulator"), only=("kafka", "goflow2", "engine")))
