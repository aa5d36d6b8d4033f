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
    sampling: int = 1  # one packet in so many, as the exporter tells it
    sampling_source: str = ""  # where it must have been read, if it samples


def ipv4(flow):
    return ":" not in flow.src


SAMPLING = 8  # of those that sample
SOURCES = {"v5": "header", "v9": "options", "ipfix": "options", "sflow5": "sflow_sample"}


def sampled(exporter):
    exporter.name += "-sampled"
    exporter.sampling, exporter.sampling_source = SAMPLING, SOURCES[exporter.version]
    return exporter


def softflowd(version, name, *options):
    def start(link, folder, log):
        return [link.start("softflowd", "-d", "-i", link.watched, "-v", str(version), "-n", "127.0.0.1:2055", "-m",
                           "4096", "-t", "maxlife=300", "-p", str(folder / "softflowd.pid"), "-c",
                           str(folder / "softflowd.ctl"), *options, log=log)]

    def finish(link, folder):
        # libpcap holds the last packets back until more come: frames that are no IP, which nobody counts.
        link.inside(link.sender, sys.executable, str(HERE / "send.py"), "cam0", "--no-ip")
        time.sleep(1)
        link.inside(link.watcher, "softflowctl", "-c", str(folder / "softflowd.ctl"), "shutdown")

    sees = ipv4 if version == 5 else (lambda flow: True)
    return Exporter(f"softflowd-{name}", name, 2055, ["softflowd", "softflowctl"], start, sees, finish=finish)


def pmacctd(name, plugin, port, settings, **more):
    def start(link, folder, log):
        config = folder / f"pmacctd-{name}.conf"
        config.write_text("\n".join([
            "daemonize: false", f"pcap_interface: {link.watched}", f"plugins: {plugin}",
            "aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags", "promisc: true",
            "plugin_pipe_size: 8192000", "plugin_buffer_size: 8192", *settings, ""]))
        return [link.start("pmacctd", "-f", str(config), log=log)]

    return Exporter(f"pmacctd-{name}", name, port, ["pmacctd"], start, settle=3, **more)


def nfprobe(version, name, *more):
    settings = [*more, "nfprobe_receiver: 127.0.0.1:2055", f"nfprobe_version: {version}",
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
    every = [softflowd(5, "v5"), softflowd(9, "v9"), softflowd(10, "ipfix"),
             nfprobe(5, "v5"), nfprobe(9, "v9"), nfprobe(10, "ipfix")]
    every.append(pmacctd("sflow5", "sfprobe", 6343, ["sfprobe_receiver: 127.0.0.1:6343", "sampling_rate: 1"],
                         frame_overhead=18, linger=4))
    every.append(openvswitch("netflow", "v5", 2055, [
        "--", "set", "bridge", "br0", "netflow=@nf", "--", "--id=@nf", "create", "netflow",
        'targets="127.0.0.1:2055"', "active-timeout=5"], sees=ipv4, frame_overhead=14, linger=12))
    every.append(openvswitch("sflow", "sflow5", 6343, [
        "--", "set", "bridge", "br0", "sflow=@sf", "--", "--id=@sf", "create", "sflow", "agent=lo",
        'targets="127.0.0.1:6343"', "header=128", "sampling=1", "polling=0"], frame_overhead=18, linger=3))
    every.append(openvswitch("ipfix", "ipfix", 4739, [
        "--", "set", "bridge", "br0", "ipfix=@ip", "--", "--id=@ip", "create", "ipfix",
        'targets="127.0.0.1:4739"', "obs_domain_id=1", "obs_point_id=1", "sampling=1", "cache_active_timeout=4",
        "cache_max_flows=4096"], both_directions=True, linger=8))
    rate = f"sampling_rate: {SAMPLING}"
    every += [sampled(softflowd(version, name, "-s", str(SAMPLING)))
              for version, name in ((5, "v5"), (9, "v9"), (10, "ipfix"))]
    every += [sampled(nfprobe(version, name, rate)) for version, name in ((5, "v5"), (9, "v9"), (10, "ipfix"))]
    every.append(sampled(pmacctd("sflow5", "sfprobe", 6343, ["sfprobe_receiver: 127.0.0.1:6343", rate],
                                 frame_overhead=18, linger=4)))
    every.append(sampled(openvswitch("sflow", "sflow5", 6343, [
        "--", "set", "bridge", "br0", "sflow=@sf", "--", "--id=@sf", "create", "sflow", "agent=lo",
        'targets="127.0.0.1:6343"', "header=128", f"sampling={SAMPLING}", "polling=0"], frame_overhead=18, linger=3)))
    return every
