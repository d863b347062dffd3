// openai (npm), the official client. Adapted from the project's acceptance material (accept/openai_node.mjs).
import OpenAI from 'openai'
import { API_KEY, BASE_URL, EMBED_MODEL, MODEL, check, failsWith, finish, ok } from './checks.mjs'

console.log('# openai-node on', MODEL)
const client = new OpenAI({ baseURL: BASE_URL + '/v1', apiKey: API_KEY, maxRetries: 0, timeout: 60000 })
const messages = [{ role: 'user', content: 'Say hello in five words.' }]
const weather = [{ role: 'user', content: 'What is the weather in Paris? Use the TOOL.' }]
const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }

await check('models.list', async () => ok((await client.models.list()).data.length, 'an empty list'))

await check('chat', async () => {
  const reply = await client.chat.completions.create({ model: MODEL, messages, max_tokens: 32 })
  ok(reply.choices[0].message.content && reply.usage.total_tokens > 0, JSON.stringify(reply))
})

await check('chat, streamed', async () => {
  let text = ''
  let usage
  const stream = await client.chat.completions.create({ model: MODEL, messages, max_tokens: 32, stream: true, stream_options: { include_usage: true } })
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? ''
    usage = chunk.usage ?? usage
  }
  ok(text && usage?.completion_tokens > 0, text + JSON.stringify(usage))
})

await check('tools, streamed, in a loop (runTools)', async () => {
  let calls = 0
  const weatherTool = { name: 'get_weather', parameters, parse: JSON.parse, function: () => { calls++; return 'sunny' } }
  const runner = client.chat.completions.runTools({ model: MODEL, messages: weather, stream: true, tools: [{ type: 'function', function: weatherTool }] })
  ok(await runner.finalContent(), 'no content')
  ok(calls === 1, 'tool calls: ' + calls)
}, 'tools')

await check('embeddings', async () => {
  const { data } = await client.embeddings.create({ model: EMBED_MODEL, input: ['a', 'b'] })
  ok(data.length === 2 && typeof data[0].embedding[0] === 'number', JSON.stringify(data[0]))
}, 'embeddings')

await check('a wrong key', () => failsWith(401, () => new OpenAI({ baseURL: BASE_URL + '/v1', apiKey: 'sk-wrong', maxRetries: 0 }).models.list()), 'keys')

await check('a bad request', () => failsWith([400, 422], () => client.chat.completions.create({ model: MODEL, messages: 'x' })))

await check('a stream aborted', async () => {
  const stream = await client.chat.completions.create({ model: MODEL, messages, stream: true })
  for await (const _ of stream) {
    stream.controller.abort()
    break
  }
})

finish()
