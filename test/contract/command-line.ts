import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WireLogLine } from '../../src/client/contract/logs.ts'
import type { TimerRun } from '../../src/domain/timer.ts'
import { until } from '../../src/lib/poll.ts'
import type { InstalledRack } from '../support/installed-rack.ts'
import { makeSource, type SourceDirectory } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

/** Says a word of its environment by http and in its log, and does not start with one of them. */
const start = `mkdir -p /www
echo "$WORD" > /www/index.html
echo "the word is $WORD"
if [ "$WORD" = broken ]; then echo no database >&2; exit 3; fi
exec httpd -f -p 5000 -h /www
`
const limits = 'deploy: { resources: { limits: { cpus: "0.05", memory: 32M } } }'
const compose = `services:
  web:
    build: .
    environment: { WORD: "\${WORD:-first}" }
    ports: ["80:5000"]
    stop_grace_period: 1s
    labels:
      rack.draining.timeout: 10
      rack.deployment.watch: 0.3
      rack.cron.yearly: "0 0 1 1 * echo one year of $$WORD; exit 4"
    ${limits}
  store:
    build: .
    command: sleep 1000
    volumes: ["data:/data"]
    stop_grace_period: 1s
    labels: { rack.deployment.watch: 0.3, rack.environment: declared }
    ${limits}
volumes: { data: {} }
`
const dockerfile = 'FROM busybox:1\nCOPY start /start\nCMD ["sh", "/start"]\n'
const app = ['--app', 'shop']

interface Copy {
  id: string
  type: string
  status: string
}

/**
 * What somebody does with an app by the command line: command → daemon → engine, all of them real. It holds on every kind of
 * rack, whatever its processes run on.
 */
