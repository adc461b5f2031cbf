import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AppLogLine, LogQuery } from '../../domain/engine.ts'
import { typeCommand } from '../../../test/support/type-command.ts'
import { sinceTime } from '../since-time.ts'

const line: AppLogLine = {
  time: '2026-11-23T05:05:52.949163547Z',
  app: 'guestbook',
  type: 'web',
  process: 'PAAAAAAAAAA',
  release: 'RAAAAAAAAAA',
  cursor: 'c1',
  stream: 'stdout',
  text: 'listens on 3000',
}

async function ask(args: string[], lines: AppLogLine[] = [line]) {
  const asked: { app: string; query: Omit<LogQuery, 'app'> }[] = []
  const said = await typeCommand(['logs', ...args], {
    rack: {
      async *appLogs(app, query) {
        asked.push({ app, query })
        yield* lines
      },
      async *rackLogs(query) {
        asked.push({ app: '*', query })
        yield* lines
      },
    },
  })
  return { ...said, asked: asked[0] }
}

test('a line has its time, process and text, aligned', async () => {
  const worker = { ...line, type: 'worker', stream: 'stderr' as const, text: 'done' }
  const { code, stdout } = await ask([], [worker, line])
  assert.equal(code, 0)
  assert.equal(stdout, '05:05:52 worker/PAAAAAAAAAA | done\n05:05:52 web/PAAAAAAAAAA    | listens on 3000\n')
})

test('the newest hundred lines are asked for, or all since a time', async () => {
  assert.deepEqual((await ask([])).asked, { app: 'guestbook', query: { tail: 100, follow: false } })
  const { asked } = await ask(['blog', '--since', '2026-11-20T10:00:00+01:00', '-t', 'web', '-t', 'worker'])
  assert.deepEqual(asked, {
    app: 'blog',
    query: { types: ['web', 'worker'], since: '2026-11-20T09:00:00.000Z', follow: false },
  })
})

test('as JSON, every line is a record of its own', async () => {
  const { stdout } = await ask(['--json'])
  const { type, process: processId, ...rest } = line
  assert.deepEqual(JSON.parse(stdout), { ...rest, type: 'log', process: type, id: processId })
})

test('a time may be a duration before now', () => {
  const now = Date.parse('2026-11-23T05:00:00Z')
  assert.equal(sinceTime('1h30m', now), '2026-11-23T03:30:00.000Z')
  assert.equal(sinceTime('2026-11-20', now), '2026-11-20T00:00:00.000Z')
  assert.throws(() => sinceTime('yesterday', now), { code: 'usage' })
})

test('a number of lines that is none is a mistake of usage', async () => {
  const { code, stderr } = await ask(['--tail', '-1'])
  assert.equal(code, 2)
  assert.match(stderr, /--tail/)
})

test('lines of all apps name their app, and none may be named', async () => {
  const { stdout, asked } = await ask(['--all', '-n', '5'], [line, { ...line, app: 'blog', text: 'up' }])
  assert.deepEqual(asked, { app: '*', query: { tail: 5, follow: false } })
  assert.equal(
    stdout,
    '05:05:52 guestbook/web/PAAAAAAAAAA | listens on 3000\n05:05:52 blog/web/PAAAAAAAAAA      | up\n',
  )
  assert.equal((await ask(['blog', '--all'])).code, 2)
})

test('a pattern, a release and several types are asked of the rack', async () => {
  const { asked } = await ask(['--grep', '/time(d )?out/i', '-r', 'RAAAAAAAAAA', '-t', 'web', '-t', 'worker'])
  assert.deepEqual(asked?.query, {
    grep: '/time(d )?out/i',
    release: 'RAAAAAAAAAA',
    types: ['web', 'worker'],
    tail: 100,
    follow: false,
  })
})

test('what the rack says of missing lines is marked', async () => {
  const notice = {
    ...line,
    process: '',
    release: '',
    stream: 'rack' as const,
    text: '… 5 lines are left out here',
  }
  const { stdout } = await ask([], [notice])
  assert.equal(stdout, '05:05:52 web ! … 5 lines are left out here\n')
})
