import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { findTimeUses } from './find-waits.ts'

const root = join(import.meta.dirname, '../..')

/** Tests that may, how often, and why. Whoever adds a line says why no condition can be named. */
const allowed: Record<string, { uses: number; why: string }> = {
  'src/manifest/properties.test.ts': {
    uses: 3,
    why: 'no input may hold the daemon up: the time is the claim',
  },
  'src/manifest/loading/loading.test.ts': { uses: 1, why: 'the same, of includes that repeat' },
  'src/manifest/keys/labels/timers.test.ts': { uses: 1, why: 'the same, of a cron line' },
  'test/support/memory-script.ts': { uses: 1, why: 'a process in memory whose script says that it pauses' },
  'test/chaos/daemon-scenarios.ts': { uses: 1, why: 'for how long the daemon is stopped is what is tried' },
  'test/support/load.ts': { uses: 2, why: 'requests at a steady rate: the pace is what is wanted' },
  'test/contract/journal.test.ts': { uses: 1, why: 'whether a change waits for another cannot be seen' },
  'test/contract/objects.ts': { uses: 1, why: 'the clock of a file system ticks' },
  'test/contract/engine.ts': {
    uses: 3,
    why: 'the clock of an engine ticks in seconds; a time that an abort may take',
  },
  'test/contract/engine-volumes.ts': { uses: 1, why: 'a time of creation is about now' },
  'test/docker/disk-full.test.ts': { uses: 1, why: 'nothing shows of lines that go nowhere' },
  'test/docker/engine-loss.test.ts': { uses: 5, why: 'the instant of the kill is what is varied' },
  'test/docker/killed.test.ts': { uses: 1, why: 'the instant of the kill is what is varied' },
  'test/docker/processes.test.ts': { uses: 1, why: 'the instant of the restart is what is varied' },
  'test/docker/router-labels.test.ts': { uses: 3, why: 'an idle timeout is a time, and is not up too early' },
  'test/docker/router-shares.test.ts': { uses: 1, why: 'a slow sender: the pace is what is wanted' },
  'test/docker/router.test.ts': { uses: 1, why: 'a deadline is not cut short' },
}

test('no test sleeps, or demands to be quick, but for the reasons given here', async () => {
  const files = await Array.fromAsync(glob(['test/**/*.ts', 'src/**/*.test.ts'], { cwd: root }))
  assert.ok(files.length > 100, `only ${files.length} files were looked at`)
  const wrong = files.flatMap((file) => {
    const uses = findTimeUses(readFileSync(join(root, file), 'utf8'))
    const lines = uses.map(({ line, kind, text }) => `${file}:${line}: ${kind}: ${text}`)
    const most = allowed[file]?.uses ?? 0
    if (uses.length < most)
      return [`${file}: ${most} are allowed, ${uses.length} are there: lower the number`]
    return uses.length > most ? lines : []
  })
  const gone = Object.keys(allowed).filter((file) => !files.includes(file))
  assert.deepEqual([...wrong, ...gone], [], 'wait for a condition: lib/poll.ts, or an event of the program')
})

const planted: [string, string, ('sleep' | 'elapsed')[]][] = [
  ['a sleep', "import { setTimeout as delay } from 'node:timers/promises'\n  await delay(500)", ['sleep']],
  ['by its own name', "import { setTimeout } from 'node:timers/promises'\nawait setTimeout(5)", ['sleep']],
  [
    'by the scheduler',
    "import { scheduler } from 'node:timers/promises'\nawait scheduler.wait(5)",
    ['sleep'],
  ],
  ['by hand', 'await new Promise((resolve) => setTimeout(resolve, 200))', ['sleep']],
  ['in a race', "import { setTimeout as wait } from 'node:timers/promises'\nrace([a, wait(9)])", ['sleep']],
  ['a time that must be short', 'assert.ok(performance.now() - began < 1000)', ['elapsed']],
  ['or long', 'assert.ok(Date.now() - began >= 900)', ['elapsed']],
  ['by a name', '    assert.ok(tookMs < 45_000, `took ${tookMs} ms`)', ['elapsed']],
  ['a deadline', 'const timer = setTimeout(() => child.kill(), 60_000)', []],
  ['a condition', "await until(() => seen > 3, { deadlineMs: 5000, what: 'three' })", []],
  ['a method of another thing', 'socket.pause()\nsocket.setTimeout(2000)', []],
]
for (const [name, text, kinds] of planted) {
  test(`told apart: ${name}`, () => {
    assert.deepEqual(
      findTimeUses(text).map(({ kind }) => kind),
      kinds,
    )
  })
}
