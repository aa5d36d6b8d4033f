"""Two network namespaces and a link between them: the sender's end, and the end that exporters watch."""

import os
import signal
import subprocess


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def end(process, patience=20):
    """The exit status after SIGTERM."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Link:
    """RuntimeError where namespaces are not allowed."""

    def __init__(self):
        self.sender = f"camflow{os.getpid()}a"
        self.watcher = f"camflow{os.getpid()}b"
        self.watched = "cam1"

    def __enter__(self):
        for name in (self.sender, self.watcher):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
            # No packets of the kernel's own on the link.
            self.inside(name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        run("ip", "-n", self.sender, "link", "add", "cam0", "type", "veth", "peer", "name", self.watched,
            "netns", self.watcher)
        for name, interface in ((self.sender, "cam0"), (self.watcher, self.watched)):
            run("ip", "-n", name, "link", "set", interface, "arp", "off", "up")
        return self

    def __exit__(self, *_):
        for name in (self.sender, self.watcher):
            run("ip", "netns", "delete", name, check=False)

    def inside(self, name, *command):
        return run("ip", "netns", "exec", name, *command)

    def start(self, *command, log, namespace=None):
        """A program in the namespace that watches. Ended by the caller."""
        return subprocess.Popen(["ip", "netns", "exec", namespace or self.watcher, *command], stdout=log, stderr=log)
