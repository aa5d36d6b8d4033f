#!/usr/bin/env python3
"""Compares collectors of flows on one machine in one run: CPU per million records at a steady rate, and the highest rate
with under 0.1 % loss. The limit is a bare recvmmsg sink. Peers that are not installed are left out, and named.

All collectors run side by side, each on ports of its own, and get the same load one after the other, so that a slow
minute of the machine meets them all. Traffic: cam-flow-load on loopback. CPU: user and system time of the collector's
process and its children from /proc, over the time of the load. Loss: the sockets' drops in /proc/net/udp.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

ACCOUNT = "0123456789abcdef0123456789abcdef"


def family(pid):
    """The process and its descendants."""
    pids = [pid]
    for parent in pids:
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
                pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def cpu_seconds(pid):
    """On the scheduler's clock, which counts nanoseconds; /proc/PID/stat counts ticks of ten milliseconds."""
    total = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_mib(pid):
    total = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{one}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    total += int(line.split()[1])
    return total / 1024


def drops(port):
    total = 0
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port:
                total += int(fields[12])
    return total


def is_bound(port):
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            if int(line.split()[1].rpartition(":")[2], 16) == port:
                return True
    return False


class Collector:
    """A program, and on which port it takes which format."""

    def __init__(self, name, command, ports, prepare=None):
        self.name, self.command, self.ports, self.prepare = name, command, ports, prepare

    @contextlib.contextmanager
    def running(self, folder):
        with open(os.path.join(folder, f"{self.name}.log"), "ab") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=folder)
            try:
                deadline = time.time() + 60
                while not all(is_bound(port) for port in set(self.ports.values())):
                    if process.poll() is not None or time.time() > deadline:
                        said = pathlib.Path(log.name).read_text(errors="replace")[-500:]
                        raise RuntimeError(f"{self.name} does not listen: {said}")
                    time.sleep(0.05)
                if self.prepare:
                    self.prepare()
                yield process.pid
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def load(arguments, port, form, rate, seconds):
    out = subprocess.run([f"{arguments.programs}/cam-flow-load", "--to", f"127.0.0.1:{port}", "--format", form,
                          "--rate", str(int(rate)), "--seconds", str(seconds), "--prefixes", str(arguments.prefixes),
                          "--exporters", str(arguments.exporters), "--gso", str(int(arguments.gso))],
                         check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def measure(arguments, collector, pid, form, rate, seconds):
    port = collector.ports[form]
    cpu, lost = cpu_seconds(pid), drops(port)
    sent = load(arguments, port, form, rate, seconds)
    time.sleep(0.5)     # what waits in the socket is part of it
    return {"cpu_per_million": (cpu_seconds(pid) - cpu) / sent["records"] * 1e6,
            "loss": (drops(port) - lost) / max(sent["datagrams"], 1),
            "rate": sent["records"] / sent["seconds"], "resident_mib": resident_mib(pid)}


def highest(arguments, chosen, pids, form):
    """By collector the highest rate with under 0.1 % loss. Grows the rate by a seventh for all of them in turn; on a
    machine that others use too, a loss counts only if it shows in two attempts out of two."""
    best = {one.name: 0 for one in chosen}
    why = {}
    rate = arguments.highest_from
    while len(why) < len(chosen) and rate < 30e6:
        for one in chosen:
            if one.name in why:
                continue
            tries = [measure(arguments, one, pids[one.name], form, rate, 3)]
            if tries[0]["loss"] > 0.001:
                tries.append(measure(arguments, one, pids[one.name], form, rate, 3))
            best_try = min(tries, key=lambda t: t["loss"])
            if best_try["loss"] > 0.001:
                why[one.name] = f"lost {best_try['loss']:.2%} at {best_try['rate']:,.0f}/s"
                continue
            best[one.name] = max(best[one.name], best_try["rate"])
            if best_try["rate"] < 0.85 * rate:
                why[one.name] = "the sender is the limit"
        rate *= 1.15
    return best, why


def our_settings(folder, port, api):
    config = os.path.join(folder, "config")
    os.makedirs(config, exist_ok=True)
    path = os.path.join(config, "settings.json")
    nowhere = "http://127.0.0.1:9"      # nobody answers there; the flow monitor does not care
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"cloudflare": {"account_id": ACCOUNT, "api_token": "x" * 40, "api_url": nowhere},
                   "telegram": {"bot_token": "1:" + "x" * 35, "chat_id": "1", "api_url": nowhere},
                   "monitor": {"poll_interval_seconds": 86400}, "prefixes": {"mine": ["10.0.0.0/8"]},
                   "services": {}, "api": {"listen": f"127.0.0.1:{api}"},
                   "flow": {"enabled": True, "listen": [f"127.0.0.1:{port}"]}}, file)
    return path


