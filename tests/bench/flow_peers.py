#!/usr/bin/env python3
"""Compares collectors of flows on one machine in one run: CPU per million records at a steady rate, and the highest rate
with under 0.1 % loss. The limit is a bare recvmmsg sink. Peers that are not installed are left out, and named.

Traffic: cam-flow-load on loopback. CPU: utime + stime of the collector's process and its children from /proc, over the
time of the load. Loss: the socket's drops in /proc/net/udp.
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

TICKS = os.sysconf("SC_CLK_TCK")
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
    total = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


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
    def __init__(self, name, command, port, prepare=None):
        self.name, self.command, self.port, self.prepare = name, command, port, prepare

    @contextlib.contextmanager
    def running(self, folder):
        with open(os.path.join(folder, f"{self.name}.log"), "ab") as log:
            process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd=folder)
            try:
                deadline = time.time() + 20
                while not is_bound(self.port):
                    if process.poll() is not None or time.time() > deadline:
                        raise RuntimeError(f"{self.name} does not listen, see {folder}/{self.name}.log")
                    time.sleep(0.05)
                if self.prepare:
                    self.prepare()
                time.sleep(0.5)
                yield process.pid
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def load(programs, port, form, rate, seconds):
    out = subprocess.run([f"{programs}/cam-flow-load", "--to", f"127.0.0.1:{port}", "--format", form, "--rate",
                          str(int(rate)), "--seconds", str(seconds)], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def steady(programs, collector, folder, form, rate, seconds):
    with collector.running(folder) as pid:
        load(programs, collector.port, form, min(rate, 20000), 1)     # templates, warm caches
        time.sleep(0.3)
        cpu, lost = cpu_seconds(pid), drops(collector.port)
        sent = load(programs, collector.port, form, rate, seconds)
        time.sleep(0.5)
        return {"cpu_per_million": (cpu_seconds(pid) - cpu) / sent["records"] * 1e6,
                "loss": (drops(collector.port) - lost) / max(sent["datagrams"], 1),
                "rate": sent["records"] / sent["seconds"], "resident_mib": resident_mib(pid)}


def highest(programs, collector, folder, form, seconds):
    """Grows the rate by a tenth until a thousandth is lost, or the sender cannot keep up."""
    best, rate = 0, 400_000
    while rate < 20e6:
        with collector.running(folder) as pid:
            load(programs, collector.port, form, 20000, 1)
            time.sleep(0.3)
            before = drops(collector.port)
            sent = load(programs, collector.port, form, rate, seconds)
            time.sleep(0.3)
            lost = (drops(collector.port) - before) / max(sent["datagrams"], 1)
        reached = sent["records"] / sent["seconds"]
        if lost > 0.001:
            return best, f"lost {lost:.2%} at {reached:,.0f}/s"
        best = max(best, reached)
        if reached < 0.93 * rate:
            return best, "the sender is the limit"
        rate *= 1.1
    return best, "no limit found"


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


def make_rules(api, prefixes):
    def prepare():
        body = {"name": "load", "type": "threshold", "bandwidth_threshold": 10**15,
                "prefixes": [f"10.{i // 256}.{i % 256}.0/24" for i in range(prefixes)]}
        deadline = time.time() + 10
        while True:
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{api}/rules", json.dumps(body).encode())
                urllib.request.urlopen(request, timeout=5).close()
                break
            except OSError:
                if time.time() > deadline:
                    raise
                time.sleep(0.2)
        # The rules are counted from the next full minute.
        time.sleep(61 - time.time() % 60 if time.time() % 60 > 1 else 61)
    return prepare


def collectors(arguments, folder):
    programs, port = arguments.programs, arguments.port
    found, missing = [Collector("sink", [f"{programs}/cam-udp-sink", str(port)], port)], []
    settings = our_settings(folder, port, arguments.api_port)
    found.append(Collector("ours", [arguments.monitor, "--config", settings, "--log-level", "warn"], port,
                           make_rules(arguments.api_port, arguments.prefixes)))
    spool = os.path.join(folder, "spool")
    os.makedirs(spool, exist_ok=True)
    if path := shutil.which("nfcapd"):
        found.append(Collector("nfcapd", [path, "-w", spool, "-b", "127.0.0.1", "-p", str(port), "-B", "16777216"], port))
    else:
        missing.append("nfcapd")
    if path := shutil.which("nfacctd"):
        config = os.path.join(folder, "nfacctd.conf")
        pathlib.Path(config).write_text(
            f"nfacctd_ip: 127.0.0.1\nnfacctd_port: {port}\nplugins: memory\naggregate: dst_net\n"
            "plugin_buffer_size: 1024000\nplugin_pipe_size: 102400000\nnfacctd_pipe_size: 16777216\n"
            f"imt_path: {folder}/imt.pipe\nnfacctd_net: mask\nnetworks_mask: 24\n")
        found.append(Collector("nfacctd", [path, "-f", config], port))
    else:
        missing.append("nfacctd")
    if path := shutil.which("fastnetmon"):
        found.append(fastnetmon(path, folder, port))
    else:
        missing.append("fastnetmon")
    if path := arguments.goflow2 or shutil.which("goflow2"):
        found.append(Collector("goflow2", [path, "-listen", f"netflow://127.0.0.1:{port}", "-transport.file",
                                           "/dev/null", "-addr", "127.0.0.1:0"], port))
    else:
        missing.append("goflow2")
    return [one for one in found if not arguments.only or one.name in arguments.only], missing


def fastnetmon(path, folder, port):
    networks = os.path.join(folder, "networks_list")
    pathlib.Path(networks).write_text("10.0.0.0/14\n")
    config = os.path.join(folder, "fastnetmon.conf")
    pathlib.Path(config).write_text(
        f"netflow = on\nnetflow_port = {port}\nnetflow_host = 127.0.0.1\nnetflow_sampling_ratio = 1\nenable_ban = off\n"
        f"networks_list_path = {networks}\nwhite_list_path = {folder}/white\n"
        f"pid_path = {folder}/fastnetmon.pid\ncli_stats_file_path = {folder}/fastnetmon.dat\n"
        "process_incoming_traffic = on\nprocess_outgoing_traffic = on\n")
    pathlib.Path(os.path.join(folder, "white")).write_text("")
    return Collector("fastnetmon", [path, f"--configuration_file={config}", f"--log_file={folder}/fastnetmon.own.log"],
                     port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True, help="folder of cam-flow-load and cam-udp-sink")
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--goflow2", help="its executable")
    parser.add_argument("--format", default="v9")
    parser.add_argument("--rate", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--prefixes", type=int, default=1000)
    parser.add_argument("--port", type=int, default=29055)
    parser.add_argument("--api-port", type=int, default=29090)
    parser.add_argument("--only", nargs="*", help="names of collectors")
    parser.add_argument("--highest", action="store_true", help="also the highest rate, of the sink and ours")
    arguments = parser.parse_args()
    arguments.programs = os.path.abspath(arguments.programs)
    arguments.monitor = os.path.abspath(arguments.monitor)
    with tempfile.TemporaryDirectory(prefix="cam-peers-") as folder:
        chosen, missing = collectors(arguments, folder)
        if missing:
            print("not installed, left out:", ", ".join(missing))
        results = {one.name: [] for one in chosen}
        for _ in range(arguments.runs):
            for one in chosen:      # one after the other within a run, so that a slow minute meets them all
                results[one.name].append(steady(arguments.programs, one, folder, arguments.format, arguments.rate,
                                                arguments.seconds))
        base = statistics.median(r["cpu_per_million"] for r in results["sink"]) if "sink" in results else None
        print(f"{arguments.format}, {arguments.rate:,} records/s, median of {arguments.runs} runs of "
              f"{arguments.seconds} s, {arguments.prefixes} prefixes")
        print(f"{'collector':12} {'CPU s per million':>18} {'to the sink':>12} {'loss':>8} {'resident MiB':>13}")
        for name, runs in results.items():
            cost = statistics.median(r["cpu_per_million"] for r in runs)
            print(f"{name:12} {cost:18.3f} {cost / base if base else float('nan'):12.2f} "
                  f"{max(r['loss'] for r in runs):8.3%} {statistics.median(r['resident_mib'] for r in runs):13.1f}")
        if arguments.highest:
            for one in chosen:
                if one.name in ("sink", "ours"):
                    best, why = highest(arguments.programs, one, folder, arguments.format, 5)
                    print(f"highest rate of {one.name}: {best:,.0f} records/s ({why})")


if __name__ == "__main__":
    main()
