-- Bytes of an address on the wire, four or sixteen, as IPv6; an unknown one is `::`.
multiIf(length(@argument@) = 4, CAST(toFixedString(concat(unhex('00000000000000000000FFFF'), @argument@), 16) AS IPv6),
    length(@argument@) = 16, CAST(toFixedString(@argument@, 16) AS IPv6), CAST(toFixedString('', 16) AS IPv6))
