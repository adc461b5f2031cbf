import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { exampleApp, serveOperations } from '../../test/support/scripted-operations.ts'
import type { Following } from './follow.ts'
import { removeApps } from './remove-apps.ts'

test('eight apps are deleted at a time, and each one’s end is told', async () => {
  const apps = Array.from({ length: 20 }, (_, index) => ({
    ...exampleApp,
    name: `app-${index}`,
    locked: index === 3,
  }))
  const unlocked: string[] = []
  const { promise: eightAtOnce, resolve: goOn } = Promise.withResolvers<void>()
  let [running, most] = [0, 0]
  await using server = await serveOperations({
    listApps: async () => apps,
    async setLocked(app) {
      unlocked.push(app)
      return exampleApp
    },
    async cancelApp() {
      throw new RackError('conflict', 'nothing is changing')
    },
    async deleteApp(...given) {
      const { report } = given.at(-1) as Control
      report({ type: 'phase', phase: 'stop', state: 'started', time: exampleApp.created })
      most = Math.max(most, ++running)
      if (running === 8) goOn()
      await eightAtOnce
      running--
    },
  })
  const notes: string[] = []
  const phases: unknown[] = []
  const following: Following = {
    async follow(lines) {
      for await (const line of lines) {
        if (line.type === 'result') return line.result
        phases.push(line)
      }
      throw new Error('no result')
    },
    note: (text) => notes.push(text),
    result: () => undefined,
    [Symbol.dispose]: () => undefined,
  }
  await removeApps(server.client, { volumes: true }, following)
  assert.equal(most, 8)
  assert.deepEqual(unlocked, ['app-3'])
  assert.equal(notes.length, 20)
  assert.match(notes.at(-1) ?? '', /^app-\d+ is deleted \(20 of 20\)$/)
  assert.deepEqual(phases, [])
})
