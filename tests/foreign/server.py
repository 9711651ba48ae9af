"""A Metronome of the built binary on a free port, with its data in a temporary folder; or one that runs already."""

import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import events

READABLE_MAX = 120.0


class Server:
    """Starts in `with`, stops at its end; what runs already at `url` is neither started nor stopped."""

    def __init__(self, binary, url=None):
        self.binary, self.url, self.process = binary, url, None

    def __enter__(self):
        if self.url:
            return self
        self.folder = tempfile.TemporaryDirectory(prefix="foreign-")
        root = pathlib.Path(self.folder.name)
        plain = {name: value for name, value in os.environ.items() if not name.startswith("METRONOME_")}
        command = [self.binary, "--config", events.CONFIG, "--data-dir", root / "data", "serve", "--listen", "127.0.0.1:0"]
        with open(root / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=plain, cwd=root)
        first = self.process.stdout.readline().decode()
        if "http://" not in first:
            raise SystemExit(f"it did not start: {(root / 'log').read_text()}")
        self.url = "http://" + first.rsplit("http://", 1)[1].strip()
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
            self.folder.cleanup()

    def call(self, method, path, body=None, headers=None):
        """Status and JSON of the answer."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.url + path, data, kind | (headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith("{") else {"detail": text}

    def curl(self, method, path, body=None):
        """The call as a line for a shell."""
        data = ["-H", "content-type: application/json", "-d", json.dumps(body, ensure_ascii=False)] if body else []
        return shlex.join(["curl", "-s", *(["-X", method] if method != "GET" and not body else []), self.url + path, *data])

    def routes(self):
        """The paths that it says it has, each with its parameters' names."""
        described = self.call("GET", "/openapi.json")[1]["paths"]
        named = lambda parameter: parameter.get("name") or parameter["$ref"].rsplit("/", 1)[1]
        return {path: {named(one) for call in calls.values() for one in call.get("parameters", [])} for path, calls in described.items()}

    def post_events(self, batches):
        """Posts all batches in order."""
        for batch in batches:
            lines = "\n".join(json.dumps(event, ensure_ascii=False) for event in batch.events)
            status, answer = self.call("POST", "/tick", lines.encode(), {"Content-Type": "application/x-ndjson"} | batch.headers)
            if status != 202 or answer["rejected"]:
                raise SystemExit(f"/tick answered {status}: {answer}")

    def stored(self, site):
        """Every event of a site as /events.json gives it back."""
        found, after = [], ""
        while after is not None:
            status, page = self.call("GET", f"/events.json?site={site}&range=all&bots=include&limit=1000{after}")
            if status != 200:
                raise SystemExit(f"/events.json answered {status}: {page}")
            found += page["events"]
            after = page["next"] and f"&after={page['next']}"
        return found

    def all_stored(self, count):
        """The events of all sites, once there are `count`."""
        began = time.monotonic()
        while True:
            found = [event for site in events.SITES for event in self.stored(site)]
            if len(found) == count:
                return found
            if len(found) > count or time.monotonic() - began > READABLE_MAX:
                raise SystemExit(f"{len(found)} events are readable of {count}")
            time.sleep(0.2)

    def seal(self):
        """Seals every day and waits until that is done."""
        status, job = self.call("POST", "/jobs", {"do": "seal"})
        while status in (200, 202) and job.get("state", "running") == "running":
            time.sleep(0.1)
            status, job = self.call("GET", f"/jobs/{job['id']}")
        if status != 200 or job["state"] != "done":
            raise SystemExit(f"sealing answered {status}: {job}")
