"""tshark's reading of a capture, as records of the same form as ours."""

import json
import subprocess


def walk(node):
    """Every object in a JSON tree, depth first."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value)


def first(record, *names):
    for name in names:
        if name in record:
            value = record[name]
            return value[0] if isinstance(value, list) else value
    return None


def flow_record(record):
    """NetFlow and IPFIX: the fields lie flat in the record."""
    src = first(record, "cflow.srcaddr", "cflow.srcaddrv6")
    dst = first(record, "cflow.dstaddr", "cflow.dstaddrv6")
    if src is None or dst is None:
        return None
    return (src, dst, int(first(record, "cflow.protocol")), int(first(record, "cflow.srcport") or 0),
            int(first(record, "cflow.dstport") or 0), int(first(record, "cflow.packets", "cflow.packets64")),
            int(first(record, "cflow.octets", "cflow.octets64")))


def read(capture, port):
    kind = "sflow" if port == 6343 else "cflow"
    text = subprocess.run(["tshark", "-r", str(capture), "-d", f"udp.port=={port},{kind}", "-T", "json",
                           "--no-duplicate-keys"], capture_output=True, text=True, check=True, timeout=120).stdout
    packets = json.loads(text)
    if kind == "sflow":
        return [one for packet in packets for one in samples(packet["_source"]["layers"])]
    found = []
    for packet in packets:
        for node in walk(packet["_source"]["layers"]["cflow"]):
            record = flow_record(node) if "cflow.protocol" in node else None
            if record is not None:
                found.append(record)
    return found


def samples(layers):
    """sFlow: the sampled packet is dissected within the sample."""
    for node in walk(layers["sflow"]):
        if "sflow_245.header.frame_length" not in node:
            continue
        inner = {}
        for part in walk(node):
            for name, value in part.items():
                inner.setdefault(name, value)
        src = first(inner, "ip.src", "ipv6.src")
        protocol = first(inner, "ip.proto", "ipv6.nxt")
        if src is None:
            continue
        yield (src, first(inner, "ip.dst", "ipv6.dst"), int(protocol),
               int(first(inner, "udp.srcport", "tcp.srcport") or 0),
               int(first(inner, "udp.dstport", "tcp.dstport") or 0), 1,
               int(node["sflow_245.header.frame_length"]))
