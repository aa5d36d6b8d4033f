#!/usr/bin/env python3
"""The stack's files: the compose file is valid to compose's own loader, pinned, without default passwords, with health
checks and no open port; every file that is mounted exists, and every file that exists is used; Prometheus accepts its
rules; the dashboards fit their schema.

usage: stack_files.py --parts FOLDER
"""

import argparse
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

import jsonschema
import yaml

import dashboards
from parts import Unavailable, obtain, skipped

HERE = Path(__file__).resolve().parent
STACK = HERE.parents[1] / "config/scale-out"
ENDS_BY_ITSELF = {"topic"}
PASSWORDS = {"CAM_CLICKHOUSE_PASSWORD", "CAM_GRAFANA_CLICKHOUSE_PASSWORD", "CAM_GRAFANA_ADMIN_PASSWORD"}
LOADER = None


def compose():
    return yaml.safe_load((STACK / "docker-compose.yml").read_text())


def environment(folder):
    """What init makes."""
    subprocess.run([STACK / "init", folder], check=True, capture_output=True, timeout=30)
    lines = (Path(folder) / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def mounts(service):
    return [one.split(":")[0] for one in service.get("volumes", []) if one.startswith("./")]


class ComposeFile(unittest.TestCase):
    def load(self, variables):
        return subprocess.run([LOADER, str(STACK / "docker-compose.yml")], capture_output=True,
                              text=True, timeout=60, cwd=STACK, env={"PATH": os.environ["PATH"], **variables})

    def test_composes_own_loader_accepts_it_with_what_init_made(self):
        with tempfile.TemporaryDirectory() as folder:
            loaded = self.load(environment(folder))
        self.assertEqual(loaded.returncode, 0, loaded.stderr)
        self.assertEqual(set(json.loads(loaded.stdout)["services"]),
                         {"kafka", "topic", "clickhouse", "goflow2", "prometheus", "grafana"})

    def test_without_passwords_it_says_what_to_run(self):
        with tempfile.TemporaryDirectory() as folder:
            made = environment(folder)
        for name in made:
            loaded = self.load({key: value for key, value in made.items() if key != name})
            self.assertNotEqual(loaded.returncode, 0, name)
            self.assertIn("run config/scale-out/init first", loaded.stderr)

    def test_every_image_is_pinned(self):
        for name, service in compose()["services"].items():
            self.assertRegex(service["image"], r"^[a-z0-9/.-]+:v?\d+\.\d+\.\d+(\.\d+)?$", name)

    def test_kafka_and_goflow2_are_those_of_the_tests(self):
        kafka = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", (HERE / "kafka/pom.xml").read_text())[1]
        self.assertEqual(compose()["services"]["kafka"]["image"], f"apache/kafka:{kafka}")
        goflow2 = re.search(r'GOFLOW2 = "(.*)"', (HERE / "parts.py").read_text())[1]
        self.assertEqual(compose()["services"]["goflow2"]["image"], f"netsampler/goflow2:{goflow2}")

    def test_every_service_that_stays_has_a_health_check_and_comes_back(self):
        for name, service in compose()["services"].items():
            if name not in ENDS_BY_ITSELF:
                self.assertIn("test", service["healthcheck"], name)
                self.assertEqual(service["restart"], "unless-stopped", name)

    def test_ports_are_on_loopback_unless_the_operator_opens_goflow2s(self):
        for name, service in compose()["services"].items():
            for port in service.get("ports", []):
                start = "${CAM_FLOW_ADDRESS:-127.0.0.1}:" if port.endswith("/udp") else "127.0.0.1:"
                self.assertTrue(port.startswith(start), f"{name}: {port}")
            if service.get("network_mode") == "host":
                self.assertIn("127.0.0.1", json.dumps([service.get("command"), service.get("environment")]), name)

    def test_every_mounted_file_exists_and_every_file_is_used(self):
        mounted = {one for service in compose()["services"].values() for one in mounts(service)}
        for one in mounted:
            self.assertTrue((STACK / one).exists(), one)
        used = {STACK / "docker-compose.yml", STACK / "init", STACK / ".env", STACK / "clickhouse-password"}
        for one in mounted:
            path = STACK / one
            used |= set(path.iterdir()) if path.is_dir() else {path}
        used.add(STACK / "prometheus/rules.yml")
        for path in STACK.rglob("*"):
            self.assertTrue(path.is_dir() or path in used, f"{path} is used by nobody")

    def test_named_volumes_are_those_that_are_declared(self):
        named = {volume.split(":")[0] for service in compose()["services"].values()
                 for volume in service.get("volumes", []) if not volume.startswith("./")}
        self.assertEqual(named, set(compose()["volumes"]))


class Secrets(unittest.TestCase):
    def test_init_makes_random_passwords_that_only_the_owner_reads(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            first, second = environment(one), environment(two)
            for name in PASSWORDS:
                self.assertGreaterEqual(len(first[name]), 32)
                self.assertNotEqual(first[name], second[name])
            self.assertEqual(len(set(first.values())), len(first))
            for file in (".env", "clickhouse-password"):
                self.assertEqual(stat.S_IMODE((Path(one) / file).stat().st_mode), 0o600)
            self.assertEqual((Path(one) / "clickhouse-password").read_text(), first["CAM_CLICKHOUSE_PASSWORD"])
            self.assertEqual(environment(one), first, "what is there stays")

    def test_no_file_holds_a_password(self):
        for path in STACK.rglob("*"):
            if path.is_file() and path.name not in (".env", "clickhouse-password", "init"):
                for line in path.read_text().splitlines():
                    if re.search(r"password", line, re.I) and not line.lstrip().startswith(("#", "<!--")):
                        self.assertRegex(line, r"CAM_\w*PASSWORD", f"{path}: {line}")

    def test_clickhouses_users_take_the_passwords_that_compose_hands_over(self):
        handed = set(compose()["services"]["clickhouse"]["environment"])
        users = xml.parse(STACK / "clickhouse/users.xml").getroot().find("users")
        self.assertEqual({user.tag for user in users}, {"default", "cam", "grafana"})
        self.assertEqual(users.find("default").get("remove"), "1")
        for name in ("cam", "grafana"):
            self.assertIn(users.find(name).find("password").get("from_env"), handed)
        xml.parse(STACK / "clickhouse/config.xml")


class Prometheus(unittest.TestCase):
    def test_promtool_accepts_configuration_and_rules(self):
        checked = subprocess.run(["promtool", "check", "config", STACK / "prometheus/prometheus.yml"],
                                 capture_output=True, text=True, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_it_asks_the_ports_that_the_parts_publish(self):
        config = yaml.safe_load((STACK / "prometheus/prometheus.yml").read_text())
        asked = {target.split(":")[1] for job in config["scrape_configs"] for one in job["static_configs"]
                 for target in one["targets"]}
        published = {port.split(":")[1] for service in compose()["services"].values()
                     for port in service.get("ports", []) if port.startswith("127.0.0.1")}
        self.assertLessEqual(asked - {"8090", "9090"}, published)


class Dashboards(unittest.TestCase):
    def test_each_fits_the_schema(self):
        schema = json.loads((HERE / "dashboard.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        all_of_them = dashboards.dashboards()
        self.assertEqual(set(all_of_them), {"traffic.json", "prefix.json", "rules.json", "mitigation.json",
                                            "pipeline.json"})
        for name, dashboard in all_of_them.items():
            faults = list(jsonschema.Draft202012Validator(schema).iter_errors(dashboard))
            self.assertEqual(faults, [], name)
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)), name)
        self.assertEqual(len({one["uid"] for one in all_of_them.values()}), len(all_of_them))

    def test_panels_do_not_overlap(self):
        for name, dashboard in dashboards.dashboards().items():
            taken = set()
            for panel in dashboard["panels"]:
                at = panel["gridPos"]
                self.assertLessEqual(at["x"] + at["w"], 24, f"{name}: {panel['title']}")
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
                self.assertFalse(cells & taken, f"{name}: {panel['title']}")
                taken |= cells

    def test_they_use_the_data_sources_that_are_provisioned(self):
        sources = yaml.safe_load((STACK / "grafana/datasources.yml").read_text())["datasources"]
        provisioned = {(one["type"], one["uid"]) for one in sources}
        self.assertEqual(provisioned, {("grafana-clickhouse-datasource", "cam-clickhouse"),
                                       ("prometheus", "cam-prometheus")})
        provider = yaml.safe_load((STACK / "grafana/dashboards.yml").read_text())["providers"][0]
        self.assertIn(f"./grafana/dashboards:{provider['options']['path']}:ro",
                      compose()["services"]["grafana"]["volumes"])


def main():
    global LOADER
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", required=True)
    asked, rest = parser.parse_known_args()
    try:
        LOADER = obtain(asked.parts, ("compose",)).compose
    except Unavailable as why:
        return skipped(why)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    sys.exit(main())
