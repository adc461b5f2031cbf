import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observedCopy } from '../../test/support/model-rollout.ts'
import { planOf, processPlan } from '../../test/support/plans.ts'
import type { Control } from '../domain/control.ts'
import { noReleaseCommands } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { abortable } from '../lib/deadline.ts'
import { carryOutStep, type Rollout } from './carry-out-step.ts'
import type { Runtime } from './runtime.ts'
import { targetOf } from './target.ts'
import { startTrace } from './trace.ts'

const tcp = (container: number) =>
  ({ external: container, container, protocol: 'tcp', proxy: false, secure: false }) as const
const plan = planOf([processPlan({ type: 'db', stopFirst: true, stopGraceMs: 5000, ports: [tcp(5432)] })])
const leaving = observedCopy(plan, 'db', { mark: 'draining', drainMs: 10_000 })

type Told = { do: 'vacate' | 'prove'; isUndo?: boolean }

function carryOut(
  runtime: Partial<Runtime>,
  { do: verb, isUndo = false }: Told,
  signal = new AbortController().signal,
) {
  const control: Control = { signal, report: () => undefined }
  const change = { plan, live: null, leaving: [], releaseCommands: noReleaseCommands }
  const rollout: Rollout = {
    runtime: runtime as Runtime,
    change,
    trace: startTrace(control),
    guards: new Map(),
    before: new Set(),
    started: new Set(),
    awaySince: new Map(),
    hasBegun: true,
    hasLeft: false,
  }
  const target = targetOf(plan, (text) => text, { isUndo })
  return carryOutStep(rollout, target, { do: verb, type: 'db', copies: [leaving] }, control)
}

const vacate = (runtime: Partial<Runtime>, signal?: AbortSignal) =>
  carryOut(runtime, { do: 'vacate' }, signal)

test('a copy that keeps a volume longer than it may drain and stop is told, and not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const never = vacate({ vacate: () => new Promise(() => undefined) })
  let hasEnded = false
  const ended = assert.rejects(never, (error: RackError) => {
    hasEnded = true
    assert.equal(error.message, `${leaving.process} still holds a volume of db and does not leave`)
    return error.code === 'timeout'
  })
  t.mock.timers.tick(15_000)
  await Promise.resolve()
  assert.equal(hasEnded, false, 'it may drain and stop')
  t.mock.timers.tick(60_000)
  await ended
})

test('who gives up while a volume is waited for is told their own reason', async () => {
  const reason = new RackError('cancelled', 'the operation was cancelled')
  const given = vacate({ vacate: () => new Promise(() => undefined) }, AbortSignal.abort(reason))
  await assert.rejects(given, reason)
})

/** As a verb of a runtime: it ends when it is told to. */
const never = async (...args: unknown[]) =>
  await abortable(new Promise<never>(() => undefined), signalOf(args))
const signalOf = (args: unknown[]) => (args.at(-1) as Control).signal

test('who goes back waits until what served before serves again, and takes it as it is when it does not', async () => {
  const probes = [false, false, true]
  const probe = async () => {
    const isGood = probes.shift()!
    return { isGood, answered: isGood, text: 'connection refused on 5432' }
  }
  assert.deepEqual(await carryOut({ settleMs: 1, probe, ended: never }, { do: 'prove', isUndo: true }), [
    leaving,
  ])
  assert.deepEqual(probes, [])
  const ended = async () => ({ code: 1, isOutOfMemory: false })
  const gone = await carryOut({ settleMs: 1, probe: never, ended }, { do: 'prove', isUndo: true })
  assert.deepEqual(gone, [leaving])
})

test('who goes back lets requests in after a while, whether it serves or not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const proved = carryOut({ settleMs: 1, probe: never, ended: never }, { do: 'prove', isUndo: true })
  t.mock.timers.tick(30_000)
  assert.deepEqual(await proved, [leaving])
})