def wait_for_full_minute():
    time.sleep(61 - time.time() % 60)


def make_rules(arguments):
    def prepare():
        body = {"name": "load", "type": "threshold", "bandwidth_threshold": 10**15,
                "prefixes": [f"10.{i // 256}.{i % 256}.0/24" for i in range(arguments.prefixes)]}
        deadline = time.time() + 60
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{arguments.api_port}/rules",
                                                 json.dumps(body).encode())
                urllib.request.urlopen(request, timeout=30).close()
                break
            except OSError:
                if time.time() > deadline:
                    raise
                time.sleep(0.2)
        if arguments.wait:      # the rules are counted from the next full minute on
            wait_for_full_minute()
    return prepare


def nfacctd(name, path, folder, port):
    config = os.path.join(folder, f"{name}.conf")
    pathlib.Path(config).write_text(
        f"{name}_ip: 127.0.0.1\n{name}_port: {port}\nplugins: memory\naggregate: dst_net\n"
        f"plugin_buffer_size: 1024000\nplugin_pipe_size: 102400000\n{name}_pipe_size: 16777216\n"
        f"imt_path: {folder}/{name}.pipe\n{name}_net: mask\nnetworks_mask: 24\n")
    return [path, "-f", config]


def fastnetmon(path, folder, netflow, sflow):
    networks = os.path.join(folder, "networks_list")
    pathlib.Path(networks).write_text("10.0.0.0/14\n")
    config = os.path.join(folder, "fastnetmon.conf")
    pathlib.Path(config).write_text(
        f"netflow = on\nnetflow_port = {netflow}\nnetflow_host = 127.0.0.1\nnetflow_sampling_ratio = 1\n"
        f"sflow = on\nsflow_port = {sflow}\nsflow_host = 127.0.0.1\nenable_ban = off\n"
        f"networks_list_path = {networks}\nwhite_list_path = {folder}/white\n"
        f"pid_path = {folder}/fastnetmon.pid\ncli_stats_file_path = {folder}/fastnetmon.dat\n"
        "process_incoming_traffic = on\nprocess_outgoing_traffic = on\n")
    pathlib.Path(os.path.join(folder, "white")).write_text("")
    return [path, f"--configuration_file={config}", f"--log_file={folder}/fastnetmon.own.log"]


def collectors(arguments, folder):
    """Those that are installed, in the order of the table, and the names of the others."""
    ports = iter(range(arguments.port, arguments.port + 20))
    found, missing = [], []

    def add(name, path, make, takes, prepare=None):
        own = [next(ports) for _ in takes]
        if arguments.only and name not in arguments.only:
            return
        if not path:
            missing.append(name)
            return
        by_format = {form: port for port, formats in zip(own, takes) for form in formats}
        found.append(Collector(name, make(path, *own), by_format, prepare))

    def spool(name):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        return os.path.join(folder, name)

    netflow, sflow = ("v5", "v9", "ipfix"), ("sflow5",)
    everything = netflow + sflow
    add("sink", f"{arguments.programs}/cam-udp-sink", lambda path, port: [path, str(port)], [everything])
    add("ours", arguments.monitor, lambda path, port: [path, "--config", our_settings(folder, port, arguments.api_port),
                                                       "--log-level", "warn"], [everything], make_rules(arguments))
    for name, formats in (("nfcapd", netflow), ("sfcapd", sflow)):
        add(name, shutil.which(name), lambda path, port, name=name: [path, "-w", spool(name), "-b", "127.0.0.1", "-p",
                                                                     str(port), "-B", "16777216"], [formats])
    for name, formats in (("nfacctd", netflow), ("sfacctd", sflow)):
        add(name, shutil.which(name), lambda path, port, name=name: nfacctd(name, path, folder, port), [formats])
    add("fastnetmon", shutil.which("fastnetmon"),
        lambda path, first, second: fastnetmon(path, folder, first, second), [netflow, sflow])
    add("goflow2", arguments.goflow2 or shutil.which("goflow2"),
        lambda path, first, second: [path, "-listen", f"netflow://127.0.0.1:{first},sflow://127.0.0.1:{second}",
                                     "-transport.file", "/dev/null", "-addr", "127.0.0.1:0"], [netflow, sflow])
    return found, missing


