import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const megabyte = 1024 * 1024

let rack: InstalledRack

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  await using source = await makeSource({
    'docker-compose.yml': `services:
  redis:
    image: redis:7
    ports: ["6379"]
  mirror:
    image: busybox:1
    command: nc -ll -p 7000 -e cat
    stop_grace_period: 1s
    ports: ["7000"]
  hose:
    image: busybox:1
    command: nc -ll -p 7001 -e cat /dev/zero
    stop_grace_period: 1s
    ports: ["7001"]
`,
  })
  await rack.run('deploy', '--app', 'streams', source.path)
})
after(() => rack[Symbol.asyncDispose]())

/** Starts a proxy of the real program and tells its ports. */
async function startProxy(...forwards: string[]) {
  const { child, said } = rack.start(['proxy', '--json', '--app', 'streams', ...forwards])
  let shown = ''
  child.stdout?.on('data', (text: string) => (shown += text))
  const ports = await until(
    () => {
      const found = [...shown.matchAll(/"local":"127\.0\.0\.1:(\d+)"/g)].map(([, port]) => Number(port))
      return found.length === forwards.length && found
    },
    { deadlineMs: 20_000, what: 'the proxy to listen' },
  )
  return {
    ports,
    child,
    said,
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT')
      await said
    },
  }
}

async function dial(port = 0): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

async function ask(port: number | undefined, text: string): Promise<string> {
  const socket = await dial(port)
  socket.end(text)
  return Buffer.concat(await Array.fromAsync(socket as AsyncIterable<Buffer>)).toString()
}

/** Resident memory of a process in bytes. */
async function memoryOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
}

const daemonPid = async () => (await rack.json<{ daemon: { pid: number } }>('status')).daemon.pid

test('fifty clients of one Redis at once, over two ports', async () => {
  await using proxy = await startProxy('0:redis:6379', '0:redis:6379')
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      ask(proxy.ports[at % 2], `SET key${at} value${at}\r\nGET key${at}\r\nQUIT\r\n`),
    ),
  )
  for (const [at, answer] of answers.entries()) assert.match(answer, new RegExp(`value${at}\\r\\n`))
  proxy.child.kill('SIGINT')
  const { code, stderr } = await proxy.said
  assert.deepEqual([code, stderr], [0, ''])
})

test('a client that ends its side still gets the whole answer: 100 MB, byte for byte, memory bounded', async () => {
  await using proxy = await startProxy('0:mirror:7000')
  const socket = await dial(proxy.ports[0])
  const piece = randomBytes(megabyte)
  const [sent, got] = [createHash('sha256'), createHash('sha256')]
  let received = 0
  const receiving = (async () => {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      got.update(chunk)
      received += chunk.length
    }
  })()
  const before = await memoryOf(await daemonPid())
  let highest = 0
  for (let count = 0; count < 100; count++) {
    sent.update(piece)
    if (!socket.write(piece)) await once(socket, 'drain')
    if (count % 10 === 0) highest = Math.max(highest, await memoryOf(proxy.child.pid))
  }
  socket.end()
  await receiving
  assert.equal(received, 100 * megabyte)
  assert.equal(got.digest('hex'), sent.digest('hex'))
  const grown = (await memoryOf(await daemonPid())) - before
  assert.ok(grown < 80 * megabyte, `the daemon grew by ${grown} bytes`)
  assert.ok(highest < 250 * megabyte, `the proxy took ${highest} bytes`)
})

test('a client that does not read holds the process back, and nothing piles up', async () => {
  await using proxy = await startProxy('0:hose:7001')
  const pid = await daemonPid()
  const before = await memoryOf(pid)
  const socket = (await dial(proxy.ports[0])).pause()
  // Long enough for gigabytes, were nothing held back: so it is the memory that must stand still.
  let last = 0
  const standsStill = async () => {
    const now = (await memoryOf(pid)) + (await memoryOf(proxy.child.pid))
    const isStill = Math.abs(now - last) < megabyte / 2
    last = now
    return isStill
  }
  await until(standsStill, { deadlineMs: 20_000, intervalMs: 1000, what: 'the memory to stand still' })
  assert.ok((await memoryOf(pid)) - before < 60 * megabyte)
  // It was held back, not ended: what is read flows on.
  let received = 0
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received += chunk.length
    if (received > 50 * megabyte) break
  }
  assert.ok(received > 50 * megabyte)
})

test('nothing but the processes of the app can be reached', async () => {
  for (const [host, code] of [
    ['169.254.169.254:80', 2],
    ['127.0.0.1:22', 2],
    ['localhost:22', 1],
    ['example.com:80', 1],
    ['elsewhere:6379', 1],
  ] as const) {
    const said = await rack.attempt(['proxy', '--app', 'streams', `0:${host}`], { timeoutMs: 20_000 })
    assert.equal(said.code, code, said.stderr)
  }
  const { stderr } = await rack.attempt(['proxy', '--app', 'streams', '0:elsewhere:6379'])
  assert.match(stderr, /elsewhere is no process of streams[^]*→ It has: hose, mirror, redis/)
})

test('a port where nothing listens is told, and the proxy goes on', async () => {
  await using proxy = await startProxy('0:redis:1', '0:redis:6379')
  const refused = connect({ port: proxy.ports[0] ?? 0, host: '127.0.0.1' })
  refused.on('error', () => undefined)
  await once(refused.resume(), 'close').catch((error: unknown) => error)
  assert.match(await ask(proxy.ports[1], 'PING\r\nQUIT\r\n'), /\+PONG/)
  proxy.child.kill('SIGINT')
  assert.match((await proxy.said).stderr, /redis:1: nothing listens at redis:1 of streams/)
})

test('a rack that is stopped ends the proxy with an error', async () => {
  await using proxy = await startProxy('0:redis:6379')
  const socket = await dial(proxy.ports[0])
  socket.on('error', () => undefined)
  socket.write('PING\r\n')
  await once(socket, 'data')
  await rack.run('stop')
  const { code } = await proxy.said
  assert.equal(code, 1)
  await rack.run('start')
})
