// openai (npm), the official client, against /v1/responses. Adapted from the project's acceptance material (accept/openai_node.mjs).
import OpenAI from 'openai'
import { API_KEY, BASE_URL, MODEL, check, failsWith, finish, ok } from './checks.mjs'

console.log('# responses-node on', MODEL)
const client = new OpenAI({ baseURL: BASE_URL + '/v1', apiKey: API_KEY, maxRetries: 0, timeout: 60000 })
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const tools = [{ type: 'function', name: 'get_weather', parameters, strict: true }]
const create = (more) => client.responses.create({ model: MODEL, input: 'Say hello.', ...more })

await check('a response', async () => {
  const reply = await create()
  ok(reply.output_text && reply.usage.output_tokens > 0, JSON.stringify(reply))
})

await check('a response, streamed', async () => {
  let text = ''
  let last
  for await (const event of await create({ stream: true })) {
    if (event.type === 'response.output_text.delta') text += event.delta
    last = event
  }
  // A small model may go on until it is stopped.
  ok(text && ['response.completed', 'response.incomplete'].includes(last.type) && last.response.output[0].content[0].text === text, JSON.stringify(last))
})

await check('a function call, streamed, and its output', async () => {
  const input = [{ role: 'user', content: 'What is the weather in Paris? Use the TOOL.' }]
  const { output } = await client.responses.stream({ model: MODEL, input, tools }).finalResponse()
  const call = output.find((item) => item.type === 'function_call')
  ok(call && JSON.parse(call.arguments).city, JSON.stringify(output))
  // The helper adds what it parsed; the API takes it back without.
  const calls = output.map(({ parsed_arguments, ...item }) => item)
  const reply = await create({ tools, input: [...input, ...calls, { type: 'function_call_output', call_id: call.call_id, output: 'sunny' }] })
  ok(reply.output_text, JSON.stringify(reply))
}, 'tools')

await check('a bad request', () => failsWith(400, () => create({ input: 7 })))

await check('a stream aborted', async () => {
  const stream = await create({ stream: true })
  for await (const _ of stream) {
    stream.controller.abort()
    break
  }
})

finish()
