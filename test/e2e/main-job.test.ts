import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask, startLoad } from '../support/load.ts'
import { makeSource, webFiles, type SourceDirectory } from '../support/source.ts'

interface ProcessRow {
  id: string
  type: string
  status: string
  release: string
}

let rack: InstalledRack
let source: SourceDirectory
const host = 'shop.localhost'

before(async () => {
  rack = await installRack(['--cpu', '2048', '--memory', '2048M'])
  source = await makeSource(webFiles('one'))
})
after(async () => {
  await source[Symbol.asyncDispose]()
  await rack[Symbol.asyncDispose]()
})

const visit = async (path = '/') => await ask({ port: rack.httpPort, host, path })
const load = () => startLoad({ port: rack.httpPort, host, connections: 32 })
const deploy = () => rack.attempt(['deploy', '--app', 'shop', source.path])
const webs = async () => await rack.json<ProcessRow[]>('ps', '--app', 'shop')

test('a directory becomes a live app', async () => {
  const said = await deploy()
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stdout + said.stderr, new RegExp(`http://shop.localhost:${rack.httpPort}`))
  assert.deepEqual(await visit(), { status: 200, body: 'one' })
  assert.deepEqual(
    (await webs()).map(({ type, status }) => [type, status]),
    [
      ['web', 'running'],
      ['web', 'running'],
    ],
  )
})

test('a changed release takes over under load without a failed request', async () => {
  const loading = load()
  await source.write(webFiles('two'))
  const said = await deploy()
  await delay(300)
  const result = await loading.stop()
  assert.equal(said.code, 0, said.stderr)
  assert.deepEqual(result.failures, {})
  assert.ok((result.bodies.two ?? 0) > 0, JSON.stringify(result.bodies))
  assert.equal((await visit()).body, 'two')
})

const broken: [string, ReturnType<typeof webFiles>, RegExp][] = [
  [
    'exits at once',
    webFiles('x', { server: "console.error('no such database'); process.exit(3)" }),
    /3[^]*no such database/,
  ],
  [
    'never listens',
    webFiles('x', { server: 'setInterval(() => {}, 1000)', labels: '      rack.health.grace: 3\n' }),
    /refused/,
  ],
  [
    'answers 500 to its health path',
    webFiles('x', {
      server: "require('node:http').createServer((q, r) => { r.statusCode = 500; r.end() }).listen(3000)",
      labels: '      rack.health.path: /health\n      rack.health.grace: 3\n',
    }),
    /500/,
  ],
  [
    'is killed for its memory',
    webFiles('x', { server: 'const a = []; for (;;) a.push(Buffer.alloc(1e6, 1))' }),
    /OOM|out of memory/i,
  ],
]
for (const [what, files, reason] of broken) {
  test(`a release whose process ${what} ends the promote with the reason; the old one serves on`, async () => {
    const loading = load()
    await source.write(files)
    const said = await deploy()
    const result = await loading.stop()
    assert.notEqual(said.code, 0)
    assert.match(said.stderr + said.stdout, reason)
    assert.deepEqual(result.failures, {})
    assert.ok(said.ms < 45_000, `took ${said.ms} ms`)
    assert.deepEqual([(await visit()).body, (await webs()).length], ['two', 2])
  })
}

test('a build that fails names the step, keeps its log and makes no release', async () => {
  const releases = await rack.json<unknown[]>('releases', '--app', 'shop')
  await source.write({ ...webFiles('x'), Dockerfile: 'FROM node:24-slim\nRUN echo before && exit 9\n' })
  const said = await deploy()
  assert.notEqual(said.code, 0)
  assert.match(said.stderr + said.stdout, /exit 9/)
  assert.equal((await rack.json<unknown[]>('releases', '--app', 'shop')).length, releases.length)
  const [build] = await rack.json<{ id: string; status: string }[]>('builds', '--app', 'shop')
  assert.equal(build?.status, 'failed')
  assert.match(await rack.run('builds', 'logs', build.id, '--app', 'shop'), /before/)
})

