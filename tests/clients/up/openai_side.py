"""OpenAI's answers: each function takes a request body and gives an object, a list of events, or None for a bad request."""
import base64
import hashlib
import json
import re
import struct
import time

from serving import new_id, token_count

TEXT = "Hello from the mock. 2+2=4. Grüße, 世界 🚀."
DONE = (None, "[DONE]")


def words(text):
    return re.findall(r"\S+\s*", text)


def smallest(schema):
    """A smallest value that fits a JSON schema."""
    if not isinstance(schema, dict):
        return "x"
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return smallest(schema[choice][0])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: smallest(properties.get(name, {})) for name in schema.get("required", list(properties))}
    return {"string": "Paris", "integer": 1, "number": 1.5, "boolean": True, "null": None, "array": []}.get(kind, "x")


def last_text(messages):
    """Role and text of the last message that is no system message."""
    spoken = [m for m in messages if m.get("role") not in ("system", "developer")]
    if not spoken:
        return "user", ""
    content = spoken[-1].get("content")
    if isinstance(content, list):
        if any(part.get("type") == "tool_result" for part in content):
            return "tool", ""
        content = " ".join(part.get("text", "") for part in content)
    return spoken[-1].get("role", "user"), content or ""


def calls_tool(messages, tools):
    role, text = last_text(messages)
    return bool(tools) and role == "user" and "TOOL" in text


def answer_text(body):
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_schema":
        return json.dumps(smallest(wanted["json_schema"].get("schema")))
    return '{"ok": true}' if wanted.get("type") == "json_object" else TEXT


def halves(text):
    return text[: len(text) // 2], text[len(text) // 2 :]


def chat(body):
    messages, tools = body.get("messages"), body.get("tools") or []
    if not isinstance(messages, list) or not body.get("model"):
        return None
    text, call = answer_text(body), None
    if calls_tool(messages, tools):
        function = tools[0].get("function") or tools[0]
        arguments = json.dumps(smallest(function.get("parameters") or {}))
        call = {"id": new_id("call_"), "type": "function", "function": {"name": function["name"], "arguments": arguments}}
    prompt, completion = token_count(messages), len(words(text))
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    base = {"id": new_id("chatcmpl-"), "created": int(time.time()), "model": body["model"]}
    return (chat_stream if body.get("stream") else chat_whole)(body, base, text, call, usage)


def chat_whole(body, base, text, call, usage):
    message = {"role": "assistant", "content": None if call else text, "refusal": None}
    if call:
        message["tool_calls"] = [call]
    choice = {"message": message, "logprobs": None, "finish_reason": "tool_calls" if call else "stop"}
    choices = [dict(choice, index=number) for number in range(body.get("n") or 1)]
    return dict(base, object="chat.completion", usage=usage, choices=choices)


def chat_stream(body, base, text, call, usage):
    def chunk(delta, finish=None):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return None, dict(base, object="chat.completion.chunk", choices=[choice])

    events = [chunk({"role": "assistant", "content": None if call else ""})]
    if call:
        named = dict(call, index=0, function=dict(call["function"], arguments=""))
        events.append(chunk({"tool_calls": [named]}))
        for half in halves(call["function"]["arguments"]):
            events.append(chunk({"tool_calls": [{"index": 0, "function": {"arguments": half}}]}))
    else:
        events += [chunk({"content": word}) for word in words(text)]
    events.append(chunk({}, "tool_calls" if call else "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append((None, dict(base, object="chat.completion.chunk", choices=[], usage=usage)))
    return events + [DONE]


def completions(body):
    base = {"id": new_id("cmpl-"), "object": "text_completion", "created": int(time.time()), "model": body.get("model")}

    def with_choice(text, finish):
        return dict(base, choices=[{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}])

    if body.get("stream"):
        return [(None, with_choice(word, None)) for word in words(TEXT)] + [(None, with_choice("", "stop")), DONE]
    return dict(with_choice(TEXT, "stop"), usage={"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12})


def embeddings(body):
    given = body.get("input")
    if given is None:
        return None
    texts = given if isinstance(given, list) and not (given and isinstance(given[0], int)) else [given]
    size = body.get("dimensions") or 16
    data = []
    for index, text in enumerate(texts):
        digest = hashlib.sha256(json.dumps(text).encode()).digest()
        vector = [(digest[k % 32] - 128) / 128 for k in range(size)]
        if body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack(f"<{size}f", *vector)).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    tokens = sum(token_count(text) for text in texts)
    return {"object": "list", "data": data, "model": body.get("model"), "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
