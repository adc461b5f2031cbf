import assert from 'node:assert/strict'
import { test } from 'node:test'
import { processPlan } from '../../test/support/plans.ts'
import { answerGraceMs, beginGate, gateRules, judge, type Observation } from './gate.ts'
import type { ProcessPlan } from '../domain/plan.ts'

const refused: Observation = {
  kind: 'probe',
  isGood: false,
  answered: false,
  text: 'connection refused on 80',
}
const answers500: Observation = { kind: 'probe', isGood: false, answered: true, text: 'GET / answered 500' }
const good: Observation = { kind: 'probe', isGood: true, answered: true, text: 'connected to 80' }
const health = processPlan().health
const probed = { health: { ...health, port: 80 } }

/** What is known after these observations, each at its time in ms. */
function after(plan: Partial<ProcessPlan>, ...seen: [number, Observation][]): string {
  const rules = gateRules(processPlan(plan), 2000)
  let state = beginGate(0)
  let said = 'waiting'
  for (const [atMs, observation] of seen) {
    const judged = judge(state, observation, atMs, rules)
    state = judged.state
    said = judged.verdict.is === 'failed' ? judged.verdict.reason : judged.verdict.is
    if (said !== 'waiting') return `${said} at ${atMs}`
  }
  return said
}

const every = (stepMs: number, fromMs: number, count: number, seen: Observation) =>
  Array.from({ length: count }, (_, index): [number, Observation] => [fromMs + index * stepMs, seen])

test('a check that cannot be run ends the wait at once', () => {
  const healthcheck = {
    test: ['CMD', 'x'],
    intervalMs: 1000,
    timeoutMs: 1000,
    retries: 30,
    startPeriodMs: 60_000,
  }
  const bad: Observation = { kind: 'check', isGood: false, text: 'the health check exited with 1' }
  assert.equal(after({ healthcheck }, [50, bad], [1050, bad]), 'waiting')
  assert.equal(after({ healthcheck }, [50, bad], [1050, { ...bad, isHopeless: true }]), 'not-healthy at 1050')
})

test('a probe speaks as the router will', () => {
  const port = { external: 80, container: 80, protocol: 'http' as const, proxy: 'v1' as const, secure: false }
  assert.deepEqual(gateRules(processPlan({ ports: [port] }), 2000).probe, {
    port: 80,
    path: null,
    host: 'localhost',
    proxy: 'v1',
    secure: false,
    timeoutMs: health.timeoutMs,
  })
  const internal = gateRules(processPlan({ ports: [port], health: { ...health, port: 81 } }), 2000).probe
  assert.deepEqual(internal, {
    port: 81,
    path: null,
    host: 'localhost',
    proxy: false,
    secure: false,
    timeoutMs: health.timeoutMs,
  })
})

test('a probe asks by the name by which the router asks: of the label, else of the type', () => {
  const asks = (host: string | null, hosts: string[]) =>
    gateRules(processPlan({ hosts, health: { ...health, host, path: '/up', port: 80 } }), 2000).probe?.host
  assert.equal(asks(null, ['web.shop.localhost', 'shop.localhost']), 'shop.localhost')
  assert.equal(asks('shop.example.com', ['shop.localhost']), 'shop.example.com')
})

test('no port and no check: healthy after two seconds', () => {
  assert.equal(after({}, [1999, { kind: 'time' }]), 'waiting')
  assert.equal(after({}, [2000, { kind: 'time' }]), 'healthy at 2000')
})

test('an exit ends it, except the end that the type is for', () => {
  const exit = (code: number, isOutOfMemory = false): Observation => ({ kind: 'exit', code, isOutOfMemory })
  assert.equal(after({}, [5, exit(0)]), 'exited at 5')
  assert.equal(after({}, [5, exit(3)]), 'exited at 5')
  assert.equal(after({ restart: 'no' }, [5, exit(0)]), 'completed at 5')
  assert.equal(after({ restart: 'no' }, [5, exit(1)]), 'exited at 5')
  assert.equal(after({}, [5, exit(137, true)]), 'out-of-memory at 5')
  assert.equal(after({}, [5, exit(1, true)]), 'exited at 5', 'only a child was killed')
})

