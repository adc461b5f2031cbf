import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { createLastExits } from '../containers/last-exits.ts'
import { describeProcess } from './list-processes.ts'

const now = () => new Date().toISOString()
const copy: Partial<FoundCopy> = {
  owner: appOwner('shop'),
  type: 'web',
  kind: 'process',
  process: 'P1',
  container: 'c',
  command: ['serve'],
  state: 'running',
  mark: 'proved',
  restart: 'always',
  restarts: 0,
  exitCode: 0,
  isOutOfMemory: false,
  health: null,
}

/** What is said of a copy that is so, when Docker's events were these. */
function said(overrides: Partial<FoundCopy>, events: string[] = [], isDown = false): string {
  const exits = createLastExits()
  for (const [timeNano, event] of events.entries()) {
    const [action = '', exitCode] = event.split(' ')
    exits.note({ action, container: 'c', exitCode, timeNano })
  }
  const found = { ...copy, startedAt: now(), finishedAt: now(), ...overrides } as FoundCopy
  const { status, detail, exitCode } = describeProcess(found, {
    leaving: new Map(),
    exits,
    health: { isDown: () => isDown },
  })
  return `${status} | ${detail} | ${exitCode}`
}

const longAgo = '2026-01-01T00:00:00.000Z'
const lastOom = ['start', 'oom', 'die 137', 'start']

test('a copy that crashes again and again says so also while it runs for a moment', () => {
  const waiting = { state: 'restarting', restarts: 6, exitCode: 137 } as const
  assert.equal(said(waiting, lastOom.slice(0, 3)), 'restarting | crashed (137, OOM) ×6 | 137')
  assert.equal(said({ restarts: 6 }, lastOom), 'restarting | crashed (137, OOM) ×6 | 137')
  assert.equal(said({ restarts: 6 }), 'restarting | crashed ×6 | null', 'Docker has forgotten')
})

test('a copy that has come through keeps its last end', () => {
  assert.equal(
    said({ restarts: 6, startedAt: longAgo }, lastOom),
    'running | running, crashed (137, OOM) ×6 | 137',
  )
  assert.equal(said({ restarts: 1 }, ['die 3', 'start']), 'running | running, crashed (3) ×1 | 3')
  assert.equal(said({}), 'running | null | null')
})

test('what was ended by another hand is stopped; what its file lets end is over', () => {
  assert.equal(said({ state: 'exited', exitCode: 137 }), 'stopped | null | 137')
  assert.equal(said({ state: 'exited', exitCode: 3, restart: 'no' }), 'crashed | crashed (3) | 3')
  assert.equal(said({ state: 'exited', mark: 'completed', restart: 'on-failure' }), 'completed | null | 0')
})

test('one health out of two says which of them fails', () => {
  assert.equal(said({ health: 'unhealthy' }), 'unhealthy | unhealthy (its healthcheck fails) | null')
  assert.equal(said({}, [], true), 'unhealthy | unhealthy (it does not answer the router) | null')
  assert.equal(said({ mark: 'unproved' }, [], true), 'starting | null | null')
})
