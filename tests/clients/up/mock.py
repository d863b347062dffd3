#!/usr/bin/env python3
"""A stand-in for two providers: OpenAI's chat, responses, completions, embeddings and models, and Anthropic's messages. Standard
library only.

    mock.py [--port 18080] [--for-s 600]

The model's name steers it: `err-NNN` answers with that status, `slow` leaves 50 ms between chunks, `cut` breaks a stream off after
four. If tools are offered and the last message is a user's and holds the word TOOL, the first tool is called. The key `sk-wrong` is
refused. Adapted from the project's acceptance material (accept/mock.py).
"""
import re

from anthropic_side import messages
from openai_side import chat, completions, embeddings
from responses_side import responses
from serving import Handler, new_id, serve, token_count

MODELS = ["mock-model", "mock-embed", "gpt-4o-mini", "claude-sonnet-4-5"]
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
ERROR_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}
ANSWERS = {"/chat/completions": chat, "/completions": completions, "/embeddings": embeddings, "/responses": responses, "/messages": messages}


class Mock(Handler):
    """Finds the answer to a request: an error that was asked for, a list, or what one of the two sides makes."""

    def answer(self, path, body):
        path = re.sub(r"^(/v1beta|/api/v1|/v1)(?=/)", "", path.rstrip("/") or "/")
        model = str(body.get("model", ""))
        wanted = re.fullmatch(r"err-(\d{3})", model)
        if self.key() == "sk-wrong":
            return self.fail(401, path)
        if wanted or model == "no-such-model":
            return self.fail(int(wanted[1]) if wanted else 404, path)
        if path == "/models":
            return self.send(200, self.model_list())
        if path.startswith("/models/"):
            name = path.removeprefix("/models/")
            return self.send(200, model_object(name)) if name in MODELS else self.fail(404, path)
        if path == "/messages/count_tokens":
            return self.send(200, {"input_tokens": token_count(body)})
        if path not in ANSWERS:
            return self.fail(404, path)
        made = ANSWERS[path](body)
        if made is None:
            return self.fail(400, path)
        if isinstance(made, dict):
            return self.send(200, made)
        self.send_events(made, gap=0.05 if "slow" in model else 0, cut="cut" in model)

    def key(self):
        bearer = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        return bearer or self.headers.get("x-api-key") or self.headers.get("api-key") or ""

    def model_list(self):
        if self.headers.get("anthropic-version"):
            listed = [{"type": "model", "id": m, "display_name": m, "created_at": "2025-01-01T00:00:00Z"} for m in MODELS]
            return {"data": listed, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
        return {"object": "list", "data": [model_object(m) for m in MODELS]}

    def fail(self, status, path):
        kind, message = ERROR_TYPES.get(status, "api_error"), f"mock error {status}"
        extra = [("retry-after", "1")] if status in (429, 503) else []
        if path.startswith("/messages"):
            error = {"type": "error", "error": {"type": kind, "message": message}, "request_id": new_id("req_")}
        else:
            error = {"error": {"message": message, "type": kind, "param": None, "code": ERROR_CODES.get(status)}}
        self.send(status, error, extra)


def model_object(name):
    return {"id": name, "object": "model", "created": 1700000000, "owned_by": "mock"}


if __name__ == "__main__":
    serve(Mock, "mock", default_port=18080, description=__doc__)
