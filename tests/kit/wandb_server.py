"""A W&B server on the loopback: it answers what the client asks and keeps what it is sent."""

import gzip
import json
import re
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "0123456789abcdef0123456789abcdef01234567"


class WandbServer:
    """Keeps the runs it is sent, by their id.

    Attributes:
        asked: the names of the GraphQL operations, in their order.
        history: rows of each run; summary: the last one of each.
        files: content of each uploaded file by its name.
        runs: the variables of the mutation that began each run.
        views: the variables of each saved workspace.
        unknown: requests that nothing was known to answer.
    """

    def __init__(self):
        self.asked, self.unknown, self.views = [], [], []
        self.history, self.summary = defaultdict(list), defaultdict(dict)
        self.files, self.runs, self.done = {}, {}, set()
        handler = type("Handler", (_Handler,), {"kept": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client that goes leaves its connection
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, query, variables):
        """Answer one GraphQL operation."""
        operation = re.search(r"(?:query|mutation)\s+(\w+)", query)
        name = operation.group(1) if operation else query
        self.asked.append(name)
        answers = {
            "Viewer": self._viewer,
            "GetDefaultEntity": self._viewer,
            "UpsertBucket": self._bucket,
            "ArtifactType": lambda _: {"project": None},
            "CreateArtifact": self._artifact,
            "RunResumeStatus": self._resume,
            "CreateRunFiles": self._uploads,
            "UpsertView2": self._view,
            "ProjectInternalId": lambda _: {"project": {"internalId": "UHJvamVjdDo3"}},
        }
        if name not in answers:
            self.unknown.append((name, variables))
            return {}
        return answers[name](variables)

    def _viewer(self, _):
        me = {"id": "1", "entity": "me", "username": "me", "flags": "{}", "admin": False}
        return {"viewer": {**me, "email": "", "name": "me", "teams": {"edges": []}}}

    def _bucket(self, variables):
        name = variables.get("name") or variables.get("id")
        self.runs.setdefault(name, {}).update({k: v for k, v in variables.items() if v})
        project = {"id": "p", "name": variables["project"], "entity": {"id": "e", "name": "me"}}
        bucket = {"id": name, "name": name, "displayName": variables.get("displayName") or name,
                  "description": "", "config": "{}", "sweepName": None, "project": project,
                  "historyLineCount": len(self.history[name])}  # fmt: skip
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def _resume(self, variables):
        name = variables["name"]
        if name not in self.runs:
            return {"model": {"id": "p", "name": "p", "entity": {"id": "e", "name": "me"},
                              "bucket": None}}  # fmt: skip
        rows = self.history[name]
        bucket = {"id": name, "name": name, "historyLineCount": len(rows), "eventsLineCount": 0,
                  "logLineCount": 0, "summaryMetrics": json.dumps(self.summary[name]),
                  "historyTail": json.dumps([json.dumps(row) for row in rows[-1:]]),
                  "eventsTail": "[]", "config": self.runs[name].get("config", "{}"), "tags": [],
                  "displayName": name, "wandbConfig": '{"t": 1}'}  # fmt: skip
        project = {"id": "p", "name": "p", "entity": {"id": "e", "name": "me"}}
        return {"model": {**project, "bucket": bucket}}

    def _uploads(self, variables):
        files = [
            {"name": name, "uploadUrl": f"{self.url}/upload/{name}"} for name in variables["files"]
        ]
        return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}

    def _artifact(self, variables):
        """Say that the table is known already, so that its file alone is sent."""
        sequence = {"id": "s", "latestArtifact": {"id": "a", "versionIndex": 0}}
        artifact = {"id": "a", "state": "COMMITTED", "artifactSequence": sequence}
        return {"createArtifact": {"artifact": artifact}}

    def _view(self, variables):
        self.views.append(variables)
        view = {"id": "v", "name": variables["name"]}
        return {"upsertView": {"view": view, "inserted": True}}

    def stream(self, run, content):
        """Keep what a run sends while it goes on."""
        for name, part in (content.get("files") or {}).items():
            rows = [json.loads(line) for line in part["content"]] if name.endswith("l") else []
            if name == "wandb-history.jsonl":
                self.history[run] += rows
            if name == "wandb-summary.json":
                self.summary[run] = json.loads(part["content"][-1])
        if content.get("complete"):
            self.done.add(run)


class _Handler(BaseHTTPRequestHandler):
    kept: WandbServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Be quiet."""

    def _body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            data = b"".join(parts)
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def _send(self, content):
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self._body()
        if self.path.endswith("/graphql"):
            body = json.loads(body)
            found = self.kept.answer(body["query"], body.get("variables") or {})
            self._send({"data": found})
        elif self.path.endswith("/file_stream"):
            self.kept.stream(self.path.split("/")[-2], json.loads(body))
            self._send({})
        else:
            self._send({})

    def do_PUT(self):
        self.kept.files[self.path.removeprefix("/upload/")] = self._body()
        self._send({})

    def do_GET(self):
        self._send({})
