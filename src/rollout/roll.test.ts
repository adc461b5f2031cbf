import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exit, serve, sleep, stopsWell, wordCommand, type Step } from '../../test/support/behaviour.ts'
import { deployPlan } from '../../test/support/deploy-plan.ts'
import { createMemoryEngine, createMemoryWorld, type MemoryEngine } from '../../test/support/memory-engine.ts'
import { planOf, processPlan, servesHttp } from '../../test/support/plans.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { appOwner } from '../domain/owner.ts'
import type { Plan } from '../domain/plan.ts'
import { until } from '../lib/poll.ts'
import type { Runtime } from './runtime.ts'

const control: Control = { signal: new AbortController().signal, report: () => undefined }
const app = 'shop'

const plan = (release: string, worker: Step): Plan => {
  const first = { stopFirst: true, labels: { release } }
  const serving = { ...first, ...servesHttp(3000, ['shop.localhost']), command: wordCommand([serve(3000)]) }
  const working = { ...first, restart: 'on-failure' as const, command: wordCommand([stopsWell, worker]) }
  return planOf([processPlan({ type: 'web', ...serving }), processPlan({ type: 'worker', ...working })], {
    release,
  })
}

/** An engine whose runtime is changed once an app is live. */
async function failingEngine(change: (runtime: Runtime) => Partial<Runtime>) {
  const world = createMemoryWorld()
  await deployPlan(createMemoryEngine({ world, settleMs: 1 }), plan('RAAAAAAAAAA', sleep), control)
  const wrap = (runtime: Runtime): Runtime => ({ ...runtime, ...change(runtime) })
  return createMemoryEngine({ world, wrap, settleMs: 1 })
}

const live = plan('RAAAAAAAAAA', sleep)

test('a copy that does not come back keeps no other from serving again', async () => {
  const engine = await failingEngine((runtime) => ({
    revive: async (copy, processPlan, given) => {
      if (copy.type === 'worker') throw new RackError('deploy-failed', 'it ends at once')
      return await runtime.revive(copy, processPlan, given)
    },
  }))
  const failing = deployPlan(engine, plan('RBBBBBBBBBB', exit(3)), control, { live })
  await assert.rejects(failing, { code: 'deploy-failed' })
  const [web] = await engine.processes({ owner: appOwner(app), type: 'web' }, control)
  assert.deepEqual([web?.status, web?.release], ['running', 'RAAAAAAAAAA'])
  assert.deepEqual(engine.visit('shop.localhost').length > 0, true, 'it is routed')
})

test('a way back that is barred for a moment is tried again', async () => {
  let barred = 1
  const engine = await failingEngine((runtime) => ({
    route: async (...given) => {
      if (barred-- > 0) throw new RackError('host-failed', 'the router is being started')
      await runtime.route(...given)
    },
  }))
  const failing = deployPlan(engine, plan('RBBBBBBBBBB', exit(3)), control, { live })
  await assert.rejects(failing, { code: 'deploy-failed' })
  const found = await engine.processes({ owner: appOwner(app) }, control)
  assert.deepEqual(found.map(({ type, release, status }) => `${type} ${release} ${status}`).sort(), [
    'web RAAAAAAAAAA running',
    'worker RAAAAAAAAAA running',
  ])
})

const serving = async (engine: MemoryEngine) => {
  const found = await engine.processes({ owner: appOwner(app) }, control)
  return found.filter(({ status }) => status === 'running').map(({ type, release }) => `${type} ${release}`)
}

test('who ends it when the old copies are told to leave comes too late: the new release is live', async () => {
  const ending = new AbortController()
  const engine = await failingEngine((runtime) => ({
    async retire(...given) {
      ending.abort(new RackError('cancelled', 'the operation was cancelled'))
      await runtime.retire(...given)
    },
  }))
  const under: Control = { signal: ending.signal, report: () => undefined }
  const { replaced } = await deployPlan(engine, plan('RBBBBBBBBBB', sleep), under, { live })
  assert.deepEqual(replaced, ['web', 'worker'])
  assert.deepEqual((await serving(engine)).sort(), ['web RBBBBBBBBBB', 'worker RBBBBBBBBBB'])
})

test('old copies that cannot be told to leave are told of, and the new release is live all the same', async () => {
  let barred = 1
  const engine = await failingEngine((runtime) => ({
    async retire(...given) {
      if (barred-- > 0) throw new RackError('engine-failed', 'it takes no new name')
      await runtime.retire(...given)
    },
  }))
  const said: string[] = []
  const report: Control['report'] = (told) => void (told.type === 'log' && said.push(told.text))
  const next = plan('RBBBBBBBBBB', sleep)
  await deployPlan(engine, next, { ...control, report }, { live })
  assert.deepEqual(said, [
    'could not tell all old processes to leave: it takes no new name; the next deploy will',
  ])
  assert.equal(engine.visit('shop.localhost').length, 1, 'the new copy alone is routed')
  await deployPlan(engine, next, control, { live: next })
  const isAlone = async () =>
    (await engine.processes({ owner: appOwner(app), all: true }, control)).length === 2
  await until(isAlone, { deadlineMs: 5000, intervalMs: 1, what: 'the old copies to be gone' })
})

test('a way back that stays barred says that not all of what ran before is back', async () => {
  const engine = await failingEngine(() => ({
    route: async () => {
      throw new RackError('host-failed', 'there is no router')
    },
  }))
  let isHalfUndone = false
  const onHalfUndone = () => void (isHalfUndone = true)
  const failing = deployPlan(engine, plan('RBBBBBBBBBB', exit(3)), control, { live, onHalfUndone })
  await assert.rejects(failing, (error: RackError) => {
    assert.match(error.message, /^worker: .*; not all of what ran before is back: there is no router$/)
    assert.doesNotMatch(error.hint ?? '', /still runs/)
    return error.code === 'deploy-failed'
  })
  assert.ok(isHalfUndone)
})
