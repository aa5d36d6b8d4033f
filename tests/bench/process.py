#!/usr/bin/env python3
"""Measures the daemon as a process, on loopback: from exec to the first query, and its resident memory.

Time: a listening socket stands for Cloudflare and notes when the first GraphQL request has arrived; the clock starts
before fork and exec. Memory: tests/simulator plays Cloudflare and Telegram; VmRSS, RssAnon and VmHWM are read from /proc
once the startup report was delivered, and again after a poll that claimed an attack of many events.
"""
import argparse
import contextlib
import json
import os
import pathlib
import selectors
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

GEOIP = pathlib.Path(__file__).resolve().parent.parent / "data" / "geoip"
ACCOUNT = "0123456789abcdef0123456789abcdef"
CLOUDFLARE_TOKEN = "benchCloudflareApiToken00000000000000001"
BOT_TOKEN = "100200300:AAbenchTelegramBotTokenForTheSim0123"
CHAT = -1001234567890
TOO_LONG = 120


def write_settings(folder, world):
    settings = {
        "cloudflare": {"account_id": ACCOUNT, "api_token": CLOUDFLARE_TOKEN, "api_url": f"{world}/client/v4"},
        "telegram": {"bot_token": BOT_TOKEN, "chat_id": str(CHAT), "api_url": f"{world}/telegram"},
        "monitor": {"poll_interval_seconds": 300, "lookback_minutes": 15},
        "prefixes": {"mine": ["185.54.80.0/22", "2a02:4460::/32"]},
        "geoip": {"city": [str(GEOIP / "GeoIP2-City.mmdb")], "asn": [str(GEOIP / "GeoLite2-ASN.mmdb")]},
        "organization": "Example SOC", "services": {},
        "api": {"enabled": True, "listen": "127.0.0.1:0"}}
    config = os.path.join(folder, "config")
    os.makedirs(config)
    path = os.path.join(config, "settings.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(settings, file)
    with open(os.path.join(config, "dashboard_prefs.json"), "w", encoding="utf-8") as file:
        json.dump({"my_prefixes_only": True}, file)
    return path


def write_scenario(folder, events):
    scenario = {
        "cloudflare": {"api_token": CLOUDFLARE_TOKEN, "account_ids": [ACCOUNT], "limits": {"max_page_size": 10000},
                       "prefixes": [{"cidr": "185.54.80.0/22", "asn": 202032, "advertised": False}]},
        "telegram": {"bot_token": BOT_TOKEN, "chats": [{"id": CHAT, "type": "supergroup"}]},
        "attacks": [] if events == 0 else [
            {"at_seconds_ago": 800, "over_seconds": 600, "attack_id": "m2c7q-48hhx0v1d5t9ke3b6wzya",
             "vector": "UDP Flood", "rule": "UDP-0001", "protocol": "UDP", "targets": ["185.54.82.4", "185.54.81.9"],
             "destination_port": 53, "events": events, "sources": events, "spoofed_share": 0.125,
             "packets": events * 1000, "bits": events * 12000000, "colos": ["SOF", "AMS", "FRA"]}]}
    path = os.path.join(folder, "scenario.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(scenario, file)
    return path


@contextlib.contextmanager
def running(command, folder):
    """A process of ours, its output in a file, ended at the end."""
    with open(os.path.join(folder, os.path.basename(command[0]) + ".out"), "wb") as out:
        environment = {k: v for k, v in os.environ.items() if k not in ("CLOUDFLARE_API_TOKEN", "TELEGRAM_BOT_TOKEN")}
        with subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              env=environment) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_for(what, condition):
    until = time.monotonic() + TOO_LONG
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"process.py: {what} did not happen within {TOO_LONG} s")


def first_query(monitor):
    """Milliseconds from before exec until the first GraphQL request is there."""
    with tempfile.TemporaryDirectory(prefix="cam-process-") as folder, socket.create_server(("127.0.0.1", 0)) as server, \
            selectors.DefaultSelector() as selector, contextlib.ExitStack() as connections:
        selector.register(server, selectors.EVENT_READ)
        settings = write_settings(folder, f"http://127.0.0.1:{server.getsockname()[1]}")
        begin = time.monotonic()
        with running([monitor, "--config", settings], folder) as process:
            received = {}
            while time.monotonic() < begin + TOO_LONG:
                for key, _ in selector.select(1):
                    if key.fileobj is server:
                        connection = connections.enter_context(server.accept()[0])
                        selector.register(connection, selectors.EVENT_READ)
                        received[connection] = b""
                        continue
                    got = key.fileobj.recv(65536)
                    if not got:
                        selector.unregister(key.fileobj)
                        continue
                    received[key.fileobj] += got
                    if b"/graphql " in received[key.fileobj]:
                        took = (time.monotonic() - begin) * 1000
                        process.kill()  # it would wait for an answer
                        return took
        raise SystemExit("process.py: no query came")


def memory_of(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
    return {name: int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon", "VmHWM")}


def resident(monitor, simulator, events):
    with tempfile.TemporaryDirectory(prefix="cam-process-") as folder:
        port_file = os.path.join(folder, "port")
        with running([simulator, "--scenario", write_scenario(folder, events), "--port-file", port_file], folder):
            wait_for("the simulator's port", lambda: os.path.exists(port_file) and os.path.getsize(port_file))
            with open(port_file, encoding="ascii") as file:
                world = f"http://127.0.0.1:{file.read().strip()}"
            settings = write_settings(folder, world)
            with running([monitor, "--config", settings], folder) as process:
                def told():
                    with urllib.request.urlopen(f"{world}/sim/messages") as answer:
                        return [message["text"] for message in json.load(answer)]

                def polled():
                    with open(os.path.join(folder, os.path.basename(monitor) + ".out"), encoding="utf-8") as log:
                        return next((line for line in log if "poll completed" in line), None)

                line = wait_for("the first poll", polled)
                if events and f"new={events} " not in line:
                    raise SystemExit(f"process.py: not all events were claimed: {line}")
                wait_for("the messages", lambda: len(told()) >= (2 if events else 1))
                time.sleep(2)
                return memory_of(process)


def row(name, values, unit):
    print(f"{name:58} least {min(values):7.1f}  median {statistics.median(values):7.1f} {unit}  ({len(values)} runs)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--simulator", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=25_000)
    asked = parser.parse_args()
    monitor, simulator = os.path.abspath(asked.monitor), os.path.abspath(asked.simulator)
    row("exec to first query", [first_query(monitor) for _ in range(asked.runs)], "ms")
    for name, events in (("idle", 0), (f"after {asked.events} events", asked.events)):
        runs = [resident(monitor, simulator, events) for _ in range(asked.runs)]
        for field, meaning in (("VmRSS", "resident"), ("RssAnon", "of it anonymous"), ("VmHWM", "peak resident")):
            row(f"{name}, {meaning} ({field})", [run[field] for run in runs], "MiB")


if __name__ == "__main__":
    main()
