#!/usr/bin/env python3
"""Runs the daemon under a load of flow records for some minutes: is its memory flat, is every record counted, do
readers of the API disturb it?

Half of the prefixes are of IPv4, half of IPv6, and so are the exporters' flows. Every minute: records sent and counted
(/metrics), the kernel's drops, resident memory; records that are neither counted nor dropped are a failure. With
--requests also wrk's figures of reads of /alerts, /rules and /metrics at that pace.
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

import flow_peers

ROUTES = ("/alerts", "/rules?limit=50", "/metrics")


def ask(port, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", data), timeout=60) as answer:
        return answer.read().decode()


def metric(text, name):
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if re.match(rf"{name}[{{ ]", line))


def memory(pid):
    lines = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "VmHWM")}


def show(what, pid):
    found = memory(pid)
    print(f"{what:>24}: resident {found['VmRSS']:5.1f} MiB, of it anonymous {found['RssAnon']:5.1f}, "
          f"peak {found['VmHWM']:5.1f}", flush=True)


KINDS = {"threshold": {"type": "threshold", "bandwidth_threshold": 10**15},
         "zscore": {"type": "zscore", "zscore_sensitivity": "low", "zscore_target": "bits"},
         "advanced_ddos": {"type": "advanced_ddos"}}


def make_rules(port, prefixes, kind):
    half = prefixes // 2
    all_prefixes = [f"10.{i // 256}.{i % 256}.0/24" for i in range(half)]
    all_prefixes += [f"2001:db8:{i // 256:x}:{i % 256:x}::/64" for i in range(prefixes - half)]
    for first in range(0, prefixes, 1000):
        ask(port, "/rules", {"name": f"soak {first // 1000}", "prefixes": all_prefixes[first:first + 1000],
                             **KINDS[kind]})


@contextlib.contextmanager
def readers(port, requests, seconds, folder):
    """wrk at a pace: each of its connections waits between its requests."""
    if requests == 0 or not shutil.which("wrk"):
        if requests:
            print("wrk is not installed: no readers")
        yield
        return
    connections = 8     # as many as the server has workers
    script = os.path.join(folder, "paths.lua")
    paths = ", ".join(f'"{route}"' for route in ROUTES)
    pathlib.Path(script).write_text(
        f"local paths = {{{paths}}}\nlocal turn = 0\n"
        "request = function()\n turn = turn % #paths + 1\n return wrk.format('GET', paths[turn])\nend\n"
        f"delay = function() return {int(1000 * connections / requests)} end\n")
    with subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script,
                           f"http://127.0.0.1:{port}"], stdout=subprocess.PIPE, text=True) as process:
        yield
        out = process.communicate()[0]
    for line in out.splitlines():
        if re.search(r"Requests/sec|99%|50%|Non-2xx|Socket errors", line):
            print("    wrk:", line.strip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, help="folder of cam-flow-load")
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--format", default="v9", choices=["v5", "v9", "ipfix", "sflow5"])
    parser.add_argument("--rate", type=int, default=200_000)
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=55, help="of load in each minute")
    parser.add_argument("--exporters", type=int, default=1000)
    parser.add_argument("--prefixes", type=int, default=10_000)
    parser.add_argument("--rules", default="threshold", choices=KINDS)
    parser.add_argument("--requests", type=int, default=0, help="reads of the API, per second")
    parser.add_argument("--port", type=int, default=29155)
    parser.add_argument("--api-port", type=int, default=29190)
    parser.add_argument("--no-wait", dest="wait", action="store_false",
                        help="begin before the minute from which the rules are counted")
    asked = parser.parse_args()
    lost = 0
    programs, monitor = os.path.abspath(asked.programs), os.path.abspath(asked.monitor)
    with tempfile.TemporaryDirectory(prefix="cam-soak-") as folder, contextlib.ExitStack() as stack:
        settings = flow_peers.our_settings(folder, asked.port, asked.api_port)
        ours = flow_peers.Collector("ours", [monitor, "--config", settings, "--log-level", "warn"],
                                    {asked.format: asked.port})
        pid = stack.enter_context(ours.running(folder))
        time.sleep(3)
        show("idle", pid)
        make_rules(asked.api_port, asked.prefixes, asked.rules)
        if asked.wait:      # the rules are counted from the next full minute on
            flow_peers.wait_for_full_minute()
        show("with rules", pid)
        for minute in range(asked.minutes):
            before, drops = ask(asked.api_port, "/metrics"), flow_peers.drops(asked.port)
            cpu = flow_peers.cpu_seconds(pid)
            load = ["--to", f"127.0.0.1:{asked.port}", "--format", asked.format, "--rate", str(asked.rate), "--seconds",
                    str(asked.seconds), "--exporters", str(asked.exporters), "--prefixes", str(asked.prefixes // 2),
                    "--ipv6", "0" if asked.format == "v5" else "1"]
            with readers(asked.api_port, asked.requests, asked.seconds, folder):
                sent = json.loads(subprocess.run([f"{programs}/cam-flow-load", *load], check=True, capture_output=True,
                                                 text=True).stdout)
            time.sleep(1)
            after = ask(asked.api_port, "/metrics")
            counted = metric(after, "cam_flow_records_total") - metric(before, "cam_flow_records_total")
            dropped = flow_peers.drops(asked.port) - drops
            lost += sent["records"] != counted and dropped == 0
            show(f"minute {minute + 1}", pid)
            print(f"    sent {sent['records']:,} ({sent['records'] / sent['seconds']:,.0f}/s), counted {counted:,.0f}, "
                  f"kernel drops {dropped}, unwatched "
                  f"{metric(after, 'cam_flow_unwatched_records_total'):,.0f}, "
                  f"CPU s per million {(flow_peers.cpu_seconds(pid) - cpu) / sent['records'] * 1e6:.3f}", flush=True)
        if asked.wait:
            time.sleep(15)
            show("15 s after the load", pid)
        log = pathlib.Path(folder, "ours.log").read_text(errors="replace")
        print("log:", log[-600:] or "empty")
    if lost:
        raise SystemExit(f"flow_soak.py: in {lost} minutes records were neither counted nor dropped by the kernel")


if __name__ == "__main__":
    main()
