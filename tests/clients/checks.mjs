// A small test runner for client checks, as checks.py. Adapted from the project's acceptance material (accept/_t.mjs).
const { BASE_URL = 'http://127.0.0.1:18080', API_KEY = 'sk-local', MODEL = 'mock-model', EMBED_MODEL = MODEL, CAN = '', ONLY = '' } = process.env
export { BASE_URL, API_KEY, MODEL, EMBED_MODEL }
const counts = { passed: 0, failed: 0, skipped: 0 }

export async function check(name, run, needs) {
  if (!name.includes(ONLY)) return
  if (needs && !CAN.split(',').includes(needs)) {
    counts.skipped++
    return console.log(`skip ${name} (no ${needs})`)
  }
  const start = Date.now()
  try {
    await run()
    counts.passed++
    console.log(`ok   ${name} (${Date.now() - start} ms)`)
  } catch (error) {
    counts.failed++
    console.log(`FAIL ${name}: ${String(error?.stack ?? error).slice(0, 600)}`)
  }
}

export function ok(fact, why) {
  if (!fact) throw why instanceof Error ? why : new Error('not so: ' + why)
}

export async function failsWith(status, run) {
  const error = await run().then(() => new Error('no error'), (error) => error)
  ok([status].flat().includes(error.status), error)
}

export function finish() {
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  process.exit(counts.failed ? 1 : 0)
}
