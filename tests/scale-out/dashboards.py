"""The dashboards' queries, as Grafana would send them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "config/scale-out/grafana/dashboards"


@dataclass(frozen=True)
class Query:
    where: str  # dashboard: panel
    text: str
    kind: str   # sql, variable or promql


def dashboards():
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def queries():
    found = []
    for name, dashboard in dashboards().items():
        for variable in dashboard["templating"]["list"]:
            found.append(Query(f"{name}: variable {variable['name']}", variable["query"], "variable"))
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                where = f"{name}: {panel['title']}"
                if "rawSql" in target:
                    found.append(Query(where, target["rawSql"], "sql"))
                else:
                    found.append(Query(where, target["expr"], "promql"))
    return found


def replace_macro(text, name, make):
    """Replaces name(ARGUMENT), whose argument may hold parentheses of its own."""
    while (begin := text.find(name + "(")) >= 0:
        at, depth = begin + len(name), 0
        for end in range(at, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        text = text[:begin] + make(text[at + 1:end]) + text[end + 1:]
    return text


def sql(text, start, end, seconds, prefix):
    """What the ClickHouse data source makes of a panel's query; times in seconds since 1970."""
    text = replace_macro(text, "$__timeFilter", lambda one: f"{one} >= toDateTime({start}) AND {one} <= toDateTime({end})")
    text = replace_macro(text, "$__timeInterval",
                         lambda one: f"toStartOfInterval(toDateTime({one}), INTERVAL {seconds} second)")
    text = text.replace("$__interval_s", str(seconds)).replace("${prefix:singlequote}", f"'{prefix}'")
    left = re.findall(r"\$[{_a-z]\S*", text)
    assert not left, f"a macro that the test does not know: {left}"
    return text


def promql(text):
    return text.replace("$__rate_interval", "1m").replace("$__range", "5m")


def metric_names(text):
    return set(re.findall(r"\b(?:cam|goflow2|ClickHouse[A-Za-z]*)_[A-Za-z0-9_]+|\bup\b", text))
