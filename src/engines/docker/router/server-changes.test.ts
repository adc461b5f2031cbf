import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteTable } from './route-table.ts'
import type { ServerState } from './runtime-api.ts'
import { leavingServers, planServerChanges } from './server-changes.ts'

const server = (process: string, port: number) => ({ process, release: 'R1', address: '10.0.0.1', port })
const backend = {
  check: { kind: 'tcp' as const },
  intervalMs: 2000,
  timeoutMs: 1000,
  rise: 1,
  fall: 3,
  drainMs: 500,
}
const route = {
  type: 'web',
  port: 1,
  hosts: [],
  backend: { ...backend, servers: [server('P1', 1), server('P2', 2)] },
}
const table: RouteTable = {
  httpBind: '0.0.0.0',
  httpPort: 80,
  apps: [{ app: 'shop', http: [route], tcp: [] }],
}

function state(name: string, port: number, part: Partial<ServerState> = {}): ServerState {
  const ready = { isUp: true, admin: 'ready' as const, secondsSinceChange: 3 }
  return { backend: 'shop.http.1.web', name, address: '10.0.0.1', port, ...ready, ...part }
}

test('nothing to do when HAProxy has the servers of the table', () => {
  assert.deepEqual(planServerChanges(table, [state('P2.R1', 2), state('P1.R1', 1)]), [])
})

test('missing servers are added, moved ones moved, drained ones made ready, others drained', () => {
  const moved = state('P2.R1', 9, { admin: 'maint' })
  const foreign = state('s1', 1, { backend: 'no-such-host' })
  assert.deepEqual(
    planServerChanges(table, [moved, state('P3.R0', 3), state('P4.R0', 4, { admin: 'drain' }), foreign]),
    [
      {
        kind: 'add',
        server: 'shop.http.1.web/P1.R1',
        arguments: '10.0.0.1:1 check inter 2000 rise 1 fall 3 pool-purge-delay 1s',
      },
      { kind: 'move', server: 'shop.http.1.web/P2.R1', address: '10.0.0.1', port: 2 },
      { kind: 'ready', server: 'shop.http.1.web/P2.R1' },
      { kind: 'drain', server: 'shop.http.1.web/P3.R0' },
    ],
  )
})

test('servers out of the table leave by the time of their backend', () => {
  const states = [state('P1.R1', 1, { admin: 'drain' }), state('P4.R0', 4, { admin: 'drain' })]
  assert.deepEqual(leavingServers(table, states), [
    { server: 'shop.http.1.web/P4.R0', drainMs: 500, leftMs: 3000 },
  ])
})
