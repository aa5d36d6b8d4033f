"""Known traffic: frames of our own making, and what any exporter that sees all of them must add up to."""

import ipaddress
import socket
import struct
import time
from collections import Counter, namedtuple

ICMP, TCP, UDP, GRE, ESP, ICMPV6 = 1, 6, 17, 47, 50, 58

Flow = namedtuple("Flow", "src dst protocol sport dport packets payload flags")


def flows():
    """UDP, TCP with several flags, ICMP, GRE, ESP; both families; from one packet to a thousand."""
    out = []
    for i in range(1, 21):
        out.append(Flow(f"103.118.76.{i}", "185.54.82.4", UDP, 53, 443, 7 * i, 40 + 31 * i, 0))
    for i in range(1, 11):
        out.append(Flow(f"45.227.254.{i}", "185.54.80.9", TCP, 40000 + i, 80, 3 * i, 0, 0x02))
        out.append(Flow(f"8.8.8.{i}", "185.54.80.9", TCP, 443, 50000 + i, 5, 100 * i, 0x18))
        out.append(Flow(f"2001:4860::{i}", "2a02:4460::5", UDP, 53, 1000 + i, 4 * i, 20 * i, 0))
        out.append(Flow(f"2001:67c:2e8::{i}", "2a02:4460::6", TCP, 30000 + i, 443, i, 10, 0x10))
    out.append(Flow("193.0.6.7", "185.54.83.1", ICMP, 0, 0, 12, 56, 0))
    out.append(Flow("193.0.6.8", "185.54.83.2", GRE, 0, 0, 9, 300, 0))
    out.append(Flow("193.0.6.9", "185.54.83.3", ESP, 0, 0, 8, 200, 0))
    out.append(Flow("2001:67c:2e8::99", "2a02:4460::7", ICMPV6, 0, 0, 6, 48, 0))
    out.append(Flow("202.12.29.1", "185.54.82.4", UDP, 123, 80, 1000, 440, 0))
    return out


def transport_length(flow):
    return {TCP: 20, UDP: 8, ICMP: 8, ICMPV6: 8, GRE: 4, ESP: 8}[flow.protocol]


def ip_length(flow):
    """Bytes of one packet, from the IP header on."""
    return (40 if ":" in flow.src else 20) + transport_length(flow) + flow.payload


def totals(chosen):
    """(records' key without ports of protocols that have none) -> (packets, bytes)."""
    out = {}
    for flow in chosen:
        key = (flow.src, flow.dst, flow.protocol, flow.sport, flow.dport)
        out[key] = (flow.packets, flow.packets * ip_length(flow))
    return out


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def transport(flow):
    payload = b"\x5a" * flow.payload
    if flow.protocol == UDP:
        return struct.pack("!HHHH", flow.sport, flow.dport, 8 + flow.payload, 0) + payload
    if flow.protocol == TCP:
        return struct.pack("!HHIIBBHHH", flow.sport, flow.dport, 1, 1, 0x50, flow.flags, 1024, 0, 0) + payload
    if flow.protocol == ICMP:
        return struct.pack("!BBHHH", 8, 0, 0, 1, 1) + payload
    if flow.protocol == ICMPV6:
        return struct.pack("!BBHHH", 128, 0, 0, 1, 1) + payload
    if flow.protocol == GRE:
        return struct.pack("!HH", 0, 0x6558) + payload
    return struct.pack("!II", 0x1000, 1) + payload


def frame(flow):
    body = transport(flow)
    src = ipaddress.ip_address(flow.src).packed
    dst = ipaddress.ip_address(flow.dst).packed
    ethernet = bytes.fromhex("020000000002020000000001")
    if len(src) == 16:
        header = struct.pack("!IHBB", 0x60000000, len(body), flow.protocol, 64) + src + dst
        return ethernet + b"\x86\xdd" + header + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, flow.protocol, 0) + src + dst
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return ethernet + b"\x08\x00" + header + body


def send(interface, chosen, pause):
    """Interleaves the flows, one packet of each a turn, in small bursts so that nobody's ring overflows."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    left = Counter({flow: flow.packets for flow in chosen})
    frames = {flow: frame(flow) for flow in chosen}
    sent = 0
    while left:
        for flow in list(left):
            link.send(frames[flow])
            sent += 1
            if sent % 50 == 0:
                pause()
            left[flow] -= 1
            if left[flow] == 0:
                del left[flow]
    return sent


def send_no_ip(interface, count):
    """Frames of an EtherType for experiments (IEEE Std 802)."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    for _ in range(count):
        link.send(bytes.fromhex("02000000000202000000000188b5") + bytes(1000))
        time.sleep(0.0002)


def stream(interface, flow, packets_per_second, seconds):
    """One flow at a steady rate; the number of packets sent."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((interface, 0))
    data = frame(flow)
    begin = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - begin) < seconds:
        while sent < passed * packets_per_second:
            link.send(data)
            sent += 1
        time.sleep(0.02)
    return sent
