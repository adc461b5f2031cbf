import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueCommands, dueCopies } from './hold.ts'
import { renderMap } from './map-changes.ts'
import type { AppRoutes, Backend } from './route-table.ts'

const copy = { process: 'PAAAAAAAAAA', release: 'R1', address: '10.0.0.2', port: 3000 }

function app(name: string, part: Partial<Backend>): AppRoutes {
  const times = { intervalMs: 500, timeoutMs: 500, rise: 1, fall: 2, drainMs: 1000, holdMs: 1000 }
  const backend: Backend = { check: { kind: 'tcp' }, ...times, servers: [copy], ...part }
  return { app: name, http: [{ type: 'web', port: 3000, hosts: [`${name}.localhost`], backend }], tcp: [] }
}

test('a copy is due where one is replaced, or one that there is has ended', () => {
  const due = dueCopies({
    apps: [
      app('serves', {}),
      app('changes', { servers: [], isDue: true }),
      app('stopped', { servers: [] }),
      app('impatient', { holdMs: 0, isDue: true }),
    ],
  })
  assert.equal(renderMap(due), 'serves.http.3000.web restart\nchanges.http.3000.web change\n')
})

test('what begins to wait is said before copies leave, the rest when they are there', () => {
  const known = new Map([
    ['a', 'restart'],
    ['b', 'change'],
    ['gone', 'restart'],
    ['same', 'restart'],
  ])
  const wanted = new Map([
    ['a', 'change'],
    ['b', 'restart'],
    ['same', 'restart'],
    ['new', 'restart'],
  ] as const)
  assert.deepEqual(dueCommands('/due.map', wanted, known), {
    begin: ['set map /due.map a change'],
    end: ['set map /due.map b restart', 'add map /due.map new restart', 'del map /due.map gone'],
  })
})