export function commandLineContract(kind: string, open: () => Promise<InstalledRack>): void {
  describe(`the command line of a rack: ${kind}`, () => {
    const undo = new AsyncDisposableStack()
    let rack: InstalledRack
    let source: SourceDirectory
    before(async () => {
      rack = undo.use(await open())
      source = undo.use(await makeSource({ 'docker-compose.yml': compose, Dockerfile: dockerfile, start }))
    })
    after(async () => await undo.disposeAsync())

    const page = async () => (await visitLocally(rack.httpPort)('shop.localhost'))?.text
    const copies = async (type: string) =>
      (await rack.json<Copy[]>('ps', ...app)).filter(
        (copy) => copy.type === type && copy.status === 'running',
      )
    const releases = async () => (await rack.json<{ id: string }[]>('releases', ...app)).map(({ id }) => id)
    const live = async () => (await rack.json<{ release: string }>('apps', 'info', 'shop')).release
    const lines = async (...more: string[]) =>
      (await rack.run('logs', ...app, ...more, '--json'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as WireLogLine)
    const store = async (script: string) =>
      (await rack.run('exec', ...app, 'store', 'sh', '-c', script)).trim()

    test('an app comes from a directory', async () => {
      await rack.run('deploy', ...app, source.path)
      assert.equal(await page(), 'first')
      assert.equal((await copies('web')).length, 1)
      await store('echo kept > /data/word')
    })

    test('a change of the environment is a release, live when it is promoted, and gone back from', async () => {
      const first = await live()
      await rack.run('env', 'set', ...app, 'WORD=second')
      const [second] = await releases()
      assert.notEqual(second, first)
      assert.deepEqual([await page(), await live()], ['first', first])
      await rack.run('releases', 'promote', ...app, second!)
      assert.deepEqual([await page(), await live()], ['second', second])
      await rack.run('releases', 'rollback', ...app)
      assert.equal(await page(), 'first')
    })

    test('a release that does not come up moves nothing, and its reason is on the screen', async () => {
      const [before, ids] = [await live(), (await copies('web')).map(({ id }) => id)]
      const broken = await rack.attempt(['env', 'set', ...app, '--promote', 'WORD=broken'])
      assert.equal(broken.code, 1)
      assert.match(broken.stderr, /web.*exited with 3/)
      assert.match(broken.stderr, /no database/)
      assert.deepEqual([await page(), await live()], ['first', before])
      assert.deepEqual(
        (await copies('web')).map(({ id }) => id),
        ids,
      )
      await rack.run('env', 'set', ...app, 'WORD=first')
    })

    test('commands run beside processes and inside them: exit codes, both streams, any bytes', async () => {
      const script = 'echo "one $WORD"; echo two >&2; exit 7'
      const beside = await rack.attempt(['run', ...app, '--no-stdin', 'web', '--', 'sh', '-c', script])
      assert.deepEqual([beside.code, beside.stdout], [7, 'one first\n'])
      assert.match(beside.stderr, /^two$/m)
      const input = Buffer.from([0, 255, 10, 128])
      const inside = await rack.attempt(['exec', ...app, 'web', 'od', '-An', '-tx1'], { input })
      assert.deepEqual([inside.code, inside.stdout.trim()], [0, '00 ff 0a 80'])
      const failed = await rack.attempt(['exec', ...app, 'web', '--', 'sh', '-c', 'exit 9'])
      assert.equal(failed.code, 9)
    })

    test('files go in and come out', async () => {
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))
      await source.write({ 'tree/deep/file': bytes })
      const cwd = source.path
      const inwards = await rack.attempt(['cp', ...app, 'tree', 'web:/tmp/there'], { cwd })
      assert.equal(inwards.code, 0, inwards.stderr)
      const outwards = await rack.attempt(['cp', ...app, 'web:/tmp/there/deep/file', 'back'], { cwd })
      assert.equal(outwards.code, 0, outwards.stderr)
      assert.ok((await readFile(join(cwd, 'back'))).equals(bytes))
      const missing = await rack.attempt(['cp', ...app, 'web:/tmp/nowhere', 'back'], { cwd })
      assert.equal(missing.code, 1)
      assert.match(missing.stderr, /nowhere/)
    })

    test('lines of a log are picked by type, by process, by what they say, and from their end', async () => {
      const isThere = async () =>
        (await lines('--type', 'web')).some(({ text }) => text === 'the word is first')
      await until(isThere, { deadlineMs: 20_000, what: 'the line of the web' })
      const [copy] = await copies('web')
      const own = await lines('--process', copy!.id, '--grep', 'the word')
      assert.deepEqual(
        own.map(({ process, id, stream, text }) => [process, id, stream, text]),
        [['web', copy!.id, 'stdout', 'the word is first']],
      )
      // Which stream it was, not every engine keeps.
      const said = (await lines('--grep', '/no data.ase/')).map(({ text }) => text)
      assert.deepEqual(said, ['no database'])
      assert.equal((await lines('--tail', '1')).length, 1)
      assert.deepEqual(await lines('--type', 'store', '--grep', 'the word'), [])
    })

    test('as many copies run as are asked for, and a restart replaces them', async () => {
      await rack.run('scale', ...app, 'web=2')
      const before = (await copies('web')).map(({ id }) => id)
      assert.equal(before.length, 2)
      await rack.run('restart', ...app, '--type', 'web')
      const now = (await copies('web')).map(({ id }) => id)
      assert.equal(now.length, 2)
      assert.deepEqual(
        now.filter((id) => before.includes(id)),
        [],
      )
      assert.equal(await page(), 'first')
    })

    test('a timer runs when it is told to, and its history says how it ended', async () => {
      const id = (await rack.run('timers', 'run', 'yearly', ...app)).trim()
      const history = async () => await rack.json<TimerRun[]>('timers', 'history', 'yearly', ...app)
      const isOver = async () => (await history())[0]?.status === 'complete'
      await until(isOver, { deadlineMs: 30_000, what: 'the run of the timer' })
      const [run] = await history()
      assert.deepEqual([run?.processId, run?.exitCode], [id, 4])
      const isLogged = async () =>
        (await lines('--process', id)).some(({ text }) => text === 'one year of first')
      await until(isLogged, { deadlineMs: 20_000, what: 'the line of the timer' })
      assert.match(await rack.run('timers', ...app), /^yearly +web .* exit 4/m)
    })

    test('data outlives its app, is found by its successor, and goes when it is told to', async () => {
      const used = await rack.attempt(['volumes', 'delete', 'data', ...app, '--yes'])
      assert.equal(used.code, 1)
      assert.match(used.stderr, /"data" of shop is used by store/)
      await rack.run('apps', 'delete', 'shop', '--yes')
      assert.match(await rack.run('volumes'), /^shop \(deleted\) +data /m)
      await rack.run('deploy', ...app, source.path)
      assert.equal(await store('cat /data/word'), 'kept')
      await rack.run('apps', 'delete', 'shop', '--volumes', '--yes')
      assert.deepEqual([await rack.json('volumes'), await rack.json('apps')], [[], []])
    })
  })
}