test('the environment makes releases; diff masks, promote applies', async () => {
  await rack.run('env', 'set', 'GREETING=hi there', '--app', 'shop', '--promote')
  assert.match(await rack.run('env', '--app', 'shop'), /GREETING=.*hi there/)
  const id = (await webs())[0]?.id ?? ''
  assert.equal(
    (await rack.run('exec', id, '--app', 'shop', '--', 'sh', '-c', 'echo $GREETING')).trim(),
    'hi there',
  )
  await rack.run('env', 'set', 'API_KEY=very-secret', '--app', 'shop')
  const diff = await rack.run('releases', 'diff', '--app', 'shop')
  assert.match(diff, /API_KEY/)
  assert.ok(!diff.includes('very-secret'))
})

test('a scale that fits happens, one that does not is refused with arithmetic', async () => {
  await rack.run('scale', 'web=5', '--app', 'shop')
  assert.equal((await webs()).length, 5)
  const refused = await rack.attempt(['scale', 'web=500', '--app', 'shop'])
  assert.notEqual(refused.code, 0)
  assert.match(refused.stderr, /needs .*free/s)
  assert.equal((await webs()).length, 5)
  await rack.run('scale', 'web=2', '--app', 'shop')
  assert.equal((await webs()).length, 2)
})

test('one-offs pass their exit code and output; exec is binary-safe', async () => {
  const seven = await rack.attempt(['run', 'web', '--app', 'shop', '--', 'sh', '-c', 'echo out; exit 7'])
  assert.deepEqual([seven.code, seven.stdout.trim()], [7, 'out'])
  const id = (await webs())[0]?.id ?? ''
  const bytes = Buffer.from(Array.from({ length: 2000 }, (_, index) => index % 128))
  const echoed = await rack.attempt(['exec', id, '--app', 'shop', 'cat'], { input: bytes })
  assert.equal(echoed.stdout, bytes.toString())
})

test('logs hold what processes said, those that are gone too', async () => {
  await rack.run('run', 'web', '--app', 'shop', '--', 'sh', '-c', 'echo a word from a one-off')
  assert.match(await rack.run('logs', '--app', 'shop'), /a word from a one-off/)
})

test('rollback brings back the build and environment that ran before', async () => {
  await source.write(webFiles('three'))
  assert.equal((await deploy()).code, 0)
  assert.equal((await visit()).body, 'three')
  const loading = load()
  await rack.run('releases', 'rollback', '--app', 'shop')
  const result = await loading.stop()
  assert.deepEqual(result.failures, {})
  assert.equal((await visit()).body, 'two')
})

test('kill -9 of the daemon under load drops nothing; it starts again and knows everything', async () => {
  const loading = load()
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await delay(1000)
  const unreachable = await rack.attempt(['ps', '--app', 'shop'])
  assert.notEqual(unreachable.code, 0)
  assert.match(unreachable.stderr, /rack start/)
  await rack.run('start')
  const result = await loading.stop()
  assert.deepEqual(result.failures, {})
  assert.equal((await webs()).length, 2)
})

test('kill -9 of the daemon in the middle of a deploy: the promote is finished or undone, nothing is left over', async () => {
  const before = (await visit()).body
  await source.write(webFiles('four'))
  const loading = load()
  const deploying = deploy()
  await delay(2500)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await deploying
  await rack.run('start')
  await settled()
  const result = await loading.stop()
  assert.deepEqual(result.failures, {})
  assert.ok(['four', before].includes((await visit()).body))
  const releases = new Set((await webs()).map(({ release }) => release))
  assert.deepEqual([releases.size, (await webs()).length], [1, 2])
})

/** Until the rack has taken up what a dead daemon left. */
async function settled(): Promise<void> {
  const deadline = Date.now() + 60_000
  while ((await rack.json<{ status: string }>('status')).status !== 'running') {
    assert.ok(Date.now() < deadline, 'the rack did not settle in a minute')
    await delay(200)
  }
}
