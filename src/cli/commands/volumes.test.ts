import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../domain/caller.ts'
import type { Backup } from '../../domain/backup.ts'
import { RackError } from '../../domain/error.ts'
import type { Operations } from '../../operations/operations.ts'
import type { VolumeInfo } from '../../operations/volume-data/volume-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const created = new Date(Date.now() - 3.5 * 24 * 3_600_000).toISOString()
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

const kept: Backup = {
  id: 'KABCDEFGHIJ',
  service: 'guestbook/data',
  type: 'volume',
  version: '',
  created,
  reason: 'asked',
  bytes: 2048,
  sha256: 'ab',
  parts: [{ name: 'data.tar', bytes: 4096, sha256: 'cd' }],
}

async function type(...args: string[]) {
  const calls: unknown[][] = []
  const rack = ({ name: actor }: Caller): Partial<Operations> => ({
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
    async deleteVolume(app, volume) {
      calls.push(['delete', app, volume, actor])
    },
    async backupVolume(app, { volume, stop }, { report }) {
      calls.push(['backup', app, volume, { stop }])
      report({ type: 'log', text: 'stopping db until data is read', time: created })
      return kept
    },
    async dumpVolume(app, { volume, stop }, out) {
      calls.push(['dump', app, volume, { stop }])
      await out(Buffer.from('an archive'))
    },
    async getBackup() {
      return kept
    },
    async restoreVolume(app, volume, restore) {
      calls.push(['restore', app, volume, restore])
      return data
    },
  })
  return { ...(await typeCommand(['volumes', ...args], { rack })), calls }
}

test('all volumes of the rack are listed, those of deleted apps too; sizes when they are asked for', async () => {
  const { stdout, code, calls } = await type()
  assert.equal(code, 0)
  assert.deepEqual(stdout.split('\n').slice(0, 3), [
    'APP            VOLUME  CREATED  USED BY',
    'guestbook      data    3 d ago  db, backup',
    'old (deleted)  data    3 d ago  –',
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
  assert.deepEqual((await type('info', 'old/data')).calls, [['get', 'old', false]])
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

test('a backup says what it is called, and how it is put back', async () => {
  const { stdout, stderr, code, calls } = await type('backup', 'guestbook/data', '--stop')
  assert.deepEqual(
    [stdout, code, calls],
    ['KABCDEFGHIJ\n', 0, [['backup', 'guestbook', 'data', { stop: true }]]],
  )
  assert.match(stderr, /stopping db until data is read\ndata of guestbook is backed up \(2 KiB\)\n/)
  assert.match(stderr, /rack volumes restore KABCDEFGHIJ guestbook\/data\n$/)
  const plain = await type('backup', 'data', '--json')
  assert.deepEqual(JSON.parse(plain.stdout), kept)
  assert.deepEqual(plain.calls, [['backup', 'guestbook', 'data', { stop: false }]])
  const out = await type('backup', 'guestbook/data', '--output', '-')
  assert.deepEqual([out.stdout, out.calls], ['an archive', [['dump', 'guestbook', 'data', { stop: false }]]])
})

test('a restore wants a yes, and names its volume by app and name', async () => {
  const refused = await type('restore', 'KABCDEFGHIJ', 'guestbook/data')
  assert.deepEqual([refused.code, refused.calls.some(([what]) => what === 'restore')], [2, false])
  const { stderr, calls, code } = await type('restore', 'KABCDEFGHIJ', 'guestbook/data', '--force', '--yes')
  assert.deepEqual(calls.at(-1), ['restore', 'guestbook', 'data', { backup: 'KABCDEFGHIJ', force: true }])
  assert.deepEqual([code, /^data of guestbook is as guestbook\/data was 3 d ago$/m.test(stderr)], [0, true])
  for (const word of ['a/b/c', '/data', 'guestbook/'])
    assert.equal((await type('backup', word)).code, 2, word)
  assert.equal((await type('backup', 'old/data', '--app', 'guestbook')).code, 2)
})
