#!/usr/bin/env python3
"""What a collector in front of Kafka costs: the same load to GoFlow2 and to our decoder and producer, into a real Kafka.
Prints records received, records in Kafka and processor time for each. Not a test; docs/scale-out.md has its figures.

usage: measure.py --parts FOLDER --load PROGRAM --producer PROGRAM [--rate RECORDS_PER_SECOND] [--seconds N]
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from parts import obtain
from programs import GoFlow2, Kafka, ending, eventually
from same_as_goflow2 import Producer

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(program):
    fields = Path(f"/proc/{program.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def settled(kafka, topic):
    seen = [-1]

    def is_settled():
        time.sleep(1)
        seen.append(kafka.messages(topic))
        return seen[-1] and seen[-1] == seen[-2]
    eventually(is_settled, 120, topic)
    return seen[-1]


def measure(asked, kafka, name, collector, port, per_message):
    with ending(collector):
        kafka.create(collector.topic)
        collector.start()
        before = processor_seconds(collector)
        sent = json.loads(subprocess.run(
            [asked.load, "--to", f"127.0.0.1:{port()}", "--format", "v9", "--rate", str(asked.rate), "--seconds",
             str(asked.seconds)], check=True, capture_output=True, text=True, timeout=asked.seconds * 5 + 60).stdout)
        messages = settled(kafka, collector.topic)
        used = processor_seconds(collector) - before
        own = ""
        if isinstance(collector, Producer):
            collector.stop()
            own = collector.counts()
        records = own["acknowledged"] if own else messages * per_message
        print(f"{name}: sent {sent['records']} in {sent['seconds']:.1f} s; in Kafka {records} records, {messages} messages; "
              f"{used:.2f} s of processor, {records / used:,.0f} records per core second; {own}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("parts", "load", "producer"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=int, default=8)
    asked = parser.parse_args()
    parts = obtain(asked.parts, ("kafka", "goflow2"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kafka = Kafka(parts, folder / "kafka")
        with ending(kafka):
            kafka.start()
            goflow2 = GoFlow2(parts, folder / "goflow2", kafka, "goflow2")
            measure(asked, kafka, "GoFlow2", goflow2, lambda: goflow2.netflow, 1)
            for per_message in (1, 100):
                ours = Producer(asked.producer, folder / f"ours{per_message}", kafka, f"ours{per_message}", per_message)
                measure(asked, kafka, f"ours, {per_message} a message", ours, lambda ours=ours: ours.port, per_message)


if __name__ == "__main__":
    main()
