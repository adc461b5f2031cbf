import assert from 'node:assert/strict'
import { until } from '../../src/lib/poll.ts'
import type { LiveApp, WildApp } from '../support/wild.ts'

export const version = { file: 'VERSION', from: 'one', to: 'two' }

/** Two lists, a test file each: the suites run two files at a time. */
export const firstApps: WildApp[] = [
  {
    name: 'tickets',
    environment: { SECRET_KEY_BASE: 'a long random text' },
    change: version,
    answers: { first: /^one, schema 1$/, next: /^two, schema 1$/, back: /^one, schema 1$/ },
    replaced: ['web', 'worker'],
    killed: 'web',
    look: hasMigratedOnce,
    restarted: 'web',
  },
  {
    name: 'portal',
    headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' },
    change: version,
    answers: { first: /^one for 203\.0\.113\.9$/, next: /^two for/, back: /^one for 203\.0\.113\.9$/ },
    replaced: ['app'],
    killed: 'app',
  },
  {
    name: 'blog',
    change: { file: 'wp-content/themes/ours/style.css', from: 'one', to: 'two' },
    answers: { first: /Theme: one .* PONG$/, next: /Theme: two .* PONG$/, back: /Theme: one .* PONG$/ },
    replaced: ['press'],
    killed: 'press',
    isHeld: true,
  },
  {
    name: 'notes',
    change: { file: 'docker-compose.yml', from: 'TITLE=one', to: 'TITLE=two' },
    answers: { first: /^one$/, next: /^two$/, back: /^one$/ },
    replaced: ['notes'],
    killed: 'notes',
    isHeld: true,
  },
  {
    name: 'gauges',
    change: { file: 'boards/provisioning/dashboards.yml', from: 'one', to: 'two' },
    answers: { first: /^one$/, next: /^two$/, back: /^one$/ },
    replaced: ['boards'],
    killed: 'metrics',
    isHeld: true,
  },
  {
    name: 'devbox',
    change: { file: 'server.js', from: "'one'", to: "'two'" },
    answers: { first: /^hello one PONG$/, next: /^hello two PONG$/, back: /^hello one PONG$/ },
    replaced: ['api'],
    killed: 'api',
  },
]

export const furtherApps: WildApp[] = [
  {
    name: 'suite',
    change: { file: 'docker-compose.yml', from: 'VERSION: one', to: 'VERSION: two' },
    answers: {
      first: /^users=one carts=one prices=one$/,
      next: /^users=one carts=one prices=two$/,
      back: /^users=one carts=one prices=one$/,
    },
    replaced: ['prices'],
    killed: 'stock',
    look: runsWithoutProfiles,
  },
  {
    name: 'shopfront',
    change: { file: 'backend/VERSION', from: 'one', to: 'two' },
    answers: { first: /^one$/, next: /^two$/, back: /^one$/ },
    replaced: ['backend'],
    killed: 'backend',
    look: servesItsPages,
  },
  {
    name: 'imports',
    change: version,
    answers: { first: /^one$/, next: /^two$/, back: /^one$/ },
    replaced: ['web', 'worker'],
    killed: 'web',
    meanwhile: ordersJobs,
  },
  {
    name: 'tasks',
    change: version,
    answers: { first: /^one$/, next: /^two$/, back: /^one$/ },
    replaced: ['celery', 'celery-beat', 'web'],
    killed: 'celery',
  },
  {
    name: 'rooms',
    change: version,
    answers: { first: /^one PONG$/, next: /^two PONG$/, back: /^one PONG$/ },
    replaced: ['api', 'web'],
    killed: 'api',
    restarted: 'web',
    meanwhile: async (live) => async () => await staysApart(live),
  },
]

async function hasMigratedOnce({ rack: live, name }: LiveApp): Promise<void> {
  const said = await live.run('run', 'web', '--app', name, '--', 'bin/migrate')
  assert.equal(said, '', 'the release command had done it')
}

async function runsWithoutProfiles({ processes }: LiveApp): Promise<void> {
  const types = (await processes()).map(({ type }) => type)
  assert.deepEqual([types.length, types.includes('docs')], [11, false])
}

/** What nginx itself has, and what its application has collected. */
async function servesItsPages({ visit }: LiveApp): Promise<void> {
  assert.deepEqual(await visit('/pages/about.html'), { status: 200, body: 'about us\n' })
}

/** Each order is worked at to its end, whatever becomes of the workers meanwhile. */
async function ordersJobs({ visit }: LiveApp): Promise<() => Promise<void>> {
  const orders = 8
  for (let made = 0; made < orders; made++) await visit('/', 'POST')
  return async () => {
    const counts = async () => JSON.parse((await visit('/counts')).body) as Record<string, number>
    const isDone = async () => (await counts()).waiting === 0 && (await counts()).working === 0
    await until(isDone, { deadlineMs: 30_000, what: 'all orders to be done' })
    const { begun, done } = await counts()
    assert.deepEqual([begun, done], [orders, orders])
  }
}

/** Asked from inside, at the end of it all: the page reaches no data, and the data nobody but the program between. */
async function staysApart({ rack: live, name, processes }: LiveApp): Promise<void> {
  const copies = await processes()
  const idOf = (type: string) => copies.find((copy) => copy.type === type)?.id ?? ''
  const addressOf = async (type: string) =>
    (await live.run('exec', idOf(type), '--app', name, '--', 'hostname', '-i')).trim()
  /** Speaks to any server well enough to hear whether it is there. */
  const reaches = async (from: string, host: string, port: number) => {
    const program = `
      const socket = require('node:net').connect(${port}, '${host}', () => process.exit(0))
      socket.setTimeout(2000, () => process.exit(1)).on('error', () => process.exit(1))`
    const words =
      from === 'db' ? ['timeout', '2', 'bash', '-c', `: < /dev/tcp/${host}/${port}`] : ['node', '-e', program]
    return (await live.attempt(['exec', idOf(from), '--app', name, '--', ...words])).code === 0
  }
  const [web, db] = [await addressOf('web'), await addressOf('db')]
  for (const [from, host, port, isThere] of [
    ['web', 'api', 4000, true],
    ['api', 'store', 6379, true],
    ['db', 'backend', 4000, true],
    ['web', 'backend', 4000, false],
    ['web', 'db', 6379, false],
    ['web', db, 6379, false],
    ['db', 'web', 3000, false],
    ['db', web, 3000, false],
    ['db', db.replace(/\d+$/, '1'), live.httpPort, false],
    ['api', db.replace(/\d+$/, '1'), live.httpPort, true],
  ] as const)
    assert.equal(await reaches(from, host, port), isThere, `${from} to ${host}:${port}`)
}