test('a probe passes as soon as the threshold of good ones in a row is reached', () => {
  assert.equal(after(probed, [10, refused], [35, good]), 'healthy at 35')
  const twice = { health: { ...health, port: 80, healthyThreshold: 2 } }
  assert.equal(after(twice, [10, good], [20, refused], [30, good]), 'waiting')
  assert.equal(after(twice, [10, good], [20, good]), 'healthy at 20')
})

test('refused connections fail after the start grace, bad answers much sooner', () => {
  assert.equal(after(probed, ...every(500, 0, 50, refused)), 'waiting')
  assert.equal(after(probed, ...every(500, 0, 100, refused)), 'not-healthy at 31000')
  assert.equal(after(probed, ...every(500, 0, 100, answers500)), `not-healthy at ${answerGraceMs + 1000}`)
})

test('a grace that the type names holds for both', () => {
  const named = { health: { ...health, port: 80, graceMs: 1000, unhealthyThreshold: 2 } }
  assert.equal(after(named, ...every(500, 0, 20, refused)), 'not-healthy at 1500')
  assert.equal(after(named, ...every(500, 0, 20, answers500)), 'not-healthy at 1500')
})

test('a check inside must pass too, and fails not before Docker would give up', () => {
  const healthcheck = {
    test: ['CMD', 'ok'],
    intervalMs: 10_000,
    timeoutMs: 1000,
    retries: 3,
    startPeriodMs: 5000,
  }
  const bad: Observation = { kind: 'check', isGood: false, text: 'the health check exited with 1' }
  const fine: Observation = { kind: 'check', isGood: true, text: '' }
  assert.equal(after({ ...probed, healthcheck }, [10, good]), 'waiting')
  assert.equal(after({ ...probed, healthcheck }, [10, good], [300, fine]), 'healthy at 300')
  assert.equal(after({ healthcheck }, [300, fine]), 'healthy at 300')
  assert.equal(after({ healthcheck }, ...every(5000, 0, 20, bad)), 'not-healthy at 45000')
  assert.equal(gateRules(processPlan({ healthcheck: { ...healthcheck, test: ['NONE'] } }), 2000).check, null)
  const shell = gateRules(
    processPlan({ healthcheck: { ...healthcheck, test: ['CMD-SHELL', 'a | b'] } }),
    2000,
  )
  assert.deepEqual(shell.check, ['/bin/sh', '-c', 'a | b'])
})

test('the port that is probed: named, else the first declared; an internal one only for an HTTP path', () => {
  const port = (container: number) => ({
    external: null,
    container,
    protocol: 'tcp' as const,
    proxy: false as const,
    secure: false,
  })
  assert.equal(gateRules(processPlan({ ports: [port(5), port(6)] }), 2000).probe?.port, 5)
  assert.equal(
    gateRules(processPlan({ ports: [port(5)], health: { ...health, port: 7 } }), 2000).probe?.port,
    7,
  )
  assert.equal(gateRules(processPlan({ internalPorts: [9] }), 2000).probe, null)
  const path = gateRules(processPlan({ internalPorts: [9], health: { ...health, path: '/up' } }), 2000)
  assert.deepEqual([path.probe?.port, path.probe?.path], [9, '/up'])
})

test('a copy for which requests wait has two thirds of their time to begin, unless its type names more', () => {
  const graceOf = (plan: Parameters<typeof processPlan>[0], isAwaited = true) =>
    gateRules(processPlan(plan), 2000, isAwaited).startGraceMs
  assert.equal(graceOf({ holdMs: 30_000 }), 20_000)
  assert.equal(graceOf({ holdMs: 30_000 }, false), 30_000)
  assert.equal(graceOf({ holdMs: 90_000 }), 30_000)
  assert.equal(graceOf({ holdMs: 0 }), 30_000, 'where nobody waits')
  assert.equal(graceOf({ holdMs: 30_000, health: { ...health, graceMs: 45_000 } }), 45_000)
  const slow = { test: ['CMD', 'true'], intervalMs: 1000, timeoutMs: 1000, retries: 1, startPeriodMs: 60_000 }
  assert.equal(graceOf({ holdMs: 30_000, healthcheck: slow }), 61_000)
})
