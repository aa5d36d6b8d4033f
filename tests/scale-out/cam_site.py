"""The daemon with its simulated world, and a Prometheus that scrapes."""

import json
import socket
import urllib.parse

from programs import Program, eventually, free_port, http

ACCOUNT = "0123456789abcdef0123456789abcdef"
CLOUDFLARE = "tokenOfTheTest000000000000000000000000001"
BOT = "123456789:AAtokenOfTheTest0000000000000000001"
CHAT = 424242


class Simulator(Program):
    """Cloudflare and Telegram."""

    def __init__(self, program, folder):
        super().__init__("simulator", folder)
        self.program = program
        self.scenario = self.folder / "scenario.json"
        self.scenario.write_text(json.dumps({
            "cloudflare": {"api_token": CLOUDFLARE, "account_ids": [ACCOUNT]},
            "telegram": {"bot_token": BOT, "chats": [{"id": CHAT, "type": "private"}]}}))

    def start(self):
        port_file = self.folder / "port"
        self.spawn(self.program, "--scenario", self.scenario, "--port-file", port_file)
        port = self.ready(lambda: port_file.exists() and port_file.read_text().strip(), 20)
        self.url = f"http://127.0.0.1:{port}"
        return self

    def texts(self, part=""):
        """What Telegram accepted, oldest first."""
        answer = json.loads(http(f"{self.url}/sim/messages")[1])
        messages = answer if isinstance(answer, list) else answer["messages"]
        return [message["text"] for message in messages if part in message["text"]]


class Daemon(Program):
    """start() again after stop() or kill() goes on with the same files and ports."""

    def __init__(self, program, folder, simulator, traffic, flow=True, secrets=None, name="daemon"):
        super().__init__(name, folder)
        self.program, self.simulator, self.traffic, self.flow = program, simulator, traffic, flow
        self.api_port, self.flow_port = free_port(), free_port(socket.SOCK_DGRAM)
        self.settings = self.folder / "config" / "settings.json"
        self.settings.parent.mkdir()
        for file, text in (secrets or {}).items():
            (self.folder / "config" / file).write_text(text)

    def start(self):
        self.settings.write_text(json.dumps({
            "cloudflare": {"account_id": ACCOUNT, "api_token": CLOUDFLARE,
                           "api_url": f"{self.simulator.url}/client/v4"},
            "telegram": {"bot_token": BOT, "chat_id": str(CHAT), "api_url": f"{self.simulator.url}/telegram"},
            "services": {}, "api": {"listen": f"127.0.0.1:{self.api_port}"}, "traffic": self.traffic,
            "flow": {"enabled": self.flow, "workers": 1, "listen": [f"127.0.0.1:{self.flow_port}"]}}))
        begun = self.log.stat().st_size if self.log.exists() else 0
        self.spawn(self.program, "--config", self.settings)
        self.ready(lambda: http(f"http://127.0.0.1:{self.api_port}/healthz")[0] == 200, 30)
        if self.flow:
            self.ready(lambda: b"flow monitor listening" in self.log.read_bytes()[begun:], 30)
        return self

    def api(self, method, path, body=None):
        status, text = http(f"http://127.0.0.1:{self.api_port}{path}", json.dumps(body).encode() if body else None,
                            method=method)
        answer = json.loads(text)
        assert answer["success"], (method, path, status, text)
        return answer["result"]


class Prometheus(Program):
    """Scrapes each second; jobs: name and port."""

    def __init__(self, folder, jobs):
        super().__init__("prometheus", folder)
        self.port = free_port()
        scrapes = [{"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for name, port in jobs.items()]
        self.config = self.folder / "prometheus.yml"
        self.config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": scrapes}))

    def start(self):
        self.spawn("prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.folder}/tsdb",
                   f"--web.listen-address=127.0.0.1:{self.port}")
        self.ready(lambda: http(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200, 60)
        eventually(lambda: self.ask("up == 1"), 30, "a scrape")
        return self

    def ask(self, query):
        """The series; AssertionError if the query cannot be parsed."""
        status, text = http(f"http://127.0.0.1:{self.port}/api/v1/query?query={urllib.parse.quote(query)}")
        assert status == 200, (query, text)
        return json.loads(text)["data"]["result"]
