import { isDeepStrictEqual } from 'node:util'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { containersByRelease } from '../support/engine-objects.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask, startLoad } from '../support/load.ts'
import { whenPhase } from '../support/saying.ts'
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
  assert.equal(said.code, 0, said.stderr)
  await until(() => loading.soFar.bodies.two, { deadlineMs: 10_000, what: 'an answer of the new release' })
  const result = await loading.stop()
  assert.deepEqual(result.failures, {})
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
    assert.ok(said.code, 'it did not end with an exit code of its own')
    assert.match(said.stderr + said.stdout, reason)
    assert.deepEqual(result.failures, {})
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
  const whileDead = loading.soFar.requests + 200
  await until(() => loading.soFar.requests > whileDead, {
    deadlineMs: 20_000,
    what: 'answers without a daemon',
  })
  const unreachable = await rack.attempt(['ps', '--app', 'shop'])
  assert.notEqual(unreachable.code, 0)
  assert.match(unreachable.stderr, /rack start/)
  await rack.run('start')
  const result = await loading.stop()
  assert.deepEqual(result.failures, {})
  assert.equal((await webs()).length, 2)
})

/** Each is a place in the middle of a promote, named by the phase that has just begun there. */
const middles = [
  { phase: 'start', isNewThere: false },
  { phase: 'check', isNewThere: true },
  { phase: 'route', isNewThere: true },
]
for (const { phase, isNewThere } of middles) {
  test(`kill -9 of the daemon as "${phase}" begins: the promote is finished, nothing failed, nothing is left over`, async () => {
    const before = await live()
    const word = `killed-at-${phase}`
    // Slow to listen: the daemon is dead before it could be healthy.
    const server = slowServer(word, 1500)
    await source.write(webFiles(word, { server }))
    const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
    const loading = load()
    const { child, said } = rack.start(['deploy', '--app', 'shop', '--json', source.path])
    await whenPhase(child, phase)
    process.kill(daemon.pid, 'SIGKILL')
    assert.notEqual((await said).code, 0, 'the command was not told that its rack is gone')

    const releases = await containersByRelease(rack.name, 'shop')
    assert.equal(releases[before], 2, `the old copies are there: ${JSON.stringify(releases)}`)
    const fresh = Object.keys(releases).filter((release) => release !== before)
    assert.ok(fresh.length === 1 || (fresh.length === 0 && !isNewThere), JSON.stringify(releases))
    const whileDead = loading.soFar.requests + 200
    await until(() => loading.soFar.requests > whileDead, {
      deadlineMs: 20_000,
      what: 'answers without a daemon',
    })

    await rack.run('start')
    await settled()
    const result = await loading.stop()
    assert.deepEqual(result.failures, {})
    assert.equal((await visit()).body, word)
    const after = await live()
    assert.notEqual(after, before)
    // Old copies leave behind the change, when their last connection has ended.
    const isAlone = async () =>
      isDeepStrictEqual(await containersByRelease(rack.name, 'shop'), { [after]: 2 })
    await until(isAlone, { deadlineMs: 90_000, what: 'the old copies to be gone' })
    assert.deepEqual(
      (await webs()).map(({ release, status }) => [release, status]),
      [
        [after, 'running'],
        [after, 'running'],
      ],
    )
  })
}

/** The release that the rack says is live. */
async function live(): Promise<string> {
  return (await rack.json<{ release: string }>('apps', 'info', 'shop')).release
}

function slowServer(word: string, afterMs: number): string {
  const server = webFiles(word)['server.js']
  return server.replace('server.listen(3000)', `setTimeout(() => server.listen(3000), ${afterMs})`)
}

/** Until the rack has taken up what a dead daemon left. */
async function settled(): Promise<void> {
  const isSettled = async () => (await rack.json<{ status: string }>('status')).status === 'running'
  await until(isSettled, { deadlineMs: 60_000, what: 'the rack to settle' })
}
