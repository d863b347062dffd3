"""openai (PyPI), the official client, against /v1/responses. Adapted from the project's acceptance material (accept/openai_py.py)."""
import json

import openai
import pydantic
from checks import AS_JSON, BASE_URL, KEY, MODEL, check, fails_with, finish

print("# responses-py", openai.__version__, "on", MODEL, flush=True)
client = openai.OpenAI(base_url=BASE_URL + "/v1", api_key=KEY, max_retries=0, timeout=60)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOLS = [{"type": "function", "name": "get_weather", "description": "weather of a city", "parameters": CITY, "strict": True}]
WEATHER = [{"role": "user", "content": "What is the weather in Paris? Use the TOOL."}]


def create(**more):
    return client.responses.create(**{"model": MODEL, "input": "Say hello.", "max_output_tokens": 64, **more})


@check("a response")
def _():
    reply = create(instructions="Be brief.")
    assert reply.output_text and reply.status in ("completed", "incomplete") and reply.id, reply
    assert reply.usage.output_tokens > 0 and reply.usage.total_tokens >= reply.usage.output_tokens, reply


@check("a response to a conversation")
def _():
    said = {"role": "assistant", "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}
    asked = {"role": "user", "content": [{"type": "input_text", "text": "Again."}]}
    assert create(input=[{"role": "developer", "content": "Be brief."}, asked, said, asked]).output_text


@check("a response, streamed: typed events in order")
def _():
    events = list(create(stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"], kinds
    assert kinds[-1] in ("response.completed", "response.incomplete"), kinds
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers)), numbers
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text and text == events[-1].response.output_text, (text, events[-1])


@check("a response, streamed (stream helper)")
def _():
    with client.responses.stream(model=MODEL, input="Say hello.") as stream:
        events = list(stream)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    # A small model may go on until it is stopped.
    assert events[-1].type in ("response.completed", "response.incomplete"), events[-1]
    reply = events[-1].response
    assert text == reply.output_text and reply.usage.output_tokens > 0, reply


@check("a function call and its output", needs="tools")
def _():
    reply = create(input=WEATHER, tools=TOOLS)
    call = next(item for item in reply.output if item.type == "function_call")
    assert call.name == "get_weather" and "city" in json.loads(call.arguments), reply
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    assert create(input=[*WEATHER, *reply.output, output], tools=TOOLS).output_text


@check("a function call, streamed", needs="tools")
def _():
    events = list(create(input=WEATHER, tools=TOOLS, stream=True))
    arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    done = next(event for event in events if event.type == "response.function_call_arguments.done")
    call = next(item for item in events[-1].response.output if item.type == "function_call")
    assert json.loads(arguments)["city"] and arguments == done.arguments == call.arguments, (arguments, done, call)


@check("structured output (parse)", needs="json")
def _():
    class Answer(pydantic.BaseModel):
        city: str
        n: int

    reply = client.responses.parse(model=MODEL, input=AS_JSON, text_format=Answer, temperature=0)
    assert isinstance(reply.output_parsed, Answer)


@check("a wrong key is an AuthenticationError", needs="keys")
def _():
    stranger = openai.OpenAI(base_url=BASE_URL + "/v1", api_key="sk-wrong", max_retries=0)
    fails_with(openai.AuthenticationError)(lambda: stranger.responses.create(model=MODEL, input="hi"))


@check("a bad request is a BadRequestError")
def _():
    assert fails_with(openai.BadRequestError)(lambda: create(input=7)).body is not None


@check("an unknown model is an error with a body")
def _():
    assert fails_with(openai.NotFoundError, openai.BadRequestError)(lambda: create(model="no-such-model")).body


@check("a stream closed early")
def _():
    stream = create(stream=True)
    next(iter(stream))
    stream.close()
    assert create().output_text


finish()
