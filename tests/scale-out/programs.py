"""The parts as processes on loopback, each on free ports, each ended by its own process id."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
SERVER_CONFIG = HERE.parents[1] / "config" / "scale-out" / "clickhouse" / "config.xml"  # the compose file's


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def eventually(condition, seconds, what, every=0.2):
    """The first true value of condition(), asked every so many seconds, or AssertionError that says what did not come."""
    end_at = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end_at:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(every)
    return found


def http(url, body=None, headers=None, seconds=30, method=None):
    """(status, text); 0 and the reason if nobody answers."""
    request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (OSError, urllib.error.URLError) as error:
        return 0, str(error)


class Program:
    """A process with a log of its own. start() again after stop() or kill() is a restart."""

    def __init__(self, name, folder):
        self.name, self.folder = name, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "log"
        self.process = None

    def spawn(self, *command, **environment):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.folder, env={**os.environ, **environment})

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def ready(self, condition, seconds):
        def is_ready():
            if not self.alive():
                raise AssertionError(f"{self.name} ended at once: {self.tail()}")
            return condition()
        return eventually(is_ready, seconds, f"{self.name} ready: {self.tail()}")

    def stop(self, seconds=30):
        """SIGTERM, then SIGKILL; the exit status."""
        if not self.process:
            return None
        if self.alive():
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def kill(self):
        self.process.kill()
        return self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def tail(self, length=2500):
        return self.log.read_text(errors="replace")[-length:] if self.log.exists() else ""


class Kafka(Program):
    """One broker that is its own controller. Topics come into being with the first message."""

    def __init__(self, parts, folder, partitions=3):
        super().__init__("kafka", folder)
        self.jars = f"{parts.kafka}/*"
        self.port = free_port()
        controller = free_port()
        self.brokers = f"127.0.0.1:{self.port}"
        self.properties = self.folder / "server.properties"
        self.properties.write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
log.dirs={self.folder}/data
num.partitions={partitions}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
""")
        subprocess.run(["java", "-Xmx256m", "-cp", self.jars, "kafka.tools.StorageTool", "format", "-t",
                        "AAAAAAAAAAAAAAAAAAAAAQ", "-c", str(self.properties)], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        begun = self.log.stat().st_size if self.log.exists() else 0
        log = "-Dorg.slf4j.simpleLogger"
        self.spawn("java", "-Xmx384m", "-XX:+UseSerialGC", f"{log}.defaultLogLevel=error",
                   f"{log}.log.kafka.server.KafkaRaftServer=info", "-cp", self.jars, "kafka.Kafka", self.properties)
        self.ready(lambda: b"Kafka Server started" in self.log.read_bytes()[begun:], 60)
        return self

    def create(self, topic, partitions=3):
        from confluent_kafka.admin import AdminClient, NewTopic
        admin = AdminClient({"bootstrap.servers": self.brokers})  # ends its requests when it is forgotten
        admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)

    def messages(self, topic):
        """How many messages the topic holds, over all partitions; None: there is no such topic (yet)."""
        from confluent_kafka import Consumer, KafkaException, TopicPartition
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "cam-count"})
        try:
            known = consumer.list_topics(topic, timeout=10).topics[topic]
            marks = [consumer.get_watermark_offsets(TopicPartition(topic, one), timeout=10)
                     for one in known.partitions]
            return sum(high - low for low, high in marks)
        except (KafkaException, KeyError):
            return None
        finally:
            consumer.close()

    def is_acknowledged(self, topic, group):
        """Whether that consumer group has acknowledged all that the topic holds."""
        from confluent_kafka import Consumer, KafkaException, TopicPartition
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": group})
        try:
            known = consumer.list_topics(topic, timeout=10).topics[topic]
            committed = consumer.committed([TopicPartition(topic, one) for one in known.partitions], timeout=10)
            return all(consumer.get_watermark_offsets(one, timeout=10)[1] == max(one.offset, 0) for one in committed)
        except (KafkaException, KeyError):
            return False
        finally:
            consumer.close()

    def read(self, topic, count, seconds=30):
        """The bodies of `count` messages from the topic's beginning, or AssertionError."""
        from confluent_kafka import Consumer, TopicPartition
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "cam-read", "enable.auto.commit": False})
        try:
            known = consumer.list_topics(topic, timeout=10).topics[topic]
            consumer.assign([TopicPartition(topic, one, 0) for one in known.partitions])
            bodies, end_at = [], time.monotonic() + seconds
            while len(bodies) < count and time.monotonic() < end_at:
                message = consumer.poll(0.5)
                if message is not None and not message.error():
                    bodies.append(message.value())
            assert len(bodies) == count, f"{topic}: {len(bodies)} of {count} messages"
            return bodies
        finally:
            consumer.close()


