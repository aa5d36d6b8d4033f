#!/usr/bin/env python3
"""Generator → GoFlow2 → Kafka → ClickHouse engine, and generator → our decoder and producer → Kafka → ClickHouse engine,
with real parts, by counts: what was sent is what is stored, over restarts of each part, and over kill -9 of the engine.

usage: chain.py --parts FOLDER --exporter PROGRAM --plan PROGRAM --producer PROGRAM

GoFlow2 gives up a message after three tries within a second (it has no setting for more), so what it received while its
only broker was away is lost in GoFlow2; the test shows that nothing is lost behind it, and that our producer loses
nothing. An engine that is killed reads again from Kafka what it had stored and not yet acknowledged (at least once): the
test makes that happen and shows that it is one block.
"""

import subprocess
import sys
import time

from parts import with_parts
from programs import Engine, GoFlow2, Kafka, ending, eventually
from same_as_goflow2 import Producer

GROUP = "cloudflare-analytics-monitor"
PREFIX = "185.54.82.0/24"
WIDE = "185.54.80.0/22"
PACKET = 1000     # bytes
SAMPLING = 1000
PACKETS = 5       # of one flow, as observed
SOURCES = 50      # flows a second
MOST_AGAIN = 2 * SOURCES  # a block: what a consumer reads within a second, which may touch two of the exporter's


class Chain:
    """One way into one database."""

    def __init__(self, asked, kafka, engine, collector, database):
        self.asked, self.kafka, self.engine, self.collector = asked, kafka, engine, collector
        self.database = database
        self.sent = 0     # flow records
        self.packets = 0  # estimated

    def prepare(self):
        subprocess.run([self.asked.plan, "--url", self.engine.url, "--database", self.database, "--brokers",
                        self.kafka.brokers, "--topic", self.collector.topic, "--prefix", PREFIX, "--prefix", WIDE,
                        "--router", "127.0.0.22=500"], check=True, timeout=120,
                       env={"CAM_CLICKHOUSE_PASSWORD": Engine.PASSWORD, "PATH": "/usr/bin:/bin"})

    def port(self, flow_format):
        if isinstance(self.collector, Producer):
            return self.collector.port
        return self.collector.sflow if flow_format == "sflow5" else self.collector.netflow

    def send(self, seconds, flow_format="v9", source="127.0.0.21"):
        """In the background; counted as sent. Of sFlow each sampled packet is a record."""
        self.packets += seconds * SOURCES * PACKETS * self.rate(flow_format)
        self.sent += seconds * SOURCES * (PACKETS if flow_format == "sflow5" else 1)
        return subprocess.Popen(
            [self.asked.exporter, "--to", f"127.0.0.1:{self.port(flow_format)}", "--from", source, "--format",
             flow_format, "--sampling", str(SAMPLING), "--sources", str(SOURCES), "--packet-bytes", str(PACKET),
             "--bits-per-second", str(PACKETS * PACKET * 8 * SAMPLING * SOURCES), "--seconds", str(seconds)])

    def rate(self, flow_format):
        """The exporter tells IPFIX's rate as RFC 5477 has it: 1 packet taken, 999 left out. GoFlow2 reads only the 1."""
        return 1 if flow_format == "ipfix" and isinstance(self.collector, GoFlow2) else SAMPLING

    def stored(self):
        return int(self.engine.ask("SELECT count() FROM raw", self.database))

    def wait_for(self, expected, seconds=60):
        seen = []

        def is_there():
            seen.append(self.stored())
            return seen[-1] >= expected
        try:
            eventually(is_there, seconds, "")
        except AssertionError:
            raise AssertionError(f"{self.database}: {seen[-1]} of {expected} records are stored") from None
        time.sleep(2)  # one too many would come now
        assert self.stored() == expected, f"{self.database}: {self.stored()} records, expected {expected}"

    def totals(self):
        """Per prefix: estimated bytes, packets and the records that went into them."""
        return {row["prefix"]: (int(row["bytes"]), int(row["packets"]), int(row["records"])) for row in self.engine.rows(
            "SELECT if(prefix_id = 0, 'all', dictGet('prefix_names', 'prefix', prefix_id)) AS prefix, "
            "sum(bytes) AS bytes, sum(packets) AS packets, sum(records) AS records "
            "FROM prefix_minutes GROUP BY prefix_id", self.database)}


