#!/usr/bin/env python3
"""The first COUNT packets of a pcap file. usage: cut.py COUNT FROM TO"""

import struct
import sys

count, source, target = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(source, "rb") as read, open(target, "wb") as write:
    write.write(read.read(24))
    for _ in range(count):
        header = read.read(16)
        if not header:
            break
        write.write(header + read.read(struct.unpack("!IIII", header)[2]))
