import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withResting } from './resting.ts'
import type { AppRoutes } from './route-table.ts'

const server = (process: string) => ({ process, release: 'R1', address: '10.0.0.1', port: 1 })
const backend = {
  check: { kind: 'tcp' as const },
  intervalMs: 2000,
  timeoutMs: 1000,
  rise: 1,
  fall: 3,
  drainMs: 500,
  servers: [server('P1'), server('P2')],
}
const routes: AppRoutes = { app: 'shop', http: [{ type: 'web', port: 1, hosts: [], backend }], tcp: [] }

/** Those that rest, of the two that there are. */
function rests(resting: string[], down: string[] = [], before = routes): string[] {
  const { http } = withResting(before, new Set(resting), new Set(down))
  return http[0]!.backend.servers.flatMap(({ process: id, isResting }) => (isResting ? [id] : []))
}

test('an unhealthy copy rests while another one can serve, and no longer', () => {
  assert.deepEqual(rests(['P1']), ['P1'])
  assert.deepEqual(rests(['P1', 'P2']), [], 'none is better than the other')
  assert.deepEqual(rests(['P1'], ['P2']), [], 'the other one is down')
  const before = withResting(routes, new Set(['P1']))
  assert.deepEqual(rests([], [], before), [])
})
