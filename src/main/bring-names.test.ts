import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNameBringer } from './bring-names.ts'

test('what becomes of a name is told once, and again when it is otherwise', async () => {
  const record = { name: '_x.shop.example.com', type: 'CNAME' as const, value: '_y.acm.example' }
  const waiting = { name: 'shop.example.com', state: 'waiting' as const, record, reason: 'no record' }
  const shown = { name: 'shop.example.com', state: 'shown' as const, record: null, reason: null }
  const answers = [[waiting], [waiting], [shown], [], [waiting]]
  const engine = { bringNames: async () => ({ states: answers.shift() ?? [], failure: null }) }
  const said: string[] = []
  const tell = (level: string) => (facts: { name: string }) => void said.push(`${level} ${facts.name}`)
  const log = { info: tell('info'), warn: tell('warn'), error: tell('error') }
  const names = createNameBringer({ engine, livePlans: async () => [], log: log as never })
  const control = { signal: new AbortController().signal, report: () => undefined }
  for (let at = 0; at < 5; at++) await names.bring(control)
  assert.deepEqual(said, ['warn shop.example.com', 'info shop.example.com', 'warn shop.example.com'])
})

test('an account that does not answer keeps nobody from a later try', async () => {
  const ending = new AbortController()
  let tries = 0
  const engine = {
    async bringNames() {
      if (++tries === 3) ending.abort()
      throw new Error('away')
    },
  }
  const said: string[] = []
  const note = (level: string) => () => void said.push(level)
  const log = { info: note('info'), warn: note('warn'), error: note('error') }
  const names = createNameBringer({ engine, livePlans: async () => [], log: log as never })
  await names.keep(1, { signal: ending.signal, report: () => undefined })
  assert.deepEqual([tries, said], [3, ['error']])
})

test('an app that cannot be brought to its names is told, and what became of those of others is known', async () => {
  const shown = { name: 'shop.example.com', state: 'shown' as const, record: null, reason: null }
  const failure = new Error('the load balancer 2 is gone')
  const engine = { bringNames: async () => ({ states: [shown], failure }) }
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const names = createNameBringer({ engine, livePlans: async () => [], log: log as never })
  const control = { signal: new AbortController().signal, report: () => undefined }
  await assert.rejects(names.bring(control), failure)
  assert.deepEqual(names.states(), [shown])
})
