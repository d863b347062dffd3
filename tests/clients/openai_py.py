"""openai (PyPI), the official client, sync and async. Adapted from the project's acceptance material (accept/openai_py.py)."""
import asyncio
import json

import openai
import pydantic
from checks import AS_JSON, BASE_URL, EMBED_MODEL, KEY, MODEL, check, fails_with, finish

print("# openai-py", openai.__version__, "on", MODEL, flush=True)
client = openai.OpenAI(base_url=BASE_URL + "/v1", api_key=KEY, max_retries=0, timeout=60)
HELLO = [{"role": "user", "content": "Say hello in five words."}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris? Use the TOOL."}]
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY, "strict": True}}]


def create(**more):
    return client.chat.completions.create(**{"model": MODEL, "messages": HELLO, "max_tokens": 32, **more})


@check("models.list")
def _():
    assert [model.id for model in client.models.list()]


@check("models.retrieve", needs="models")
def _():
    assert client.models.retrieve(MODEL).id == MODEL


@check("models.retrieve of an unknown one is 404")
def _():
    fails_with(openai.NotFoundError)(lambda: client.models.retrieve("no-such-model"))


@check("chat")
def _():
    reply = create()
    choice = reply.choices[0]
    assert choice.message.content and choice.finish_reason in ("stop", "length"), reply
    assert reply.usage.total_tokens > 0 and reply.id and reply.model, reply


@check("chat, streamed, with usage")
def _():
    text, chunks, usage, finish_reason = "", 0, None, None
    for chunk in create(stream=True, stream_options={"include_usage": True}):
        chunks += 1
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish_reason = choice.finish_reason or finish_reason
    assert text and chunks > 3 and usage and usage.completion_tokens > 0 and finish_reason, (text, chunks, usage, finish_reason)


@check("chat, streamed, shows no usage unasked")
def _():
    assert all(chunk.choices or chunk.usage is None for chunk in create(stream=True, max_tokens=8))


@check("a conversation with a system message")
def _():
    spoken = [{"role": "system", "content": "Be brief."}, *HELLO, {"role": "assistant", "content": "Hello."}, *HELLO]
    assert create(messages=spoken, temperature=0, stop=["ZZZ"]).choices[0].message.content


@check("a tool call and its answer", needs="tools")
def _():
    message = create(messages=WEATHER, tools=TOOLS, tool_choice="auto").choices[0].message
    call = message.tool_calls[0]
    assert call.function.name == "get_weather" and "city" in json.loads(call.function.arguments), message
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    assert create(messages=[*WEATHER, message, result], tools=TOOLS).choices[0].message.content


@check("a tool call, streamed (stream helper)", needs="tools")
def _():
    with client.chat.completions.stream(model=MODEL, messages=WEATHER, tools=TOOLS) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls[0].function.name == "get_weather" and "tool_calls.function.arguments.done" in kinds, kinds


@check("structured output (parse)", needs="json")
def _():
    class Answer(pydantic.BaseModel):
        city: str
        n: int

    asked = [{"role": "user", "content": AS_JSON}]
    reply = client.chat.completions.parse(model=MODEL, messages=asked, response_format=Answer, max_tokens=200, temperature=0)
    assert isinstance(reply.choices[0].message.parsed, Answer)


@check("embeddings (base64, the client's default)", needs="embeddings")
def _():
    vectors = client.embeddings.create(model=EMBED_MODEL, input=["a", "b"]).data
    assert len(vectors) == 2 and len(vectors[0].embedding) > 3 and isinstance(vectors[0].embedding[0], float)


@check("embeddings (float)", needs="embeddings")
def _():
    assert len(client.embeddings.create(model=EMBED_MODEL, input="a", encoding_format="float").data) == 1


@check("completions", needs="completions")
def _():
    assert client.completions.create(model=MODEL, prompt="hi", max_tokens=8).choices[0].text


@check("a wrong key is an AuthenticationError", needs="keys")
def _():
    stranger = openai.OpenAI(base_url=BASE_URL + "/v1", api_key="sk-wrong", max_retries=0)
    fails_with(openai.AuthenticationError)(lambda: stranger.chat.completions.create(model=MODEL, messages=HELLO))


@check("a bad request is a BadRequestError")
def _():
    error = fails_with(openai.BadRequestError, openai.UnprocessableEntityError)(lambda: create(messages="not a list"))
    assert error.body is not None


@check("an unknown model is an error with a body")
def _():
    error = fails_with(openai.NotFoundError, openai.BadRequestError)(lambda: create(model="no-such-model"))
    assert error.body


@check("20 streams at once")
def _():
    async def one(aio):
        text = ""
        async for chunk in await aio.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=16, stream=True):
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
        assert text

    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=BASE_URL + "/v1", api_key=KEY, max_retries=0, timeout=120) as aio:
            await asyncio.gather(*[one(aio) for _ in range(20)])

    asyncio.run(all_of_them())


@check("a reply has a request id")
def _():
    assert client.chat.completions.with_raw_response.create(model=MODEL, messages=HELLO, max_tokens=8).headers.get("x-request-id")


@check("a stream closed early")
def _():
    stream = create(stream=True, max_tokens=64)
    next(iter(stream))
    stream.close()
    assert create().choices[0].message.content


finish()