class GoFlow2(Program):
    def __init__(self, parts, folder, kafka, topic="flows"):
        super().__init__("goflow2", folder)
        self.parts, self.kafka, self.topic = parts, kafka, topic
        self.netflow, self.sflow = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
        self.web = free_port()

    def start(self):
        self.spawn(self.parts.goflow2, "-listen", f"netflow://127.0.0.1:{self.netflow}?count=1&workers=1,"
                   f"sflow://127.0.0.1:{self.sflow}?count=1&workers=1", "-format", "bin", "-transport", "kafka",
                   "-transport.kafka.brokers", self.kafka.brokers, "-transport.kafka.topic", self.topic,
                   "-transport.kafka.flushfreq", "200ms", "-addr", f"127.0.0.1:{self.web}")
        self.ready(lambda: http(f"http://127.0.0.1:{self.web}/metrics")[0] == 200, 30)
        return self


class ZooKeeper(Program):
    """The distribution's, one node. Keeps port and data over restarts."""

    JAR = Path("/usr/share/java/zookeeper.jar")

    def __init__(self, folder):
        super().__init__("zookeeper", folder)
        self.port = free_port()
        (self.folder / "zoo.cfg").write_text(f"""tickTime=500
dataDir={self.folder}/data
clientPort={self.port}
clientPortAddress=127.0.0.1
admin.enableServer=false
4lw.commands.whitelist=ruok
""")

    def start(self):
        self.spawn("java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", self.JAR,
                   "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zoo.cfg")
        self.ready(self.is_ok, 60)
        return self

    def is_ok(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as one:
                one.sendall(b"ruok")
                return one.recv(16) == b"imok"
        except OSError:
            return False


class Engine(Program):
    """The ClickHouse engine behind its HTTP interface; keeps port and data over restarts. config: a server's config.xml;
    without one the engine treats Kafka as the compose file's server does."""

    PASSWORD = "wordOfTheTest01"

    def __init__(self, parts, folder, config=None, options=()):
        super().__init__("engine", folder)
        self.parts, self.options = parts, options
        self.config = config or self.folder / "config.xml"
        if not config:
            kafka = ElementTree.tostring(ElementTree.parse(SERVER_CONFIG).find("kafka"), encoding="unicode")
            self.config.write_text(f"<clickhouse>{kafka}</clickhouse>\n")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        self.spawn("node", HERE / "chdb_front.mjs", "--data", self.folder / "data", "--port", self.port,
                   "--config", self.config, *self.options,
                   CAM_CHDB_DIR=str(self.parts.engine), CHDB_FRONT_PASSWORD=self.PASSWORD)
        self.ready(lambda: http(f"{self.url}/ping")[0] == 200, 60)
        return self

    def ask(self, query, database="default", seconds=60, **parameters):
        """The answer's text; AssertionError with the server's words on failure."""
        options = "".join(f"&{name}={urllib.request.quote(str(value))}" for name, value in parameters.items())
        status, text = http(f"{self.url}/?database={database}{options}", query.encode(),
                            {"X-ClickHouse-User": "default", "X-ClickHouse-Key": self.PASSWORD}, seconds)
        assert status == 200, f"{query[:300]}: {status} {text[:600]}"
        return text.strip()

    def rows(self, query, database="default", **parameters):
        text = self.ask(f"{query} FORMAT JSONEachRow", database, **parameters)
        return [json.loads(line) for line in text.splitlines()]


@contextlib.contextmanager
def ending(*programs):
    """Whatever happens inside, the programs are ended, the last first; on failure their logs are shown."""
    try:
        yield
    except BaseException:
        for program in programs:
            print(f"--- log of {program.name} in {program.folder}\n{program.tail()}", file=sys.stderr)
        raise
    finally:
        for program in reversed(programs):
            if program.process:
                if program.alive():
                    program.go_on()
                program.stop(10)
