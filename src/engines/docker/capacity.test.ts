import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../domain/owner.ts'
import { holdersOf } from './capacity.ts'
import type { ContainerState } from './containers/docker-types.ts'
import { labels } from './labels.ts'

const container = (State: ContainerState, overrides: Record<string, string> = {}) => ({
  Id: '1',
  Names: [],
  Created: 0,
  State,
  Labels: {
    [labels.rack]: 'rack',
    [labels.app]: 'shop',
    [labels.type]: 'web',
    [labels.process]: 'PAAAAAAAAAA',
    [labels.kind]: 'process',
    [labels.cpuUnits]: '128',
    [labels.memoryBytes]: '1000',
    ...overrides,
  },
})

test('copies of one size are one holder; what has ended holds nothing', () => {
  const each = { cpuUnits: 128, memoryBytes: 1000 }
  const web = { owner: appOwner('shop'), type: 'web', kind: 'process', count: 3, each }
  const found = [container('running'), container('restarting'), container('created'), container('exited')]
  assert.deepEqual(holdersOf(found), [web])
})

test('one-offs, other sizes and other types count apart', () => {
  const found = [
    container('running'),
    container('running', { [labels.kind]: 'timer' }),
    container('running', { [labels.memoryBytes]: '2000' }),
    container('running', { [labels.type]: 'worker' }),
  ]
  assert.deepEqual(
    holdersOf(found).map(({ type, kind, count, each }) => [type, kind, count, each.memoryBytes]),
    [
      ['web', 'process', 1, 1000],
      ['web', 'one-off', 1, 1000],
      ['web', 'process', 1, 2000],
      ['worker', 'process', 1, 1000],
    ],
  )
})

test('what else is counted of a copy is part of its size', () => {
  const found = [
    container('running', { [labels.extras]: '{"gpu":2}' }),
    container('running', { [labels.extras]: '' }),
  ]
  assert.deepEqual(
    holdersOf(found).map(({ each }) => each),
    [
      { cpuUnits: 128, memoryBytes: 1000, extras: { gpu: 2 } },
      { cpuUnits: 128, memoryBytes: 1000 },
    ],
  )
})

test('what a service holds counts apart from the app of its name', () => {
  const { [labels.app]: _app, ...rest } = container('running').Labels
  const db = { ...container('running'), Labels: { ...rest, [labels.service]: 'shop' } }
  assert.deepEqual(
    holdersOf([container('running'), db]).map(({ owner, count }) => [owner, count]),
    [
      [{ kind: 'app', name: 'shop' }, 1],
      [{ kind: 'service', name: 'shop' }, 1],
    ],
  )
})

test('a container whose labels are not ours holds nothing', () => {
  assert.deepEqual(holdersOf([container('running', { [labels.kind]: 'stranger' })]), [])
})

test('a copy that drains counts apart: what its type needs comes beside it', () => {
  const leaving = { ...container('running'), Names: ['/rack-shop-web-paaaaaaaaaa.draining-m1abcd'] }
  assert.deepEqual(
    holdersOf([container('running'), leaving]).map(({ type, kind, count }) => [type, kind, count]),
    [
      ['web', 'process', 1],
      ['web', 'draining', 1],
    ],
  )
})
