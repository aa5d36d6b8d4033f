#!/usr/bin/env python3
"""Runs pipeline_bench and reference.py on the same generated answer and in the same folder, and prints the ratios."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
STAGES = ("parse", "filter", "claim", "compose", "release", "total", "checkpoint")


def run_reference(answer, way, folder, runs):
    results = []
    for _ in range(runs):
        out = subprocess.run([sys.executable, HERE / "reference.py", answer, "--way", way, "--folder", folder],
                             check=True, capture_output=True, text=True)
        results.append(json.loads(out.stdout))
    # The run with the median wall time, whole, so that its stages add up.
    results.sort(key=lambda result: result["wall"]["total"])
    middle = results[len(results) // 2]
    return {"label": f"python, {way}", "peak_mib": middle["peak_mib"],
            **{f"{clock}_{stage}": middle[clock][stage] * 1000
               for clock in ("wall", "cpu") for stage in STAGES if stage in middle[clock]}}


# As the packaged units run the daemon: systemd/service-common.conf.
PACKAGED = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def run_ours(label, environment, program, answer, folder, seconds):
    out = subprocess.run([program, "--benchmark_filter=answers_before:0/heap_given_back:1", f"--benchmark_min_time={seconds}",
                          "--benchmark_format=json"], check=True, capture_output=True, text=True,
                         env={**os.environ, **environment, "CAM_BENCH_ANSWER": answer, "CAM_BENCH_FOLDER": folder})
    found = json.loads(out.stdout)["benchmarks"][0]
    return {"label": label, "where": found["label"],
            **{f"{clock}_{stage}": found[f"{stage}_{clock}_ms"] for clock in ("wall", "cpu") for stage in STAGES}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", required=True, help="folder with cam-bench-answer and pipeline_bench")
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the databases are made")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3, help="of each Python way; the median counts")
    parser.add_argument("--seconds", type=float, default=2.0, help="least measuring time for ours")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cam-compare-") as scratch:
        answer = os.path.join(scratch, "answer.json")
        with open(answer, "wb") as file:
            subprocess.run([os.path.join(asked.programs, "cam-bench-answer"), str(asked.rows)], check=True, stdout=file)
        seconds = asked.seconds if asked.rows >= 10_000 else 0.01
        program = os.path.join(asked.programs, "pipeline_bench")
        ours = [run_ours("ours", {}, program, answer, asked.folder, seconds),
                run_ours("ours, packaged", PACKAGED, program, answer, asked.folder, seconds)]
        ways = [run_reference(answer, way, asked.folder, asked.runs) for way in ("original", "batched")]
    print(f"{asked.rows} rows, {os.cpu_count()} cores, database on {ours[0]['where']}; medians, milliseconds (wall / CPU)")
    print(f"{'':18}" + "".join(f"{stage:>18}" for stage in STAGES))
    for result in (*ours, *ways):
        cells = (f"{result[f'wall_{s}']:8.1f} /{result[f'cpu_{s}']:7.1f}" if f"wall_{s}" in result else "-" for s in STAGES)
        print(f"{result['label']:18}" + "".join(f"{cell:>18}" for cell in cells))
    for result in ways:
        for us in ours:
            print(f"{result['label']} takes {result['wall_total'] / us['wall_total']:.1f} times the wall time and "
                  f"{result['cpu_total'] / us['cpu_total']:.1f} times the CPU time of {us['label']}")


if __name__ == "__main__":
    main()
