import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { Operations, VolumeInfo } from '../../operations/operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const created = new Date(Date.now() - 3 * 60_000).toISOString()
const data: VolumeInfo = {
  app: 'guestbook',
  name: 'data',
  created,
  bytes: null,
  holders: [{ process: 'PAAAAAAAAAA', type: 'db', kind: 'process' }],
  usedBy: ['db', 'backup'],
  leftOver: false,
}
const left: VolumeInfo = { ...data, app: 'old', holders: [], usedBy: [], leftOver: true }

async function type(...args: string[]) {
  const calls: unknown[][] = []
  const rack: Partial<Operations> = {
    async listVolumes(filter) {
      calls.push(['list', filter])
      const bytes = filter.sizes ? 3 * 2 ** 20 : null
      return [data, left].filter(({ app }) => (filter.app ?? app) === app).map((each) => ({ ...each, bytes }))
    },
    async getVolume(app, volume, { sizes }) {
      if (volume !== 'data') throw new RackError('not-found', `${app} has no volume "${volume}"`)
      calls.push(['get', app, sizes])
      return data
    },
    async deleteVolume(app, volume, actor) {
      calls.push(['delete', app, volume, actor])
    },
  }
  return { ...(await typeCommand(['volumes', ...args], { rack })), calls }
}

test('all volumes of the rack are listed, those of deleted apps too; sizes when they are asked for', async () => {
  const { stdout, code, calls } = await type()
  assert.equal(code, 0)
  assert.deepEqual(stdout.split('\n').slice(0, 3), [
    'APP            VOLUME  CREATED    USED BY',
    'guestbook      data    3 min ago  db, backup',
    'old (deleted)  data    3 min ago  –',
  ])
  assert.deepEqual(calls, [['list', { sizes: false }]])
  const sized = await type('--size', '--app', 'guestbook')
  assert.match(sized.stdout, /^APP +VOLUME +SIZE +CREATED[^\n]*\nguestbook +data +3 MiB/)
  assert.deepEqual(sized.calls, [['list', { app: 'guestbook', sizes: true }]])
  assert.deepEqual(
    (JSON.parse((await type('--json')).stdout) as VolumeInfo[]).map(({ app, leftOver }) => [app, leftOver]),
    [
      ['guestbook', false],
      ['old', true],
    ],
  )
})

test('no volumes are said so', async () => {
  const { stdout, stderr, code } = await type('--app', 'empty')
  assert.deepEqual({ stdout, stderr, code }, { stdout: '', stderr: 'empty has no volumes\n', code: 0 })
})

test('one volume says who mounts it and what has it; the app is the one of the command', async () => {
  const { stdout, calls } = await type('info', 'data')
  assert.match(
    stdout,
    /^volume +data\napp +guestbook\ncreated +.*\nused by +db, backup\nheld by +db PAAAAAAAAAA\n$/,
  )
  assert.deepEqual(calls, [['get', 'guestbook', false]])
  assert.match((await type('info', 'data', '--size')).stdout, /\nsize +–\n/)
  assert.equal((await type('info', 'none')).code, 1)
})

test('a volume is deleted only when somebody says yes', async () => {
  const asked = await type('delete', 'data')
  assert.equal(asked.code, 2)
  assert.match(asked.stderr, /--yes/)
  assert.deepEqual(
    asked.calls.filter(([what]) => what === 'delete'),
    [],
  )
  const { code, stderr, calls } = await type('delete', 'data', '--app', 'old', '--yes')
  assert.deepEqual({ code, stderr }, { code: 0, stderr: 'data of old is deleted\n' })
  assert.deepEqual(calls.at(-1), ['delete', 'old', 'data', 'writer'])
})
