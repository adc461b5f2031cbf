import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Backend, RouteTable } from './route-table.ts'
import type { ServerState } from './runtime-api.ts'
import { changeCommands, leavingServers, planServerChanges } from './server-changes.ts'

const shares = { copy: 3000 }

const server = (processId: string, port: number) => ({
  process: processId,
  release: 'R1',
  address: '10.0.0.1',
  port,
})
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
  const ready = { isUp: true, admin: 'ready' as const, weight: 1, secondsSinceChange: 3 }
  return { backend: 'shop.http.1.web', name, address: '10.0.0.1', port, ...ready, ...part }
}

test('nothing to do when HAProxy has the servers of the table', () => {
  assert.deepEqual(planServerChanges(table, [state('P2.R1', 2), state('P1.R1', 1)], shares), [])
})

test('missing servers are added, moved ones moved, drained ones made ready, others drained', () => {
  const moved = state('P2.R1', 9, { admin: 'maint' })
  const foreign = state('s1', 1, { backend: 'no-such-host' })
  assert.deepEqual(
    planServerChanges(
      table,
      [moved, state('P3.R0', 3), state('P4.R0', 4, { admin: 'drain' }), foreign],
      shares,
    ),
    [
      {
        kind: 'add',
        server: 'shop.http.1.web/P1.R1',
        arguments: '10.0.0.1:1 check inter 2000 rise 1 fall 3 pool-purge-delay 1s maxconn 3000',
        isChecked: true,
      },
      { kind: 'move', server: 'shop.http.1.web/P2.R1', address: '10.0.0.1', port: 2 },
      { kind: 'ready', server: 'shop.http.1.web/P2.R1', isChecked: true },
      { kind: 'drain', server: 'shop.http.1.web/P3.R0' },
    ],
  )
})

test('one that rests weighs nothing, and one that rests no more weighs as the others', () => {
  const resting = { ...server('P1', 1), isResting: true as const }
  const rests = {
    ...table,
    apps: [{ app: 'shop', http: [{ ...route, backend: { ...backend, servers: [resting] } }], tcp: [] }],
  }
  const weigh = { kind: 'weigh', server: 'shop.http.1.web/P1.R1' }
  assert.deepEqual(planServerChanges(rests, [state('P1.R1', 1)], shares), [{ ...weigh, weight: 0 }])
  const states = [state('P1.R1', 1, { weight: 0 }), state('P2.R1', 2)]
  assert.deepEqual(planServerChanges(table, states, shares), [{ ...weigh, weight: 1 }])
})

test('servers out of the table leave by the time of their backend', () => {
  const states = [state('P1.R1', 1, { admin: 'drain' }), state('P4.R0', 4, { admin: 'drain' })]
  assert.deepEqual(leavingServers(table, states), [
    { server: 'shop.http.1.web/P4.R0', drainMs: 500, leftMs: 3000 },
  ])
})

test('checks are switched on where there are some: HAProxy refuses it for a copy that is shared unasked', () => {
  const commandsFor = (check: Backend['check'], states: ServerState[]) => {
    const servers = [server('P1', 1)]
    const apps = [{ app: 'shop', http: [{ ...route, backend: { ...backend, check, servers } }], tcp: [] }]
    const changes = planServerChanges({ ...table, apps }, states, shares)
    return changes.flatMap(changeCommands).map(([command]) => command.split(' ').slice(0, 2).join(' '))
  }
  const drained = [state('P1.R1', 1, { admin: 'drain' })]
  const checked = ['enable health', 'set server']
  assert.deepEqual(commandsFor({ kind: 'tcp' }, []), ['add server', ...checked])
  assert.deepEqual(commandsFor({ kind: 'tcp' }, drained), checked)
  assert.deepEqual(commandsFor({ kind: 'none' }, []), ['add server', 'set server'])
  assert.deepEqual(commandsFor({ kind: 'none' }, drained), ['set server'])
})
