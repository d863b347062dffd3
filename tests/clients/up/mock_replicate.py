#!/usr/bin/env python3
"""A stand-in for api.replicate.com: predictions with polling, `prefer: wait`, event streams and cancelling; models in pages. Standard
library only.

    mock_replicate.py [--port 18220] [--for-s 600] [--delay 0.03] [--queue 0.1]

`demo/embeddings` makes vectors out of `texts`, all others go on with `prompt`. Words in the prompt steer it: FAIL lets the prediction fail, HANG keeps it processing until it is canceled, %NNN% answers the create
call with that status. `GET /log` tells how many predictions were created and canceled. Keys begin with `r8_`. Adapted from the
project's acceptance material (accept/up/mock_replicate.py), which was checked with Replicate's own clients.
"""
import base64
import hashlib
import json
import os
import re
import threading
import time
from datetime import datetime, timezone

from serving import Handler, serve

CHANGED = threading.Condition()
PREDICTIONS = {}
MODELS = ["demo/embeddings", "demo/joined", "meta/llama-2-7b-chat", "meta/meta-llama-3-8b-instruct"]
RUNNING = ("starting", "processing")
TITLES = {402: "Insufficient credit", 429: "Too Many Requests"}
SHOWN = ("id", "model", "version", "input", "logs", "output", "error", "status", "created_at", "completed_at", "urls", "metrics")


def now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def version_of(model):
    return hashlib.sha256(model.encode()).hexdigest()


def model_object(model):
    owner, name = model.split("/")
    version = {"id": version_of(model), "created_at": "2024-04-17T22:53:53.100Z", "cog_version": "0.23.1"}
    url = f"https://replicate.com/{model}"
    return {"url": url, "owner": owner, "name": name, "visibility": "public", "run_count": 7, "latest_version": version}


def shown(prediction):
    with CHANGED:
        return json.loads(json.dumps({key: prediction[key] for key in SHOWN}))


def run(prediction, delay, queue):
    """The model at work, in a thread of its own."""
    time.sleep(queue)
    given, started, error = prediction["input"], time.time(), None
    asked = given.get("prompt", "")
    with CHANGED:
        if prediction["status"] == "starting":
            prediction["status"] = "processing"
        while "HANG" in asked and prediction["status"] == "processing":
            CHANGED.wait(1)
    if "texts" in given:
        with CHANGED:
            prediction["output"] = [[len(text), 0.25, -0.5, 1.0] for text in given["texts"]]
            prediction.update(status="succeeded", completed_at=now(), metrics={"predict_time": 0.01, "total_time": 0.02})
            return CHANGED.notify_all()
    limit = given.get("max_tokens") or 64
    for number, word in enumerate(re.findall(r"\S+\s*", f"You said: {asked}\nGrüße, 世界 🚀.")[:limit]):
        time.sleep(delay)
        with CHANGED:
            if prediction["status"] != "processing":
                break
            if "FAIL" in asked and number == 2:
                error = "CUDA out of memory (mock)"
                break
            prediction["pieces"].append(word)
            pieces = prediction["pieces"]
            prediction["output"] = "".join(pieces) if prediction["model"] == "demo/joined" else list(pieces)
            CHANGED.notify_all()
    with CHANGED:
        if prediction["status"] == "processing":
            prediction["status"] = "failed" if error else "succeeded"
        took = round(time.time() - started, 6)
        tokens = {"input_token_count": len(asked.split()), "output_token_count": len(prediction["pieces"])}
        prediction.update(error=error, completed_at=now(), metrics={"predict_time": took, "total_time": took + queue, **tokens})
        CHANGED.notify_all()


