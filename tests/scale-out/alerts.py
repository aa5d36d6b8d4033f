#!/usr/bin/env python3
"""The whole chain to the alert, three ways at once, each with a daemon of its own that judges on ClickHouse:
GoFlow2 → Kafka → ClickHouse; our collector → ClickHouse; our collector → Kafka → ClickHouse. A minute and more of attack;
START and END each reach the (simulated) Telegram once, though the judge is killed, the engine restarted and then hung for
50 seconds while the alert is active; a second attack, whose minute ends while the engine hangs, is told as well; what is
stored is what was sent. At last the collectors are killed: what that loses is bounded. Prints how long after the minute's
end START was told.

usage: alerts.py --parts FOLDER --exporter PROGRAM --monitor PROGRAM --simulator PROGRAM
"""

import subprocess
import sys
import time

from cam_site import Daemon, Simulator
from parts import with_parts
from programs import Engine, GoFlow2, Kafka, ending, eventually

PREFIX = "185.54.82.0/24"
SECOND = "185.54.83.0/24"
ATTACK_SECONDS = 76
HUNG_SECONDS = 50  # longer than a consumer's session (10 s, 45 s by default)
SOURCES, PACKETS, SAMPLING, PACKET = 20, 10, 1000, 1000
THRESHOLD = SOURCES * PACKETS * SAMPLING // 2  # packets per second
MOST_SECONDS_LOST = 3  # of one kill: two seconds' records in memory, one's while nobody listens


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
        self.second_rule = f"second {self.rule}"

    def start(self):
        self.simulator.start()
        self.daemon.start()
        for name, prefix in ((self.rule, PREFIX), (self.second_rule, SECOND)):
            self.daemon.api("POST", "/rules", {"name": name, "prefixes": [prefix], "type": "threshold",
                                               "packet_threshold": THRESHOLD, "duration": 1})

    def plan_is_there(self):
        try:
            return self.engine.ask("SELECT count() FROM prefixes", self.name) == "2"
        except AssertionError:
            return False

    def send(self, seconds, destination="185.54.82.4", source="127.0.0.21", sources=SOURCES):
        """In the background. Templates and the sampling rate come once, with the first datagram."""
        self.sent += seconds * sources
        port = self.goflow2.netflow if self.goflow2 else self.daemon.flow_port
        return subprocess.Popen(
            [self.asked.exporter, "--to", f"127.0.0.1:{port}", "--from", source, "--format", "v9", "--sampling",
             str(SAMPLING), "--sources", str(sources), "--packet-bytes", str(PACKET), "--bits-per-second",
             str(PACKETS * PACKET * 8 * SAMPLING * sources), "--seconds", str(seconds), "--destination", destination,
             "--templates-every", "0"])

    def stored(self):
        return int(self.engine.ask("SELECT count() FROM raw", self.name))

    def starts(self, prefix):
        return [text for text in self.simulator.texts("*TRAFFIC ALERT*") if prefix in text]

    def ends(self, prefix):
        return [text for text in self.simulator.texts("*TRAFFIC ALERT ENDED*") if prefix in text]


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


def say_taken(begin, what, taken):
    say(begin, f"{what}: " + ", ".join(f"{name} {one:.1f} s" for name, one in taken.items()))


def attack(ways, begin):
    """The second attack fills the second minute, and begins before it."""
    minute = wait_for_minute(6)
    senders = [way.send(ATTACK_SECONDS) for way in ways]
    # Something to everybody all the time, so that the judges see the clock of the data go on.
    senders += [way.send(200, "185.54.80.9", "127.0.0.30", 1) for way in ways]
    time.sleep(max(0.0, minute + 58 - time.time()))
    senders += [way.send(64, "185.54.83.4", "127.0.0.23") for way in ways]
    time.sleep(max(0.0, minute + 60 - time.time()))
    taken = all_told(ways, lambda way: way.starts(PREFIX), 100, "START")
    say_taken(begin, "START told after the minute's end", taken)
    return minute, senders


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
        minute, senders = attack(ways, begin)
        judge_and_engine_restarted(ways[0].daemon, engine, begin)
        engine_hung(ways, engine, minute, begin)
        check_stored(ways, senders, begin)
        collectors_killed(ways[1:], begin)


