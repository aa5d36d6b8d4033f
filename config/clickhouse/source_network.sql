-- The /24 or /64 of the source.
if(startsWith(reinterpretAsString(src_addr), unhex('00000000000000000000FFFF')),
    tupleElement(IPv6CIDRToRange(src_addr, 120), 1), tupleElement(IPv6CIDRToRange(src_addr, 64), 1))
