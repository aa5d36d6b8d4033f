#!/usr/bin/env python3
"""The main job with a real exporter: packets cross a link, softflowd exports them, the daemon's rule was made with
the mission's own curl commands; START and END reach the (simulated) Telegram, /alerts and `alert | command`, and what
is stored is what was sent, to the byte.

usage: end_to_end.py --monitor PROGRAM --simulator PROGRAM

Needs root and softflowd; exits 77 (skipped) where network namespaces are not allowed. Takes two to three minutes,
since rules judge whole minutes. In a network namespace of its own the ports are the real ones.
"""

import argparse
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from link import Link, end, run

HERE = Path(__file__).resolve().parent
SKIPPED = 77
SAMPLING = 1000
PACKET = 1428  # bytes of layer 3
SCENARIO = {"cloudflare": {"api_token": "tokenOfTheTest000000000000000000000000001",
                           "account_ids": ["0123456789abcdef0123456789abcdef"]},
            "telegram": {"bot_token": "123456789:AAtokenOfTheTest0000000000000000001",
                         "chats": [{"id": 424242, "type": "private"}]}}
ROUTER = """curl -s -X POST http://localhost:8090/routers \\
  -d '{
    "name": "my-router",
    "router_ip": "127.0.0.1",
    "default_sampling": 1000
  }'"""
RULE = """curl -s -X POST http://localhost:8090/rules \\
  -d '{
    "name": "Production Network - High Bandwidth",
    "prefixes": ["10.0.0.0/8"],
    "type": "threshold",
    "bandwidth_threshold": 1000000000,
    "duration": 5
  }'"""


def eventually(condition, seconds, what):
    end_at = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end_at:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.2)
    return found


class Site:
    def __init__(self, link, folder, monitor, simulator, log):
        self.link, self.folder, self.monitor, self.log = link, folder, monitor, log
        (folder / "config").mkdir()
        (folder / "scenario.json").write_text(json.dumps(SCENARIO))
        self.simulator = link.start(simulator, "--scenario", str(folder / "scenario.json"), "--port-file",
                                    str(folder / "port"), log=log)
        port = eventually(lambda: (folder / "port").exists() and (folder / "port").read_text(), 20, "the simulator")
        self.world = f"http://127.0.0.1:{port.strip()}"
        self.settings = folder / "config" / "settings.json"
        self.settings.write_text(json.dumps({
            "cloudflare": {"account_id": SCENARIO["cloudflare"]["account_ids"][0],
                           "api_token": SCENARIO["cloudflare"]["api_token"], "api_url": f"{self.world}/client/v4"},
            "telegram": {"bot_token": SCENARIO["telegram"]["bot_token"], "chat_id": "424242",
                         "api_url": f"{self.world}/telegram"},
            "services": {}, "flow": {"enabled": True}}))
        self.daemon = link.start(monitor, "--config", str(self.settings), log=log)
        eventually(lambda: "flow monitor listening" in (folder / "log").read_text(), 30, "the daemon listens")

    def shell(self, command):
        return json.loads(self.link.inside(self.link.watcher, "sh", "-c", command))

    def told(self, part):
        messages = self.shell(f"curl -s {self.world}/sim/messages")
        messages = messages if isinstance(messages, list) else messages["messages"]
        return [message["text"] for message in messages if part in message["text"]]

    def alert(self, *command):
        return self.link.inside(self.link.watcher, self.monitor, "--config", str(self.settings), "alert", *command)

    def stop(self):
        status = end(self.daemon, 40)
        end(self.simulator)
        return status


def make_rules(site):
    assert site.shell(ROUTER)["success"]
    rule = site.shell(RULE)
    assert rule["success"], rule
    # For the sake of the test's duration one minute is enough.
    changed = {key: value for key, value in rule["result"].items()
               if key in ("name", "prefixes", "type", "bandwidth_threshold")}
    body = json.dumps({**changed, "duration": 1})
    assert site.shell(f"curl -s -X PUT -d '{body}' http://localhost:8090/rules/{rule['result']['id']}")["success"]


