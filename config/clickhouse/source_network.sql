-- The /24 or /64 of the source.
CAST(bitAnd(reinterpret(src_addr, 'FixedString(16)'),
    if(src_addr BETWEEN toIPv6('::ffff:0.0.0.0') AND toIPv6('::ffff:255.255.255.255'),
        toFixedString(unhex('FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00'), 16), toFixedString(unhex('FFFFFFFFFFFFFFFF0000000000000000'), 16))) AS IPv6)
