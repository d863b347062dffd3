"""Anthropic's answers to `POST /v1/messages`: an object, a list of events, or None for a bad request."""
import json

from openai_side import TEXT, calls_tool, halves, smallest, words
from serving import new_id, token_count


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
    if body.get("stream"):
        return stream(base, block, stop, usage)
    return dict(base, content=[block], stop_reason=stop, usage=usage)


def stream(base, block, stop, usage):
    def event(kind, **fields):
        return kind, dict(fields, type=kind)

    if block["type"] == "tool_use":
        opening = dict(block, input={})
        deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves(json.dumps(block["input"]))]
    else:
        opening = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in words(block["text"])]
    start = dict(base, content=[], stop_reason=None, usage=dict(usage, output_tokens=1))
    events = [event("message_start", message=start), event("content_block_start", index=0, content_block=opening), event("ping")]
    events += [event("content_block_delta", index=0, delta=delta) for delta in deltas]
    events.append(event("content_block_stop", index=0))
    end = {"stop_reason": stop, "stop_sequence": None}
    events.append(event("message_delta", delta=end, usage={"output_tokens": usage["output_tokens"]}))
    return events + [event("message_stop")]
