#!/usr/bin/env python3
"""Real exporters from Debian watch known traffic on a link of the test's own (two network namespaces, a veth pair);
what `decode` reads in their datagrams is compared record by record with tshark's reading, and its sums with what
was sent. Of exporters that sample, the rate and where it was told, and the estimate within what chance allows.

usage: exporters.py --monitor PROGRAM [--only NAME[,NAME]] [--keep FOLDER]

Needs root. Exits 77 (skipped) where namespaces are not allowed; an exporter that is not installed is named and left
out. --keep writes the captures into FOLDER. Everything happens on loopback and on the link.
"""

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import exporter_programs
import traffic
import tshark_records
from link import Link, end, run

HERE = Path(__file__).resolve().parent
SKIPPED = 77


def export(link, exporter, folder):
    """The capture of what the exporter sent about the known traffic."""
    capture = folder / f"{exporter.name}.pcap"
    with open(folder / f"{exporter.name}.log", "w") as log:
        collector = link.start(sys.executable, str(HERE / "collect.py"), str(exporter.port), str(capture), log=log)
        started = exporter.start(link, folder, log)
        time.sleep(exporter.settle)
        sent = int(link.inside(link.sender, sys.executable, str(HERE / "send.py"), "cam0"))
        time.sleep(exporter.linger)
        exporter.finish(link, folder)
        for process in reversed(started):
            end(process)
        time.sleep(0.5)
        end(collector)
    assert sent == sum(flow.packets for flow in traffic.flows())
    return capture


def decoded(monitor, capture):
    lines = run(monitor, "decode", str(capture)).splitlines()
    summary = json.loads(run(monitor, "decode", str(capture), "--summary"))
    return [json.loads(line) for line in lines], summary


def key(record):
    return (record["src_addr"], record["dst_addr"], record["protocol"], record["src_port"] or 0,
            record["dst_port"] or 0, record["packets"], record["bytes"])


def differences(ours, theirs):
    """Of two multisets of records, what each has alone."""
    ours, theirs = Counter(ours), Counter(theirs)
    return [f"ours only: {one}" for one in (ours - theirs)] + [f"theirs only: {one}" for one in (theirs - ours)]


def sums(records, frame_overhead):
    """By flow: packets and bytes, estimated. Ports only of TCP and UDP: the others put other things there."""
    out = {}
    for record in records:
        has_ports = record["protocol"] in (traffic.TCP, traffic.UDP)
        ports = (record["src_port"], record["dst_port"]) if has_ports else (0, 0)
        rate = record["sampling_rate"] or 1
        flow = (record["src_addr"], record["dst_addr"], record["protocol"], *ports)
        packets, size = out.get(flow, (0, 0))
        packets += record["packets"] * rate
        size += (record["bytes"] - frame_overhead * record["packets"]) * rate
        out[flow] = (packets, size)
    return out


def wrong_sums(sent, ours):
    return [f"{flow}: sent {sent.get(flow)}, decoded {ours.get(flow)}"
            for flow in sorted(set(sent) | set(ours), key=str) if sent.get(flow) != ours.get(flow)]


def wrong_rates(exporter, records):
    """The rate that the exporter was started with is in each record, and where it was read."""
    told = Counter((record["sampling_rate"], record["sampling_source"]) for record in records)
    wanted = (exporter.sampling, exporter.sampling_source)
    return [] if set(told) == {wanted} else [f"rates {dict(told)}, not {wanted} in all of them"]


def wrong_estimate(exporter, sent, ours):
    """No flow that was not sent, and all packets within six standard deviations of what one in n can miss."""
    found = [f"{flow} was not sent" for flow in sorted(set(ours) - set(sent), key=str)]
    packets, estimate = (sum(count for count, _ in side.values()) for side in (sent, ours))
    most = 6 * math.sqrt(packets * (exporter.sampling - 1))
    if abs(packets - estimate) > most:
        found.append(f"sent {packets} packets, estimated {estimate}: off by more than {most:.0f}")
    return found


def check(exporter, monitor, capture):
    """Everything that is wrong, a line each."""
    records, summary = decoded(monitor, capture)
    found = [f"{name} is {summary[name]}" for name in ("malformed", "sets_without_template") if summary[name]]
    if set(summary["by_version"]) - {exporter.version} and any(
            count for version, count in summary["by_version"].items() if version != exporter.version):
        found.append(f"other versions: {summary['by_version']}")
    theirs = tshark_records.read(capture, exporter.port)
    found += differences([key(record) for record in records], theirs)
    sent = traffic.totals(flow for flow in traffic.flows() if exporter.sees(flow))
    if exporter.both_directions:
        records = [record for record in records if record["direction"] == 0]
    ours = sums(records, exporter.frame_overhead)
    found += wrong_rates(exporter, records) if exporter.sampling > 1 else []
    found += wrong_estimate(exporter, sent, ours) if exporter.sampling > 1 else wrong_sums(sent, ours)
    print(f"{exporter.name}: datagrams={summary['datagrams']} records={len(records)} compared={len(theirs)} "
          f"packets={sum(p for p, _ in ours.values())} differences={len(found)}", flush=True)
    return found


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    return parser.parse_args()


def chosen(only):
    for exporter in exporter_programs.all_of_them():
        if only and exporter.name not in only.split(","):
            continue
        if missing := [name for name in exporter.needs if not shutil.which(name)]:
            print(f"{exporter.name}: LEFT OUT, not installed: {', '.join(missing)}", flush=True)
            continue
        yield exporter


def main():
    asked = arguments()
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("tshark"):
        print("SKIPPED: needs root, ip (iproute2) and tshark")
        return SKIPPED
    failed = 0
    link = Link()
    try:
        link.__enter__()
    except RuntimeError as why:
        link.__exit__()
        print(f"SKIPPED: no network namespaces here: {why}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        try:
            for exporter in chosen(asked.only):
                capture = export(link, exporter, Path(folder))
                if asked.keep:
                    shutil.copy(capture, asked.keep / capture.name)
                found = check(exporter, asked.monitor, capture)
                for line in found[:20]:
                    print(f"  {line}")
                if found:
                    failed += 1
                    print((Path(folder) / f"{exporter.name}.log").read_text()[-2000:])
        finally:
            link.__exit__()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
