import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Operations, VolumeInfo } from '../../operations/operations.ts'
import { exampleApp } from '../../../test/support/scripted-operations.ts'
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
    getApp: async () => ({ ...exampleApp, endpoints: [], formation: {}, operation: null }),
    listVolumes: async () => volumes,
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