def judge_and_engine_restarted(judge, engine, begin):
    """While the alert is active: the judge that does not collect is killed, the engine is restarted."""
    judge.kill()
    judge.start()
    ended = engine.stop(60)
    time.sleep(2)
    engine.start()
    say(begin, f"the judge was killed, the engine restarted (it ended with {ended})")


def engine_hung(ways, engine, minute, begin):
    """Over the end of the first attack and of the second one's minute."""
    assert time.time() < minute + 100, "too late to hang before the minute's end"
    time.sleep(max(0.0, minute + 88 - time.time()))
    assert not any(way.starts(SECOND) for way in ways)
    engine.pause()
    time.sleep(HUNG_SECONDS)
    assert not any(way.starts(SECOND) + way.ends(PREFIX) for way in ways)
    engine.go_on()
    for what, told in (("START of the second attack", lambda way: way.starts(SECOND)),
                       ("END", lambda way: way.ends(PREFIX))):
        say_taken(begin, f"the engine hung for {HUNG_SECONDS} s; {what} told", all_told(ways, told, 60, what))
    say_taken(begin, "END of the second attack told",
              all_told(ways, lambda way: way.ends(SECOND), 200, "END of the second attack"))


def check_stored(ways, senders, begin):
    assert [sender.wait(200) for sender in senders] == [0] * len(senders)
    for way in ways:
        eventually(lambda way=way: way.stored() >= way.sent, 90, f"all records of {way.name}")
    time.sleep(2)
    stored = {way.name: (way.stored(), way.sent) for way in ways}
    say(begin, f"stored and sent: {stored}")
    # An engine that hung has lost its place in the consumer group, as has one that did not end in order: what it had not
    # acknowledged is read again, a block each time.
    most_again = 2 * 2 * (2 * SOURCES + 1)
    for name, (one, other) in stored.items():
        assert other <= one <= other + (0 if name == "direct" else most_again), stored
    for way in ways:
        for prefix, rule in ((PREFIX, way.rule), (SECOND, way.second_rule)):
            assert (len(way.starts(prefix)), len(way.ends(prefix))) == (1, 1), (way.name, way.simulator.texts())
            assert rule in way.starts(prefix)[0]
        assert way.daemon.api("GET", "/alerts?active=true") == []


def collectors_killed(ways, begin):
    """Three times, while records come. Nothing is sent again, so nothing can count twice; what is lost is what was in
    memory (a second and a bit) and what came while nobody listened. Templates and rates are not sent again either."""
    before = {way.name: way.stored() for way in ways}
    senders = [way.send(24, "185.54.80.9", "127.0.0.24") for way in ways]
    for _ in range(3):
        time.sleep(5.5)
        for way in ways:
            way.daemon.kill()
            way.daemon.start()
    assert [sender.wait(60) for sender in senders] == [0] * len(senders)
    time.sleep(5)
    for way in ways:
        row, = way.engine.rows("SELECT count() AS stored, uniqExact(received, src_addr) AS different, "
                               "sum(total_packets) AS packets FROM raw "
                               "WHERE sampler_address = toIPv6('127.0.0.24')", way.name)
        stored, different, packets = (int(row[name]) for name in ("stored", "different", "packets"))
        say(begin, f"collector of {way.name} killed three times: {stored} of {24 * SOURCES} records stored")
        assert different == stored == way.stored() - before[way.name], "twice"
        assert packets == stored * PACKETS * SAMPLING, "templates and rates are kept"
        assert stored >= (24 - 3 * MOST_SECONDS_LOST) * SOURCES, row


if __name__ == "__main__":
    sys.exit(with_parts(play, ("exporter", "monitor", "simulator"), only=("kafka", "goflow2", "engine")))
