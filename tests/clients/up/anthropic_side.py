"""Anthropic's answers to `POST /v1/messages`: an object, a list of events, or None for a bad request."""
import json

from openai_side import TEXT, calls_tool, halves, smallest, words
from serving import new_id, token_count

THOUGHT = {"type": "thinking", "thinking": "A greeting is asked for. Five words.", "signature": "bW9jay1zaWduYXR1cmU="}


def messages(body):
    asked = body.get("messages")
    if not isinstance(asked, list) or not body.get("max_tokens"):
        return None
    tools = [tool for tool in body.get("tools") or [] if "input_schema" in tool]
    tool = tools[0] if calls_tool(asked, tools) else None
    wanted = (body.get("output_config") or {}).get("format") or {}
    block = {"type": "text", "text": json.dumps(smallest(wanted["schema"])) if "schema" in wanted else TEXT}
    if tool:
        block = {"type": "tool_use", "id": new_id("toolu_"), "name": tool["name"], "input": smallest(tool["input_schema"])}
    usage = {"input_tokens": token_count(asked), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    usage["output_tokens"] = len(words(TEXT))
    base = {"id": new_id("msg_"), "type": "message", "role": "assistant", "model": body.get("model"), "stop_sequence": None}
    stop = "tool_use" if tool else "end_turn"
    thinks = (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    blocks = [THOUGHT, block] if thinks else [block]
    if body.get("stream"):
        return stream(base, blocks, stop, usage)
    return dict(base, content=blocks, stop_reason=stop, usage=usage)


def event(kind, **fields):
    return kind, dict(fields, type=kind)


def block_events(index, block):
    """A block piece by piece."""
    if block["type"] == "tool_use":
        opening = dict(block, input={})
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves(json.dumps(block["input"]))]
    elif block["type"] == "thinking":
        opening = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": word} for word in words(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    else:
        opening = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in words(block["text"])]
    events = [event("content_block_start", index=index, content_block=opening), event("ping")]
    events += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    return events + [event("content_block_stop", index=index)]


def stream(base, blocks, stop, usage):
    start = dict(base, content=[], stop_reason=None, usage=dict(usage, output_tokens=1))
    events = [event("message_start", message=start)]
    for index, block in enumerate(blocks):
        events += block_events(index, block)
    end = {"stop_reason": stop, "stop_sequence": None}
    events.append(event("message_delta", delta=end, usage={"output_tokens": usage["output_tokens"]}))
    return events + [event("message_stop")]
