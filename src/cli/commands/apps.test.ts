import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operation } from '../../domain/operation.ts'
import type { Operations } from '../../operations/operations.ts'
import type { VolumeInfo } from '../../operations/volume-data/volume-operations.ts'
import { exampleApp, exampleDetails, exampleResult } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const data: VolumeInfo = {
  app: 'guestbook',
  name: 'data',
  created: '2026-11-23T04:00:00.000Z',
  bytes: null,
  holders: [],
  usedBy: [],
  leftOver: false,
}

async function deletes(volumes: VolumeInfo[], ...more: string[]): Promise<string> {
  const rack: Partial<Operations> = {
    getApp: async () => ({ ...exampleApp, ...exampleDetails }),
    listVolumes: async () => volumes,
    listLinks: async () => [],
    deleteApp: async () => undefined,
  }
  const { code, stderr } = await typeCommand(['apps', 'delete', '--yes', ...more], { rack })
  assert.equal(code, 0, stderr)
  return stderr
}

test('a deleted app says that its volumes stay, when it has some and they do', async () => {
  assert.match(await deletes([data]), /guestbook is deleted; its volumes stay \(rack volumes shows them\)\n/)
  assert.match(await deletes([data], '--volumes'), /guestbook is deleted\n/)
  assert.match(await deletes([]), /guestbook is deleted\n/)
})

test('a port that another program has is told with the list, the app and its processes', async () => {
  const lost = { app: 'guestbook', process: 'db', port: 5432, holder: { pid: 4711, program: 'nc' } }
  const app = { ...exampleApp, unservedPorts: [lost, { ...lost, port: 5433, holder: null }] }
  const rack: Partial<Operations> = {
    listApps: async () => [app],
    getApp: async () => ({ ...app, ...exampleDetails }),
    listProcesses: async () => [],
  }
  for (const args of [['apps'], ['apps', 'info'], ['ps']]) {
    const { stderr } = await typeCommand(args, { rack })
    assert.match(stderr, /port 5432 of guestbook \(db\) is served by nobody: process 4711 \(nc\) has it/)
    assert.match(stderr, /port 5433 of guestbook \(db\) is served by nobody: another program has it/)
  }
})

test('what an app lacks is told with the list, the app and its processes, and why', async () => {
  const trouble = { message: 'web: the image is gone', hint: null }
  const lack = {
    type: 'web',
    wanted: 2,
    missing: 1,
    unhealthy: 0,
    crashed: 0,
    detail: null,
    trouble,
    nextTry: null,
  }
  const app = { ...exampleApp, status: 'degraded' as const, lacks: [lack] }
  const rack: Partial<Operations> = {
    listApps: async () => [app],
    getApp: async () => ({ ...app, ...exampleDetails }),
    listProcesses: async () => [],
  }
  for (const args of [['apps'], ['apps', 'info'], ['ps']]) {
    const { stdout, stderr } = await typeCommand(args, { rack })
    assert.match(stderr, /guestbook is degraded: web: 1 of 2 missing; .*since web: the image is gone\n/)
    if (args[0] === 'apps') assert.match(stdout, /degraded/)
  }
})

test('a cancel says how the change has ended', async () => {
  const operation: Operation = {
    id: 'OAAAAAAAAAA',
    app: 'guestbook',
    kind: 'promote',
    actor: 'test',
    status: 'complete',
    intent: { release: 'RBBBBBBBBBB' },
    started: '2026-11-23T04:00:00.000Z',
    ended: '2026-11-23T04:00:01.000Z',
    error: null,
    receipt: null,
  }
  const said = async (ended: Operation) =>
    (await typeCommand(['apps', 'cancel'], { rack: { cancelApp: async () => ended } })).stderr
  const late = /guestbook: the promote was over before it could be ended; RBBBBBBBBBB is live\n/
  assert.match(await said(operation), late)
  assert.match(
    await said({ ...operation, status: 'running' }),
    /guestbook: not all .* is back yet; see: rack ps\n/,
  )
  const error = { code: 'cancelled', message: 'the operation was cancelled; what ran before still runs' }
  const cancelled = await said({ ...operation, status: 'cancelled', error })
  assert.match(cancelled, /guestbook: the operation was cancelled; what ran before still runs\n/)
})

test('what a change did is told with the app, when its counts are there too', async () => {
  const changed: Operation = {
    id: 'OAAAAAAAAAA',
    app: 'guestbook',
    kind: 'scale',
    actor: 'alice',
    status: 'complete',
    intent: {},
    started: '2020-11-23T05:00:00.000Z',
    ended: '2020-11-23T05:00:03.000Z',
    error: null,
    receipt: { ...exampleResult.receipt, requests: 1204, held: 3, longestStallMs: 2000 },
  }
  const rack = { getApp: async () => ({ ...exampleApp, ...exampleDetails, changed }) }
  const { stdout } = await typeCommand(['apps', 'info'], { rack })
  assert.match(
    stdout,
    /^changed .*: scale by alice: started redis; replaced web; 1,204 requests meanwhile, 0 failed, 3 waited/m,
  )
  const json = JSON.parse((await typeCommand(['apps', 'info', '--json'], { rack })).stdout) as object
  assert.deepEqual((json as { changed: Operation }).changed.receipt, changed.receipt)
})
