"""How each exporter is started, and what it sees."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent


@dataclass
class Exporter:
    name: str
    version: str  # as the `version` of a record
    port: int
    needs: list
    start: Callable  # (link, folder, log) -> processes, the last one to be ended first
    sees: Callable = field(default=lambda flow: True)
    finish: Callable = field(default=lambda link, folder: None)  # makes it tell what it has not told yet
    both_directions: bool = False  # each packet once as it enters and once as it leaves
    frame_overhead: int = 0  # bytes of a packet that are not layer 3
    settle: float = 1.5  # seconds until it watches
    linger: float = 1.0  # seconds until it has told what it saw
    one_in: int = 1  # the rate at which it samples packets
    sampling_source: str = ""  # where the rate is told, as `decode` names it; empty: not looked at


def ipv4(flow):
    return ":" not in flow.src


def softflowd(version, name, **more):
    def start(link, folder, log):
        sampling = ["-s", str(more["one_in"])] if "one_in" in more else []
        return [link.start("softflowd", "-d", "-i", link.watched, "-v", str(version), "-n", "127.0.0.1:2055", "-m",
                           "4096", "-t", "maxlife=300", "-p", str(folder / "softflowd.pid"), "-c",
                           str(folder / "softflowd.ctl"), *sampling, log=log)]

    def finish(link, folder):
        # libpcap holds the last packets back until more come: frames that are no IP, which nobody counts.
        link.inside(link.sender, sys.executable, str(HERE / "send.py"), "cam0", "--no-ip")
        time.sleep(1)
        link.inside(link.watcher, "softflowctl", "-c", str(folder / "softflowd.ctl"), "shutdown")

    sees = ipv4 if version == 5 else (lambda flow: True)
    suffix = "-sampled" if more else ""
    return Exporter(f"softflowd-{name}{suffix}", name, 2055, ["softflowd", "softflowctl"], start, sees, finish=finish,
                    **more)


def pmacctd(name, plugin, port, settings, **more):
    version = name.removesuffix("-sampled")

    def start(link, folder, log):
        config = folder / f"pmacctd-{name}.conf"
        config.write_text("\n".join([
            "daemonize: false", f"pcap_interface: {link.watched}", f"plugins: {plugin}",
            "aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags", "promisc: true",
            "plugin_pipe_size: 8192000", "plugin_buffer_size: 8192", *settings, ""]))
        return [link.start("pmacctd", "-f", str(config), log=log)]

    return Exporter(f"pmacctd-{name}", version, port, ["pmacctd"], start, settle=3, **more)


def nfprobe(version, name):
    settings = ["nfprobe_receiver: 127.0.0.1:2055", f"nfprobe_version: {version}",
                "nfprobe_timeouts: tcp=300:tcp.rst=300:tcp.fin=300:udp=300:icmp=300:general=300:maxlife=300:expint=60"]
    sees = ipv4 if version == 5 else (lambda flow: True)
    return pmacctd(name, "nfprobe", 2055, settings, sees=sees, linger=2)


def openvswitch(name, version, port, commands, **more):
    """A bridge of the userspace datapath between the link and nothing."""
    needs = ["ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovsdb-tool"]

    def start(link, folder, log):
        home = folder / f"ovs-{name}"
        home.mkdir()
        for variable in ("socket", "pid"):
            (home / variable).unlink(missing_ok=True)
        database, remote = home / "conf.db", f"unix:{home}/db.sock"
        link.inside(link.watcher, "ovsdb-tool", "create", str(database), "/usr/share/openvswitch/vswitch.ovsschema")
        server = link.start("ovsdb-server", str(database), f"--remote=p{remote}", f"--unixctl={home}/db.ctl", log=log)
        time.sleep(0.5)
        link.inside(link.watcher, "ovs-vsctl", "--no-wait", f"--db={remote}", "init")
        switch = link.start("env", f"OVS_RUNDIR={home}", "ovs-vswitchd", remote, "--disable-system",
                            f"--unixctl={home}/switch.ctl", log=log)
        control = ["ovs-vsctl", f"--db={remote}", "--timeout=10"]
        link.inside(link.watcher, *control, "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
                    "--", "add-port", "br0", link.watched)
        link.inside(link.watcher, *control, *commands)
        return [server, switch]

    return Exporter(f"openvswitch-{name}", version, port, needs, start, settle=3, **more)


def all_of_them():
    # softflowd 1.1.0 forgets the rate in NetFlow v5 and v9.
    every = [softflowd(5, "v5"), softflowd(9, "v9"), softflowd(10, "ipfix"),
             softflowd(9, "v9", one_in=5, sampling_source="options"), softflowd(5, "v5", one_in=5, sampling_source="header"),
             softflowd(10, "ipfix", one_in=5, sampling_source="options"),
             nfprobe(5, "v5"), nfprobe(9, "v9"), nfprobe(10, "ipfix")]
    every.append(pmacctd("sflow5", "sfprobe", 6343, ["sfprobe_receiver: 127.0.0.1:6343", "sampling_rate: 1"],
                         frame_overhead=18, linger=4))
    every.append(pmacctd("sflow5-sampled", "sfprobe", 6343, ["sfprobe_receiver: 127.0.0.1:6343", "sampling_rate: 4"],
                         frame_overhead=18, linger=4, one_in=4, sampling_source="sflow_sample"))
    every.append(openvswitch("netflow", "v5", 2055, [
        "--", "set", "bridge", "br0", "netflow=@nf", "--", "--id=@nf", "create", "netflow",
        'targets="127.0.0.1:2055"', "active-timeout=5"], sees=ipv4, frame_overhead=14, linger=12))
    every.append(openvswitch("sflow", "sflow5", 6343, [
        "--", "set", "bridge", "br0", "sflow=@sf", "--", "--id=@sf", "create", "sflow", "agent=lo",
        'targets="127.0.0.1:6343"', "header=128", "sampling=1", "polling=0"], frame_overhead=18, linger=3))
    every.append(openvswitch("sflow-sampled", "sflow5", 6343, [
        "--", "set", "bridge", "br0", "sflow=@sf", "--", "--id=@sf", "create", "sflow", "agent=lo",
        'targets="127.0.0.1:6343"', "header=128", "sampling=8", "polling=0"], frame_overhead=18, linger=3, one_in=8,
        sampling_source="sflow_sample"))
    every.append(openvswitch("ipfix", "ipfix", 4739, [
        "--", "set", "bridge", "br0", "ipfix=@ip", "--", "--id=@ip", "create", "ipfix",
        'targets="127.0.0.1:4739"', "obs_domain_id=1", "obs_point_id=1", "sampling=1", "cache_active_timeout=4",
        "cache_max_flows=4096"], both_directions=True, linger=8))
    return every