def check_totals(chain, expected, packets=None):
    """In each prefix that covers the target, and over all: the sums, sampling applied once."""
    packets = packets or chain.packets
    for prefix in (PREFIX, WIDE, "all"):
        assert chain.totals()[prefix] == (packets * PACKET, packets, expected), (prefix, chain.totals(), expected)
    assert chain.engine.ask("SELECT count() FROM kafka_errors", chain.database) == "0"


def all_formats(chain):
    for flow_format in ("v5", "v9", "ipfix", "sflow5"):
        sender = chain.send(2, flow_format)
        assert sender.wait(30) == 0
    chain.wait_for(chain.sent)


def latency(chain):
    """Seconds from a datagram to its record in the minutes."""
    before = chain.stored()
    sender = chain.send(1)
    begin = time.monotonic()
    eventually(lambda: int(chain.engine.ask("SELECT sum(records) FROM prefix_minutes WHERE prefix_id = 0",
                                            chain.database)) >= before + SOURCES, 30, "the record")
    taken = time.monotonic() - begin
    sender.wait(30)
    return taken


def engine_restarted(chains, engine):
    """The group's old member may have to time out first (45 s) before the new one reads on."""
    senders = [chain.send(8) for chain in chains]
    time.sleep(2)
    assert engine.stop() == 0
    time.sleep(2)
    engine.start()
    assert [sender.wait(30) for sender in senders] == [0] * len(chains)
    for chain in chains:
        chain.wait_for(chain.sent, 90)


def collector_killed(chain):
    """What it has handed to Kafka is safe; UDP that nobody receives is lost, and none is sent here."""
    chain.collector.kill()
    chain.collector.start()
    assert chain.send(3).wait(30) == 0
    chain.wait_for(chain.sent)


class Watched:
    """What is stored of one exporter's records, by a source address of its own."""

    def __init__(self, chain, source, seconds):
        self.chain, self.source, self.sent = chain, source, seconds * SOURCES
        self.minutes = self.in_minutes()
        self.sender = chain.send(seconds, source=source)

    def send_more(self, seconds):
        assert self.sender.wait(40) == 0
        self.sent += seconds * SOURCES
        self.sender = self.chain.send(seconds, source=self.source)

    def in_minutes(self):
        return int(self.chain.engine.ask("SELECT sum(records) FROM prefix_minutes WHERE prefix_id = 0",
                                         self.chain.database))

    def stored(self):
        """Different records, and all rows."""
        row, = self.chain.engine.rows("SELECT uniqExact(received, src_addr) AS different, count() AS stored FROM raw "
                                      f"WHERE sampler_address = toIPv6('{self.source}')", self.chain.database)
        return int(row["different"]), int(row["stored"])

    def is_counted(self):
        return self.stored()[1] >= self.sent and self.in_minutes() >= self.minutes + self.sent

    def counted_again(self, expected=None):
        """When all is there and acknowledged: how many rows of `raw`, and records of the minutes, are more than what was
        sent."""
        expected = self.sent if expected is None else expected
        assert self.sender.wait(40) == 0
        chain, seen = self.chain, []

        def is_there():
            seen.append(self.stored()[0])
            return seen[-1] >= expected and chain.kafka.is_acknowledged(chain.collector.topic, GROUP)
        try:
            eventually(is_there, 90, "")
        except AssertionError:
            raise AssertionError(f"{chain.database}: {seen[-1]} of {expected} from {self.source}, or more than was "
                                 "acknowledged") from None
        different, stored = self.stored()
        assert different == expected, (chain.database, different, expected)
        return stored - expected, self.in_minutes() - self.minutes - expected


def check_again(again, most):
    """Rows, and records in the minutes, that were counted twice, way by way."""
    for rows, minutes in again:
        assert 0 <= rows <= most and 0 <= minutes <= most, (again, most)
    return " and ".join(f"{rows} rows ({minutes} in minutes)" for rows, minutes in again)


def settled_messages(kafka, topic):
    seen = [-1] * 6

    def is_settled():
        seen.append(kafka.messages(topic))
        return seen[-1] is not None and len(set(seen[-6:])) == 1
    eventually(is_settled, 60, f"{topic} grows no more")
    return seen[-1]


def kafka_restarted(theirs, ours, kafka, begin):
    """Killed and back: our producer keeps all, GoFlow2 gives up. A block that the engine had read and could not
    acknowledge is read again."""
    before = settled_messages(kafka, "flows")
    watched = [Watched(chain, "127.0.0.40", 12) for chain in (theirs, ours)]
    time.sleep(2)
    kafka.kill()
    time.sleep(2)
    kafka.start()
    assert [one.sender.wait(40) for one in watched] == [0, 0]
    kept = settled_messages(kafka, "flows") - before
    assert kept <= watched[0].sent
    again = check_again([watched[0].counted_again(kept), watched[1].counted_again()], MOST_AGAIN)
    say(begin, f"Kafka restarted: ours {watched[1].sent} of {watched[1].sent}; GoFlow2 gave up {watched[0].sent - kept}, "
        f"of the {kept} in Kafka none is missing; counted twice: {again}")