class Mock(Handler):
    def answer(self, path, body):
        if stream := re.fullmatch(r"/stream/(\w+)", path):
            return self.stream(stream[1])
        if path == "/log":
            all_of_them = list(PREDICTIONS.values())
            canceled = sum(one["status"] == "canceled" for one in all_of_them)
            return self.send(200, {"created": len(all_of_them), "canceled": canceled})
        if not re.match(r"(Bearer|Token) r8_", self.headers.get("authorization", "")):
            return self.problem(401, "Unauthenticated", "You did not pass a valid authentication token")
        own = re.fullmatch(r"/v1/(?:models|deployments)/([^/]+/[^/]+)/predictions", path)
        if self.command == "POST" and (own or path == "/v1/predictions"):
            return self.create(body, own[1] if own else self.model_of(body.get("version") or ""))
        if known := re.fullmatch(r"/v1/predictions/(\w+)(/cancel)?", path):
            return self.one(*known.groups())
        if path == "/v1/models":
            return self.page()
        self.problem(404, "Not Found", "The requested resource could not be found.")

    def problem(self, status, title, detail, extra=(), **more):
        self.send(status, {"title": title, "detail": detail, "status": status, **more}, extra, "application/problem+json")

    def base(self):
        return "http://" + self.headers.get("host", "127.0.0.1")

    def model_of(self, version):
        named = version.split(":")[0] if "/" in version else None
        return named or next((model for model in MODELS if version_of(model) == version), None)

    def page(self):
        start = int((re.search(r"cursor=(\d+)", self.query) or [0, 0])[1])
        after = start + 2
        following = f"{self.base()}/v1/models?cursor={after}" if after < len(MODELS) else None
        self.send(200, {"previous": None, "next": following, "results": [model_object(m) for m in MODELS[start:after]]})

    def one(self, name, cancel):
        prediction = PREDICTIONS.get(name)
        if not prediction:
            return self.problem(404, "Not Found", "The requested resource could not be found.")
        with CHANGED:
            if cancel and prediction["status"] in RUNNING:
                prediction.update(status="canceled", completed_at=now())
                CHANGED.notify_all()
        self.send(200, shown(prediction))

    def create(self, body, model):
        given = body.get("input")
        if model not in MODELS:
            return self.problem(404, "Not Found", "The requested resource could not be found.")
        field, kind = ("texts", list) if model == "demo/embeddings" else ("prompt", str)
        if not isinstance(given, dict) or not isinstance(given.get(field), kind):
            missing = [{"type": "required", "field": f"input.{field}", "description": f"{field} is required"}]
            return self.problem(422, "Input validation failed", f"- input: {field} is required\n", invalid_fields=missing)
        if wanted := re.search(r"%(\d{3})%", str(given[field])):
            status = int(wanted[1])
            extra = [("retry-after", "1")] if status == 429 else ()
            return self.problem(status, TITLES.get(status, "Error"), f"mock {status}", extra)
        name = base64.b32encode(os.urandom(16)).decode().lower().strip("=")
        get = f"{self.base()}/v1/predictions/{name}"
        prediction = dict.fromkeys(SHOWN) | {"id": name, "model": model, "version": version_of(model), "input": given, "logs": ""}
        prediction |= {"status": "starting", "created_at": now(), "pieces": []}
        prediction["urls"] = {"get": get, "cancel": get + "/cancel", "stream": f"{self.base()}/stream/{name}"}
        PREDICTIONS[name] = prediction
        options = self.server.options
        threading.Thread(target=run, args=(prediction, options.delay, options.queue), daemon=True).start()
        if wait := re.search(r"wait(?:=(\d+))?", self.headers.get("prefer", "")):
            with CHANGED:
                CHANGED.wait_for(lambda: prediction["status"] not in RUNNING, timeout=min(int(wait[1] or 60), 60))
        self.send(201, shown(prediction), [("location", get)])

    def stream(self, name):
        prediction = PREDICTIONS.get(name)
        if not prediction:
            return self.problem(404, "Not Found", "no such stream")
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b": hi\n\n")
        sent = 0
        while True:
            with CHANGED:
                CHANGED.wait_for(lambda: len(prediction["pieces"]) > sent or prediction["status"] not in RUNNING, timeout=60)
                new, status = prediction["pieces"][sent:], prediction["status"]
            for piece in new:
                self.event("output", sent, piece)
                sent += 1
            if status not in RUNNING:
                break
        if status == "failed":
            self.event("error", sent, json.dumps({"detail": prediction["error"]}))
        done = {"succeeded": {}, "failed": {"reason": "error"}, "canceled": {"reason": "canceled"}}[status]
        self.event("done", sent + 1, json.dumps(done))

    def event(self, kind, number, data):
        lines = "".join(f"data: {line}\n" for line in data.split("\n"))
        self.wfile.write(f"event: {kind}\nid: {int(time.time())}:{number}\n{lines}\n".encode())
        self.wfile.flush()


def options(parser):
    parser.add_argument("--delay", type=float, default=0.03, help="seconds a word takes")
    parser.add_argument("--queue", type=float, default=0.1, help="seconds before the model starts")


if __name__ == "__main__":
    serve(Mock, "replicate mock", default_port=18220, description=__doc__, options=options)
