"""Captures of datagrams that no exporter of tests/data/flows sends: what is told of an ether type, and what not."""

import struct

RAW = 101
AT, UPTIME = 1_795_780_000, 3_600_000
MAC = bytes.fromhex("0200005e1001") + bytes.fromhex("0200005e1002")
V4 = bytes((198, 51, 100, 9, 192, 0, 2, 1))
V6 = bytes.fromhex("20010db8000000000000000000000009")


def write(path, payloads):
    """A pcap file with each payload in a UDP datagram over IPv4."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW)
    for payload in payloads:
        udp = struct.pack("!HHHH", 2055, 2055, 8 + len(payload), 0) + payload
        packet = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0) + bytes((127, 0, 0, 1)) * 2 + udp
        data += struct.pack("<IIII", AT, 0, len(packet), len(packet)) + packet
    path.write_bytes(data)
    return path


def flow_set(number, body):
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", number, 4 + len(body)) + body


def template(number, fields):
    return struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *field) for field in fields)


def netflow9():
    """A record with an IPv6 source and no destination."""
    sets = [flow_set(0, template(256, [(27, 16), (1, 4), (2, 4), (4, 1), (21, 4), (22, 4)])),
            flow_set(256, V6 + struct.pack("!IIBII", 1500, 1, 58, UPTIME - 10, UPTIME - 20))]
    return struct.pack("!HHIIII", 9, len(sets), UPTIME, AT, 1, 7) + b"".join(sets)


def ipfix():
    """A record of IPv4 whose ethernetType (element 256) is that of MPLS."""
    sets = [flow_set(2, template(257, [(8, 4), (12, 4), (256, 2), (1, 8), (2, 8), (4, 1), (152, 8), (153, 8)])),
            flow_set(257, V4 + struct.pack("!HQQBQQ", 0x8847, 1500, 1, 17, (AT - 2) * 1000, (AT - 1) * 1000))]
    body = b"".join(sets)
    return struct.pack("!HHIII", 10, 16 + len(body), AT, 1, 7) + body


def sflow(frames):
    """A datagram with a sample of each frame."""
    samples = b""
    for number, frame in enumerate(frames, 1):
        record = struct.pack("!IIII", 1, 1000, 4, len(frame)) + frame + bytes(-len(frame) % 4)
        sample = struct.pack("!IIIIIIII", number, 3, 512, 512 * number, 0, 4, 5, 1)
        sample += struct.pack("!II", 1, len(record)) + record
        samples += struct.pack("!II", 1, len(sample)) + sample
    return struct.pack("!II4sIIII", 5, 1, bytes((127, 0, 0, 1)), 0, 1, UPTIME, len(frames)) + samples


def sampled_frames():
    """IPv4 behind an MPLS label, IPv6 as it is, and ARP, which has no addresses of IP in a flow record."""
    udp = struct.pack("!HHHH", 53, 4444, 26, 0) + bytes(18)
    v4 = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(udp), 0, 61, 17, 0) + V4 + udp
    v6 = struct.pack("!IHBB", 6 << 28, len(udp), 17, 60) + V6 + V6[:-1] + b"\x01" + udp
    arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20)
    label = struct.pack("!I", 300 << 12 | 1 << 8 | 63)
    return [MAC + b"\x88\x47" + label + v4, MAC + b"\x86\xdd" + v6, MAC + b"\x08\x06" + arp]


def captures(folder):
    """Written to the folder; the name says which of a collector's ports is meant."""
    return [write(folder / "made-netflow.pcap", [netflow9(), ipfix()]),
            write(folder / "made-sflow.pcap", [sflow(sampled_frames())])]
