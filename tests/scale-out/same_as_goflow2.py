#!/usr/bin/env python3
"""The same captures of real exporters, and some made datagrams, go to the real GoFlow2 and to our decoder with our
producer; both write to a real Kafka. What lies in the topics, read by protobuf's own code from GoFlow2's own flow.proto,
must be the same, field by field, but for what is told below. Also: each of our Kafka messages is read to its last byte.

usage: same_as_goflow2.py --parts FOLDER --producer PROGRAM --captures FOLDER
"""

import json
import sys
from collections import Counter
from pathlib import Path

import flow_messages
import made_captures
from parts import with_parts
from programs import GoFlow2, Kafka, Program, ending, eventually

# In both, always. Times of receipt differ, as the collectors are two; of the flow's own times GoFlow2 keeps whole seconds
# of the datagram's header where the record has uptimes, and of a TTL only that of sFlow's sampled packet.
COMPARED = ("type", "sampler_address", "bytes", "packets", "src_addr", "dst_addr", "proto", "src_port", "dst_port",
            "in_if", "out_if", "src_as", "dst_as", "ip_tos", "tcp_flags", "icmp_type", "icmp_code", "etype",
            "src_net", "dst_net", "next_hop", "src_mac", "dst_mac", "vlan_id", "ipv6_flow_label",
            "observation_domain_id", "sampling_rate")
SFLOW = ("ip_ttl",)
UNKNOWN_INTERFACE = 0x3FFFFFFF
MOST_APART = 10e9  # nanoseconds, between a time of ours and of GoFlow2


class Producer(Program):
    def __init__(self, program, folder, kafka, topic, per_message):
        super().__init__(f"producer-{topic}", folder)
        self.program, self.kafka, self.topic, self.per_message = program, kafka, topic, per_message

    def start(self):
        self.spawn(self.program, "--brokers", self.kafka.brokers, "--topic", self.topic, "--records-per-message",
                   self.per_message)
        line = self.ready(lambda: next((one for one in self.tail().splitlines() if "listening" in one), None), 20)
        self.port = int(line.split()[-1])
        return self

    def counts(self):
        """After stop()."""
        return json.loads(self.tail().splitlines()[-1])


def of_goflow2(capture, folder, kafka, parts, message):
    """A GoFlow2 of its own for each capture: templates of one exporter do not meddle with the next one's."""
    topic = f"goflow2.{capture.stem}"
    collector = GoFlow2(parts, folder / topic, kafka, topic)
    with ending(collector):
        collector.start()
        flow_messages.send(flow_messages.udp_payloads(capture), port_of(collector, capture))
        settled = settled_count(kafka, topic)
        collector.stop()
    return [one for body in kafka.read(topic, settled) for one in flow_messages.messages(body, message)]


def port_of(collector, capture):
    return collector.sflow if "sflow" in capture.stem else collector.netflow


def settled_count(kafka, topic):
    """How many messages the topic holds when it grows no more."""
    seen = [None] * 5

    def grows_no_more():
        seen.append(kafka.messages(topic))
        return seen[-1] and len(set(seen[-5:])) == 1
    eventually(grows_no_more, 30, f"messages in {topic}")
    return seen[-1]


def of_ours(capture, folder, asked, kafka, message, per_message):
    topic = f"ours.{per_message}.{capture.stem}"
    producer = Producer(asked.producer, folder / topic, kafka, topic, per_message)
    with ending(producer):
        producer.start()
        flow_messages.send(flow_messages.udp_payloads(capture), producer.port)
        # It reads on until it has decoded all: its socket is empty before it looks at the signal again.
        assert producer.stop() == 0, producer.tail()
    counts = producer.counts()
    assert counts["added"] == counts["acknowledged"] > 0 == counts["kernel_drops"], counts
    bodies = kafka.read(topic, kafka.messages(topic))
    found = [one for body in bodies for one in flow_messages.messages(body, message)]
    assert len(found) == counts["acknowledged"], (len(found), counts)
    assert per_message > 1 or len(bodies) == len(found), "one record a message"
    return found


def seen_fields(message, fields):
    """sFlow's "interface unknown" is a number to GoFlow2, and to us no interface."""
    return tuple((name, 0 if name in ("in_if", "out_if") and value == UNKNOWN_INTERFACE else value)
                 for name, value in ((name, getattr(message, name)) for name in fields))


def told(one):
    return {name: value for name, value in one if value}


def check_times(capture, theirs, ours):
    """Start and end are written, and lie where GoFlow2's do."""
    for name in ("time_received_ns", "time_flow_start_ns", "time_flow_end_ns"):
        spans = [(min(values), max(values)) for values in
                 ([getattr(one, name) for one in some] for some in (theirs, ours))]
        apart = max(abs(left - right) for left, right in zip(*spans))
        assert apart < (60e9 if name == "time_received_ns" or "sflow" in capture.stem else MOST_APART), (name, spans)


def differences(capture, theirs, ours, fields):
    left, right = (Counter(seen_fields(one, fields) for one in some) for some in (theirs, ours))
    if left == right:
        return []
    only = [f"  only {who}: {told(one)} ×{count}" for who, some in (("GoFlow2", left - right), ("ours", right - left))
            for one, count in list(some.items())[:2]]
    return [f"{capture.name}: {len(theirs)} of GoFlow2, {len(ours)} of ours", *only]


def compare(capture, folder, asked, kafka, parts, message):
    theirs = of_goflow2(capture, folder, kafka, parts, message)
    found = []
    for per_message in (1, 100):
        ours = of_ours(capture, folder, asked, kafka, message, per_message)
        check_times(capture, theirs, ours)
        found += differences(capture, theirs, ours, COMPARED + (SFLOW if "sflow" in capture.stem else ()))
    return len(theirs), found


def play(asked, parts, folder):
    message = flow_messages.message_class(parts, folder)
    kafka = Kafka(parts, folder / "kafka")
    wrong, records = [], 0
    with ending(kafka):
        kafka.start()
        captures = sorted(Path(asked.captures).glob("*.pcap"))
        assert len(captures) >= 10, captures
        captures += made_captures.captures(folder)
        for capture in captures:
            count, found = compare(capture, folder, asked, kafka, parts, message)
            records += count
            wrong += found
    print("\n".join(wrong) or f"{len(captures)} captures, {records} records: the same in {len(COMPARED)} fields")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(with_parts(play, ("producer", "captures"), only=("kafka", "goflow2")))