def broken_message(chain, kafka):
    """A message that is none is kept aside, and the next ones come through."""
    from confluent_kafka import Producer as Sender
    sender = Sender({"bootstrap.servers": kafka.brokers})
    sender.produce(chain.collector.topic, b"\xff\xff\xff no protobuf")
    assert sender.flush(20) == 0
    eventually(lambda: chain.engine.ask("SELECT count() FROM kafka_errors", chain.database) == "1", 30, "the error")
    assert Watched(chain, "127.0.0.43", 1).counted_again() == (0, 0)


def engine_killed(chains, engine, begin):
    """In the middle of its reading, wherever it was in it."""
    watched = [Watched(chain, "127.0.0.41", 5) for chain in chains]
    time.sleep(2.5)
    engine.kill()
    engine.start()
    again = check_again([one.counted_again() for one in watched], MOST_AGAIN)
    say(begin, f"engine killed: none lost; counted twice: {again}")


def read_from_kafka(chain):
    """Messages that the engine took since it began."""
    return int(chain.engine.ask("SELECT sum(num_messages_read) FROM system.kafka_consumers "
                                f"WHERE database = '{chain.database}'"))


def engine_killed_unacknowledged(chain, source, engine, kafka, begin):
    """Kafka is killed when the engine has read the records: they are written and counted, and cannot be acknowledged. More
    come before they are read again: a block that is cut as before would be known by its contents."""
    before, there = read_from_kafka(chain), kafka.messages(chain.collector.topic)
    watched = Watched(chain, source, 1)
    eventually(lambda: read_from_kafka(chain) >= before + SOURCES, 30, "the records read", every=0.01)
    kafka.kill()
    eventually(watched.is_counted, 20, "the records written")
    engine.kill()
    kafka.start()
    watched.send_more(1)
    eventually(lambda: kafka.messages(chain.collector.topic) == there + watched.sent, 60, "all records in Kafka")
    engine.start()
    again = watched.counted_again()
    say(begin, f"engine killed before it could acknowledge: none lost; counted twice: {check_again([again], SOURCES)}")
    return again


def play(asked, parts, folder):
    kafka, engine = Kafka(parts, folder / "kafka"), Engine(parts, folder / "engine")
    goflow2 = GoFlow2(parts, folder / "goflow2", kafka, "flows")
    producer = Producer(asked.producer, folder / "producer", kafka, "own", 1)
    begin = time.monotonic()
    with ending(kafka, engine, goflow2, producer):
        for program in (kafka, engine):
            program.start()
        theirs, ours = Chain(asked, kafka, engine, goflow2, "by_goflow2"), Chain(asked, kafka, engine, producer, "by_us")
        chains = (theirs, ours)
        for chain in chains:
            kafka.create(chain.collector.topic)
            chain.prepare()
            chain.collector.start()
        for chain in chains:
            all_formats(chain)
            check_totals(chain, chain.sent)
            say(begin, f"{chain.database}: {chain.sent} records sent and stored; latency {latency(chain):.1f} s")
        engine_restarted(chains, engine)
        for chain in chains:
            check_totals(chain, chain.sent)
        say(begin, f"engine restarted: {theirs.sent} and {ours.sent} records, none lost, none twice")
        collector_killed(theirs)
        check_totals(theirs, theirs.sent)
        say(begin, f"GoFlow2 killed: {theirs.sent} records, none of those that it received is missing")
        kafka_restarted(theirs, ours, kafka, begin)
        broken_message(theirs, kafka)
        say(begin, "a message that is no FlowMessage is kept aside, the next ones come through")
        engine_killed(chains, engine, begin)
        # The block may have been acknowledged just before Kafka died.
        assert any(min(engine_killed_unacknowledged(ours, source, engine, kafka, begin)) > 0
                   for source in ("127.0.0.44", "127.0.0.45", "127.0.0.46")), "a block counts twice"
        assert producer.stop() == 0 and producer.counts()["dropped"] == producer.counts()["failed"] == 0


def say(begin, text):
    print(f"{time.monotonic() - begin:5.0f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(with_parts(play, ("exporter", "plan", "producer")))