def compare(arguments, chosen, pids, form):
    takers = [one for one in chosen if form in one.ports]
    results = {one.name: [] for one in takers}
    for one in takers:      # templates, warm caches
        load(arguments, one.ports[form], form, min(arguments.rate, 20_000), 1)
    for _ in range(arguments.runs):
        for one in takers:
            results[one.name].append(measure(arguments, one, pids[one.name], form, arguments.rate, arguments.seconds))
    print(f"\n{form}, {arguments.rate:,} records/s, median (least) of {arguments.runs} runs of {arguments.seconds} s, "
          f"{arguments.exporters} exporters, {arguments.prefixes} prefixes, load {os.getloadavg()[0]:.0f} on "
          f"{os.cpu_count()} cores")
    print(f"{'collector':12} {'CPU s per million':>18} {'least':>7} {'to the sink':>12} {'loss':>8} {'resident MiB':>13}")
    base = None
    for name, runs in results.items():
        costs = [r["cpu_per_million"] for r in runs]
        base = base or statistics.median(costs)     # the sink is the first
        print(f"{name:12} {statistics.median(costs):18.3f} {min(costs):7.3f} {statistics.median(costs) / base:12.2f} "
              f"{statistics.median(r['loss'] for r in runs):8.3%} {runs[-1]['resident_mib']:13.1f}", flush=True)
    if arguments.highest:
        limits = [one for one in takers if one.name in ("sink", "ours")]
        ratios = []
        for _ in range(arguments.highest_runs):
            best, why = highest(arguments, limits, pids, form)
            for name, rate in best.items():
                print(f"highest rate of {name}: {rate:,.0f} records/s ({why.get(name, 'no limit found')})", flush=True)
            if best.get("sink") and "ours" in best:
                ratios.append(best["ours"] / best["sink"])
        if ratios:
            print(f"ours to the sink: median {statistics.median(ratios):.2f} of {', '.join(f'{r:.2f}' for r in ratios)}, "
                  f"load {os.getloadavg()[0]:.0f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, help="folder of cam-flow-load and cam-udp-sink")
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--goflow2", help="its executable")
    parser.add_argument("--formats", nargs="+", default=["v9"], choices=["v5", "v9", "ipfix", "sflow5"])
    parser.add_argument("--rate", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prefixes", type=int, default=1000)
    parser.add_argument("--exporters", type=int, default=1)
    parser.add_argument("--port", type=int, default=29055, help="the first of twenty")
    parser.add_argument("--api-port", type=int, default=29090)
    parser.add_argument("--only", nargs="*", help="names of collectors")
    parser.add_argument("--highest", action="store_true", help="also the highest rate, of the sink and ours")
    parser.add_argument("--highest-from", type=int, default=1_000_000, help="the first rate that is tried")
    parser.add_argument("--highest-runs", type=int, default=1, help="of which the median of ours to the sink's is told")
    parser.add_argument("--gso", action="store_true", help="the sender lets the kernel cut its datagrams: it needs less "
                        "of the machine, so that the receiver is the limit")
    parser.add_argument("--no-wait", dest="wait", action="store_false",
                        help="begin before the minute from which ours counts by its rules")
    arguments = parser.parse_args()
    arguments.programs = os.path.abspath(arguments.programs)
    arguments.monitor = os.path.abspath(arguments.monitor)
    with tempfile.TemporaryDirectory(prefix="cam-peers-") as folder, contextlib.ExitStack() as all_running:
        chosen, missing = collectors(arguments, folder)
        if missing:
            print("not installed, left out:", ", ".join(missing))
        pids = {one.name: all_running.enter_context(one.running(folder)) for one in chosen}
        for form in arguments.formats:
            compare(arguments, chosen, pids, form)


if __name__ == "__main__":
    main()
