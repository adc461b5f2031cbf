import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const program = fileURLToPath(new URL('../../bin/rack', import.meta.url))

let rack: InstalledRack
const silent = createServer(() => undefined)
let answerOfSilent: ReturnType<InstalledRack['attempt']>

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  await using source = await makeSource({
    'docker-compose.yml':
      'services:\n  web:\n    image: busybox:1\n    command: sh -c "echo hello; sleep 600"\n',
  })
  const said = await rack.attempt(['deploy', '--app', 'shop', source.path, '--json'])
  assert.equal(said.code, 0, said.stderr)
  assertRecords(said.stdout, ['log', 'phase', 'result'])
  // Takes half a minute, beside the other tests.
  answerOfSilent = at(await listening(silent))
})
after(async () => {
  silent.close()
  await rack[Symbol.asyncDispose]()
})

/** NDJSON: each line an object that says its type, the last one how it ended; times in RFC 3339 UTC. */
function assertRecords(text: string, types: string[]): void {
  const records = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; time?: string })
  for (const { type, time } of records) {
    assert.ok(types.includes(type), type)
    if (time !== undefined) assert.match(time, rfc3339)
  }
}
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

/** Talks to an address instead of the rack. */
const at = (url: string, args: string[] = ['apps']) =>
  rack.attempt(args, { env: { ...rack.env, RACK_URL: url, RACK_TOKEN: 'rack_x' }, timeoutMs: 60_000 })

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('an address where nobody listens fails at once and says what to type', async () => {
  const { code, stderr } = await at(`http://127.0.0.1:${await freePort()}`)
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^error: the rack at 127\.0\.0\.1:\d+ does not answer: connection refused\n→ rack start/,
  )
})

test('an address where something else answers is no rack', async () => {
  const server = createHttpServer((_request, response) => response.end('<html>hello</html>'))
  const { code, stderr } = await at(await listening(server))
  server.close()
  assert.equal(code, 1)
  assert.match(stderr, /^error: .*(rack|JSON)[^]*→ /)
  assert.doesNotMatch(stderr, /\n\s+at /)
})

test('a host that is not there and an address that is none say so', async () => {
  const unknown = await at('http://no-such-host.invalid:5480')
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /^error: the rack at no-such-host\.invalid:5480 does not answer: .+\n→ /)
  const none = await at('not an address')
  assert.notEqual(none.code, 0)
  assert.match(none.stderr, /^error: .*not an address/)
  assert.doesNotMatch(none.stderr, /\n\s+at /)
})

test('a wrong token is refused with the way to log in', async () => {
  const { socket } = await rack.json<{ socket: string }>('status')
  const { code, stderr } = await at(`unix:${socket}`)
  assert.equal(code, 1)
  assert.match(stderr, /^error: this rack does not know the token\n→ rack login /)
})

test('a damaged list of racks says which file, and changes nothing in it', async () => {
  const home = join(rack.directory, '..', 'damaged')
  await mkdir(join(home, 'rack'), { recursive: true })
  await writeFile(join(home, 'rack/racks.json'), '{"racks": [')
  const env = { ...rack.env, XDG_CONFIG_HOME: home }
  for (const args of [['apps'], ['racks'], ['install', '--name', 'other']]) {
    const { code, stderr } = await rack.attempt(args, { env })
    assert.equal(code, 1)
    assert.match(stderr, /^error: .*damaged\/rack\/racks\.json cannot be read: .+\n→ Mend it/)
  }
})

test('a reader that leaves (rack … | head) is no failure and no noise', async () => {
  for (const args of ['ps --app shop', 'logs shop', 'apps --json', 'help']) {
    const child = spawn('bash', ['-c', `set -o pipefail; "$PROGRAM" ${args} | head -c 1 >/dev/null`], {
      env: { ...rack.env, PROGRAM: program },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([args, stderr.replace(/^rack .*\n/, ''), code], [args, '', 0])
  }
})

test('every list is a JSON array, and the times in it are RFC 3339 in UTC', async () => {
  const lists = ['apps', 'racks', 'builds --app shop', 'releases --app shop', 'ps --app shop']
  for (const line of lists) {
    const list = await rack.json<Record<string, unknown>[]>(...line.split(' '))
    assert.ok(Array.isArray(list) && list.length > 0, line)
    for (const item of list) {
      for (const name of ['created', 'started', 'ended']) {
        if (typeof item[name] === 'string') assert.match(item[name], rfc3339, `${line} ${name}`)
      }
    }
  }
  const [copy] = await rack.json<object[]>('ps', '--app', 'shop')
  for (const name of ['id', 'type', 'status', 'release', 'started', 'command'])
    assert.ok(name in (copy ?? {}), name)
})

test('streams are records with a type, an error is the last of them', async () => {
  assertRecords(await rack.run('logs', 'shop', '--json'), ['log'])
  assertRecords(await rack.run('restart', '--app', 'shop', '--json'), ['log', 'phase', 'result'])
  const failed = await rack.attempt(['logs', 'nope', '--json'])
  assert.equal(failed.code, 1)
  const last = JSON.parse(failed.stdout.trim().split('\n').at(-1) ?? '') as {
    type: string
    error: { code: string }
  }
  assert.deepEqual([last.type, last.error.code], ['error', 'not-found'])
  const plain = await rack.attempt(['ps', '--app', 'nope', '--json'])
  assert.equal(plain.stdout, '')
  assert.equal((JSON.parse(plain.stderr) as { type: string }).type, 'error')
})

test('an address that takes the connection and is silent is given up', async () => {
  const { code, stderr } = await answerOfSilent
  // One that was still waiting after a minute would have been killed, and have no code.
  assert.equal(code, 1)
  assert.match(stderr, /^error: timed out .* reply of 127\.0\.0\.1:\d+\n→ /)
})
