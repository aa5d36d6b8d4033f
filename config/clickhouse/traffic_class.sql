-- The narrowest traffic class of a record. What is not told is 0, and no class asks for that.
multiIf(
    proto = 17, 'udp',
    proto IN (1, 58), 'icmp',
    proto = 47, 'gre',
    proto = 50, 'esp',
    proto != 6, 'other',
    bitAnd(tcp_flags, 18) = 2, 'tcp_syn',
    bitAnd(tcp_flags, 63) = 16, 'tcp_ack',
    bitAnd(tcp_flags, 47) = 4, 'tcp_rst',
    'tcp')
