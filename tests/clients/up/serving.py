"""What the stand-ins share: a threading HTTP server on loopback that reads bodies whole and writes JSON or server-sent events."""
import argparse
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def new_id(prefix):
    return prefix + os.urandom(12).hex()


def request_ids():
    """One id by the names that OpenAI and Anthropic have for it."""
    identity = new_id("req_")
    return [("x-request-id", identity), ("request-id", identity)]


def token_count(value):
    """About what a tokenizer would count."""
    return max(1, len(json.dumps(value)) // 4)


class Handler(BaseHTTPRequestHandler):
    """A subclass says what to answer in `answer(path, body)`, where `body` is the JSON object that was sent, or {}."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def handle_any(self):
        raw = self.read_body()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        path, _, self.query = self.path.partition("?")
        try:
            self.answer(path, body if isinstance(body, dict) else {})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def read_body(self):
        if "chunked" not in (self.headers.get("transfer-encoding") or ""):
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def send(self, status, value, extra=(), content_type="application/json"):
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        headers = [("content-type", content_type), ("content-length", str(len(body))), *request_ids(), *extra]
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_events(self, events, gap=0, cut=False):
        """events: (name or None, object or text); `cut` closes the connection after the fourth."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        for name, text in request_ids():
            self.send_header(name, text)
        self.end_headers()
        for number, (name, data) in enumerate(events):
            text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
            event = ((f"event: {name}\n" if name else "") + f"data: {text}\n\n").encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
            if cut and number == 3:
                self.close_connection = True
                return self.connection.shutdown(2)
            time.sleep(gap)
        self.wfile.write(b"0\r\n\r\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def serve(handler, name, default_port, description, options=None):
    """Serves on loopback until `--for-s` seconds are over. `options(parser)` adds options; all end up in `server.options`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=default_port, help="0: any free one; the first line of output names it")
    parser.add_argument("--for-s", type=float, default=600, help="ends by itself after this many seconds")
    if options:
        options(parser)
    chosen = parser.parse_args()
    server = Server(("127.0.0.1", chosen.port), handler)
    server.options = chosen
    end = threading.Timer(chosen.for_s, lambda: os._exit(0))
    end.daemon = True
    end.start()
    print(f"{name} on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