def attack(link, folder, log):
    """A whole minute and a little more; the number of packets. NetFlow v5 of softflowd tells no rate: its v9
    tells 1, and the router's default would not count."""
    softflowd = link.start("softflowd", "-d", "-i", link.watched, "-v", "5", "-n", "127.0.0.1:2055", "-t", "maxlife=5",
                           "-t", "expint=1", "-p", str(folder / "softflowd.pid"), "-c", str(folder / "softflowd.ctl"),
                           log=log)
    time.sleep(60 - time.time() % 60 + 0.5)  # the rule holds, and its prefix is counted, from here on
    sent = int(link.inside(link.sender, sys.executable, str(HERE / "send.py"), "cam0", "--stream", "62"))
    link.inside(link.sender, sys.executable, str(HERE / "send.py"), "cam0", "--no-ip")
    time.sleep(1)
    link.inside(link.watcher, "softflowctl", "-c", str(folder / "softflowd.ctl"), "shutdown")
    end(softflowd)
    return sent


def check_start(site):
    start = eventually(lambda: site.told("*TRAFFIC ALERT*"), 20, "START on Telegram")
    for part in ("Production Network - High Bandwidth", "10.0.0.0/8", "103.118.76.0/24", "Gbps", "UDP 100%"):
        assert part in start[0], (part, start[0])
    active = site.shell("curl -s 'http://localhost:8090/alerts?active=true'")["result"]
    assert [one["rule_name"] for one in active] == ["Production Network - High Bandwidth"], active
    bits = active[0]["crossing"]["value"]
    assert 1.8e9 < bits < 2.7e9, bits
    assert [one["id"] for one in json.loads(site.alert())] == [active[0]["id"]]
    assert json.loads(site.alert("--", "cat")) == json.loads(site.alert())
    return bits


def play(link, folder, asked):
    with open(folder / "log", "w") as log:
        site = Site(link, folder, asked.monitor, asked.simulator, log)
        make_rules(site)
        time.sleep(7)  # the rules are read within six seconds
        assert site.alert() == ""
        sent = attack(link, folder, log)
        bits = check_start(site)
        eventually(lambda: site.told("*TRAFFIC ALERT ENDED*"), 130, "END on Telegram")
        assert len(site.told("*TRAFFIC ALERT*")) == 1, "told again"
        assert site.alert() == ""
        status = site.stop()
        assert status == 0, status
    stored = sqlite3.connect(folder / "db" / "magic_transit.db").execute(
        "SELECT sum(m.packets), sum(m.bytes) FROM flow_minutes m JOIN flow_prefixes p ON p.id = m.prefix_id "
        "WHERE p.prefix = '10.0.0.0/8'").fetchone()
    print(f"sent {sent} packets; stored {stored[0]} packets, {stored[1]} bytes at 1 in {SAMPLING}; "
          f"alert at {bits / 1e9:.2f} Gbps")
    return stored == (sent * SAMPLING, sent * SAMPLING * PACKET)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--monitor", required=True)
    parser.add_argument("--simulator", required=True)
    asked = parser.parse_args()
    missing = [name for name in ("ip", "softflowd", "softflowctl", "curl") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        print(f"SKIPPED: needs root and {missing or 'nothing more'}")
        return SKIPPED
    link = Link()
    try:
        link.__enter__()
    except RuntimeError as why:
        link.__exit__()
        print(f"SKIPPED: no network namespaces here: {why}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            if play(link, folder, asked):
                return 0
            print("FAILED: what is stored is not what was sent")
        except (AssertionError, RuntimeError) as why:
            print(f"FAILED: {why}")
        finally:
            # Whatever still runs in the namespace was started here.
            for pid in run("ip", "netns", "pids", link.watcher, check=False).split():
                os.kill(int(pid), 15)
            link.__exit__()
        print((folder / "log").read_text()[-3000:])
        return 1


if __name__ == "__main__":
    sys.exit(main())
