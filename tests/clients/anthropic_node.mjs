// @anthropic-ai/sdk (npm), the official client, against /v1/messages. Adapted from the project's acceptance material
// (accept/anthropic_node.mjs).
import Anthropic from '@anthropic-ai/sdk'
import { API_KEY, BASE_URL, MODEL, check, failsWith, finish, ok } from './checks.mjs'

console.log('# anthropic-node on', MODEL)
const client = new Anthropic({ baseURL: BASE_URL, apiKey: API_KEY, maxRetries: 0, timeout: 60000 })
const messages = [{ role: 'user', content: 'Say hello in five words.' }]
const weather = [{ role: 'user', content: 'What is the weather in Paris? Use the TOOL.' }]
const input_schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tools = [{ name: 'get_weather', input_schema }]
const create = (more) => client.messages.create({ model: MODEL, max_tokens: 32, messages, ...more })

await check('messages', async () => {
  const reply = await create()
  ok(reply.content[0].text && reply.usage.output_tokens > 0, JSON.stringify(reply))
})

await check('messages, streamed', async () => {
  let text = ''
  const stream = client.messages.stream({ model: MODEL, max_tokens: 32, messages }).on('text', (piece) => { text += piece })
  const message = await stream.finalMessage()
  ok(text === message.content[0].text && message.stop_reason && message.usage.input_tokens >= 0, JSON.stringify(message))
})

await check('a tool use, streamed, and its result', async () => {
  const { content } = await client.messages.stream({ model: MODEL, max_tokens: 256, messages: weather, tools }).finalMessage()
  const use = content.find((block) => block.type === 'tool_use')
  ok(use?.input?.city, JSON.stringify(content))
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sunny' }] }
  const reply = await create({ tools, messages: [...weather, { role: 'assistant', content }, result] })
  ok(reply.content[0].text, JSON.stringify(reply))
}, 'tools')

await check('thinking, streamed, and back with its signature', async () => {
  const thinking = { type: 'enabled', budget_tokens: 1024 }
  const { content } = await client.messages.stream({ model: MODEL, max_tokens: 2048, messages, thinking }).finalMessage()
  ok(content[0].thinking && content[0].signature && content[1].text, JSON.stringify(content))
  const spoken = [...messages, { role: 'assistant', content }, ...messages]
  ok((await create({ max_tokens: 2048, thinking, messages: spoken })).content[1].text, 'no text')
}, 'thinking')

await check('countTokens', async () => {
  ok((await client.messages.countTokens({ model: MODEL, messages })).input_tokens > 0, 'no tokens')
})

await check('models.list', async () => ok((await client.models.list()).data[0].id, 'an empty list'))

await check('a wrong key', () => failsWith(401, () => new Anthropic({ baseURL: BASE_URL, apiKey: 'sk-wrong', maxRetries: 0 }).messages.create({ model: MODEL, max_tokens: 8, messages })), 'keys')

await check('a bad request (no max_tokens)', async () => {
  const error = await create({ max_tokens: undefined }).then(() => ({}), (error) => error)
  ok(error.status === 400 && error.error?.error?.type === 'invalid_request_error', error)
})

await check('a stream aborted', async () => {
  const stream = await create({ stream: true })
  for await (const _ of stream) {
    stream.controller.abort()
    break
  }
})

finish()
