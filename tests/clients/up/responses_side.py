"""OpenAI's answers to `POST /v1/responses`: an object, a list of events, or None for a bad request."""
import json
import time

from openai_side import TEXT, calls_tool, halves, smallest, words
from serving import new_id, token_count


def responses(body):
    asked = body.get("input")
    if not isinstance(asked, (str, list)):
        return None
    messages = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    tools = [tool for tool in body.get("tools") or [] if tool.get("type") == "function"]
    tool = tools[0] if calls_tool(messages, tools) else None
    item = function_call(tool) if tool else message(body)
    prompt, completion = token_count(asked), len(words(TEXT))
    usage = {"input_tokens": prompt, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": completion}
    usage |= {"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": prompt + completion}
    done = dict(opening(body), status="completed", output=[item], usage=usage)
    return stream(done, item) if body.get("stream") else done


def opening(body):
    told = {name: body.get(name) for name in ("instructions", "model", "previous_response_id", "max_output_tokens")}
    fixed = {"object": "response", "error": None, "incomplete_details": None, "parallel_tool_calls": True}
    chosen = {"tool_choice": body.get("tool_choice") or "auto", "tools": body.get("tools") or [], "metadata": {}}
    return {"id": new_id("resp_"), "created_at": int(time.time()), "temperature": 1.0, "top_p": 1.0} | fixed | told | chosen


def message(body):
    wanted = (body.get("text") or {}).get("format") or {}
    text = json.dumps(smallest(wanted["schema"])) if "schema" in wanted else TEXT
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": new_id("msg_"), "type": "message", "status": "completed", "role": "assistant", "content": [part]}


def function_call(tool):
    call = {"id": new_id("fc_"), "type": "function_call", "status": "completed", "call_id": new_id("call_")}
    return call | {"name": tool["name"], "arguments": json.dumps(smallest(tool.get("parameters") or {}))}


def stream(done, item):
    events = []

    def event(kind, **fields):
        events.append((kind, {"type": kind, "sequence_number": len(events), **fields}))

    unfinished = dict(done, status="in_progress", output=[], usage=None)
    event("response.created", response=unfinished)
    event("response.in_progress", response=unfinished)
    at = {"item_id": item["id"], "output_index": 0}
    if item["type"] == "function_call":
        event("response.output_item.added", output_index=0, item=dict(item, status="in_progress", arguments=""))
        for half in halves(item["arguments"]):
            event("response.function_call_arguments.delta", **at, delta=half)
        event("response.function_call_arguments.done", **at, arguments=item["arguments"], name=item["name"])
    else:
        part, at = item["content"][0], dict(at, content_index=0)
        event("response.output_item.added", output_index=0, item=dict(item, status="in_progress", content=[]))
        event("response.content_part.added", **at, part=dict(part, text=""))
        for word in words(part["text"]):
            event("response.output_text.delta", **at, delta=word, logprobs=[])
        event("response.output_text.done", **at, text=part["text"], logprobs=[])
        event("response.content_part.done", **at, part=part)
    event("response.output_item.done", output_index=0, item=item)
    event("response.completed", response=done)
    return events
