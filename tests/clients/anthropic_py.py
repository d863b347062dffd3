"""anthropic (PyPI), the official client, against /v1/messages. Adapted from the project's acceptance material
(accept/anthropic_py.py)."""
import anthropic
from checks import BASE_URL, KEY, MODEL, check, fails_with, finish

print("# anthropic-py", anthropic.__version__, "on", MODEL, flush=True)
client = anthropic.Anthropic(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=60)
HELLO = [{"role": "user", "content": "Say hello in five words."}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris? Use the TOOL."}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"name": "get_weather", "description": "weather of a city", "input_schema": CITY}]
THINKING = {"type": "enabled", "budget_tokens": 1024}


def create(**more):
    return client.messages.create(**{"model": MODEL, "messages": HELLO, "max_tokens": 32, **more})


@check("messages")
def _():
    reply = create(system="Be brief.")
    assert reply.content[0].text and reply.stop_reason in ("end_turn", "max_tokens"), reply
    assert reply.usage.output_tokens > 0 and reply.id and reply.model, reply


@check("messages: blocks, cache_control, metadata, stop_sequences")
def _():
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    spoken = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    assert create(system=system, messages=spoken, metadata={"user_id": "u1"}, stop_sequences=["ZZZ"]).content[0].text


@check("messages, streamed (stream helper)")
def _():
    with client.messages.stream(model=MODEL, max_tokens=32, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        message = stream.get_final_message()
    assert text == message.content[0].text and message.stop_reason and message.usage.output_tokens > 0, message


@check("messages, streamed: the events' order")
def _():
    kinds = [event.type for event in create(stream=True)]
    assert kinds[:2] == ["message_start", "content_block_start"], kinds
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"] and "content_block_delta" in kinds, kinds


@check("a tool use and its result", needs="tools")
def _():
    reply = create(messages=WEATHER, tools=TOOLS, max_tokens=256)
    use = next(block for block in reply.content if block.type == "tool_use")
    assert use.name == "get_weather" and use.input["city"] and reply.stop_reason == "tool_use", reply
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}]}
    spoken = [*WEATHER, {"role": "assistant", "content": reply.content}, result]
    assert create(messages=spoken, tools=TOOLS).content[0].text


@check("a tool use, streamed", needs="tools")
def _():
    with client.messages.stream(model=MODEL, max_tokens=256, messages=WEATHER, tools=TOOLS) as stream:
        message = stream.get_final_message()
    assert [block.input["city"] for block in message.content if block.type == "tool_use"], message


@check("thinking, and back with its signature", needs="thinking")
def _():
    reply = create(thinking=THINKING, max_tokens=2048)
    thought = reply.content[0]
    assert thought.type == "thinking" and thought.thinking and thought.signature and reply.content[1].text, reply
    spoken = [*HELLO, {"role": "assistant", "content": reply.content}, *HELLO]
    assert create(messages=spoken, thinking=THINKING, max_tokens=2048).content[1].text


@check("thinking, streamed", needs="thinking")
def _():
    with client.messages.stream(model=MODEL, max_tokens=2048, messages=HELLO, thinking=THINKING) as stream:
        kinds = {event.delta.type for event in stream if event.type == "content_block_delta"}
        message = stream.get_final_message()
    assert {"thinking_delta", "signature_delta", "text_delta"} <= kinds, kinds
    assert message.content[0].thinking and message.content[0].signature and message.content[1].text, message


@check("a beta header", needs="thinking")
def _():
    reply = client.beta.messages.create(model=MODEL, max_tokens=32, messages=HELLO, betas=["context-management-2025-06-27"])
    assert reply.content[0].text, reply


@check("count_tokens")
def _():
    assert client.messages.count_tokens(model=MODEL, messages=HELLO, system="Be brief.", tools=TOOLS).input_tokens > 0


@check("models.list")
def _():
    assert [model.id for model in client.models.list()]


@check("auth_token (bearer) in place of x-api-key")
def _():
    bearer = anthropic.Anthropic(base_url=BASE_URL, auth_token=KEY, api_key=None, max_retries=0)
    assert bearer.messages.create(model=MODEL, max_tokens=32, messages=HELLO).content


@check("a wrong key is an AuthenticationError", needs="keys")
def _():
    stranger = anthropic.Anthropic(base_url=BASE_URL, api_key="sk-wrong", max_retries=0)
    error = fails_with(anthropic.AuthenticationError)(lambda: stranger.messages.create(model=MODEL, max_tokens=8, messages=HELLO))
    assert error.body["type"] == "error" and error.body["error"]["type"] == "authentication_error", error.body


@check("a bad request is an invalid_request_error")
def _():
    error = fails_with(anthropic.BadRequestError)(lambda: create(messages="not a list"))
    assert error.body["error"]["type"] == "invalid_request_error", error.body


@check("an unknown model is a not_found_error")
def _():
    error = fails_with(anthropic.NotFoundError)(lambda: create(model="no-such-model"))
    assert error.body["error"]["type"] == "not_found_error", error.body


@check("a reply has a request id")
def _():
    assert client.messages.with_raw_response.create(model=MODEL, messages=HELLO, max_tokens=8).headers.get("request-id")


@check("a stream closed early")
def _():
    stream = create(stream=True)
    next(iter(stream))
    stream.close()
    assert create().content[0].text


finish()
