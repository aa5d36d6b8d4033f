#!/usr/bin/env python3
"""The real parts of the scale-out tests: Apache Kafka (jars by Maven), GoFlow2 and compose's loader (built by go), a
modern ClickHouse engine (chDB by npm). Each is got once into one folder and found there by later runs.

usage: parts.py --dir FOLDER [--only kafka,goflow2,compose,engine]

Exit: 0 all are there, 77 (skipped) one cannot be had, 1 the same with CAM_SCALE_OUT_REQUIRED=1.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77
GOFLOW2 = "v2.2.3"
COMPOSE_LOADER = "v2.9.1"  # compose/go.mod: what `docker compose config` reads and checks the file with
COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
LONGEST_SECONDS = 420  # of one download or build


class Unavailable(Exception):
    """A part cannot be had on this machine; says why."""


@dataclass(frozen=True)
class Parts:
    folder: Path

    @property
    def kafka(self):
        return self.folder / "kafka-4.1.1"

    @property
    def goflow2(self):
        return self.folder / f"goflow2-{GOFLOW2}" / "goflow2"

    @property
    def flow_proto(self):
        return self.folder / f"goflow2-{GOFLOW2}" / "flow.proto"

    @property
    def compose(self):
        """A program that loads and checks a compose file."""
        return self.folder / f"compose-go-{COMPOSE_LOADER}" / "compose-check"

    @property
    def engine(self):
        """The folder whose node_modules hold chdb."""
        return Path(os.environ.get("CAM_CHDB_DIR") or self.folder / "chdb")


def run(command, **options):
    """Ends the command's whole group if it takes too long. Its output is shown only if it failed."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True, **options)
    try:
        output, _ = process.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        raise Unavailable(f"{command[0]} took longer than {LONGEST_SECONDS} s") from None
    if process.returncode != 0:
        raise Unavailable(f"{command[0]} failed: {output[-1500:]}")
    return output


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Unavailable(f"not installed: {', '.join(missing)}")


def get_kafka(parts):
    if parts.kafka.is_dir():
        return
    needs("java", "mvn")
    fresh = parts.folder / "kafka.part"
    shutil.rmtree(fresh, ignore_errors=True)
    run(["mvn", "-q", "-B", "-f", str(HERE / "kafka/pom.xml"), COPY_JARS, "-DincludeScope=runtime",
         f"-DoutputDirectory={fresh}"], env={**os.environ, "MAVEN_OPTS": "-Xmx512m"})
    fresh.rename(parts.kafka)


def run_go(folder, *arguments):
    needs("go")
    run(["go", *arguments], cwd=folder, env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod", "GOWORK": "off",
                                             "CGO_ENABLED": "0"})


def empty(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def get_goflow2(parts):
    if parts.goflow2.exists() and parts.flow_proto.exists():
        return
    fresh = empty(parts.folder / "goflow2.part")
    run_go(fresh, "install", f"github.com/netsampler/goflow2/v2/cmd/goflow2@{GOFLOW2}")
    modules = run(["go", "env", "GOMODCACHE"]).strip()
    proto = Path(modules) / f"github.com/netsampler/goflow2/v2@{GOFLOW2}" / "pb" / "flow.proto"
    shutil.copyfile(proto, fresh / "flow.proto")
    shutil.rmtree(parts.goflow2.parent, ignore_errors=True)
    fresh.rename(parts.goflow2.parent)


def get_compose(parts):
    if parts.compose.exists():
        return
    fresh = empty(parts.folder / "compose.part")
    for name in ("main.go", "go.mod", "go.sum"):
        shutil.copyfile(HERE / "compose" / name, fresh / name)
    run_go(fresh, "build", "-o", "compose-check", ".")
    shutil.rmtree(parts.compose.parent, ignore_errors=True)
    fresh.rename(parts.compose.parent)


def get_engine(parts):
    if (parts.engine / "node_modules" / "chdb").is_dir():
        return
    needs("node", "npm")
    parts.engine.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, parts.engine / name)
    # Not `npm ci`: it wants the engine's builds for all other systems in the lock file too.
    run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer", "--no-save"], cwd=parts.engine)


GETTERS = {"kafka": get_kafka, "goflow2": get_goflow2, "compose": get_compose, "engine": get_engine}


def obtain(folder, only=tuple(GETTERS)):
    """All parts, or Unavailable. Several test programs may ask at the same time."""
    folder = Path(os.environ.get("CAM_PARTS_DIR") or folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    parts = Parts(folder)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in only:
            begin = time.monotonic()
            GETTERS[name](parts)
            if time.monotonic() - begin > 1:
                print(f"{name}: got in {time.monotonic() - begin:.0f} s", flush=True)
    return parts


def skipped(why):
    """The exit status of a test whose parts cannot be had."""
    required = os.environ.get("CAM_SCALE_OUT_REQUIRED") == "1"
    print(f"{'FAILED (CAM_SCALE_OUT_REQUIRED=1)' if required else 'SKIPPED'}: {why}", flush=True)
    return 1 if required else SKIPPED


def with_parts(play, options, only=tuple(GETTERS), programs=()):
    """The exit status of a test program that plays with these parts, and programs, in a folder of its own. `options` are
    asked for on its command line; `play` may return a status."""
    parser = argparse.ArgumentParser()
    for name in ("parts", *options):
        parser.add_argument(f"--{name}", required=True)
    asked = parser.parse_args()
    try:
        needs(*programs)
        parts = obtain(asked.parts, only)
    except Unavailable as why:
        return skipped(why)
    with tempfile.TemporaryDirectory() as folder:
        return play(asked, parts, Path(folder)) or 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", required=True)
    parser.add_argument("--only", default=",".join(GETTERS))
    asked = parser.parse_args()
    try:
        parts = obtain(asked.dir, asked.only.split(","))
    except Unavailable as why:
        return skipped(why)
    print(f"parts are in {parts.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
