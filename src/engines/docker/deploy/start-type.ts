import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { together } from '../../../lib/together.ts'
import {
  createCopy,
  lookAgain,
  mendCopy,
  nameCopy,
  setRestartPolicy,
  StartError,
  startCopy,
  toCopy,
  type Copy,
} from '../containers/copies.ts'
import { deployFailed, lastLines, startFailed } from './copy-failure.ts'
import type { DeployTrace } from './deploy-trace.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { endedOutOfMemory } from '../containers/out-of-memory.ts'
import type { EngineParts } from '../parts.ts'
import { passGate } from './pass-gate.ts'
import { isCompleted, isNamed, type TypeSteps } from './phrase.ts'

/** One deploy while it runs. */
export interface Deploy {
  parts: EngineParts
  plan: Plan
  /** Labels what this deploy makes. */
  operation: string
  trace: DeployTrace
  /** Every container that this deploy has made: gone again if it fails. */
  started: Copy[]
  /** Old copies that were stopped for their successors: started again if it fails. */
  parked: FoundCopy[]
  /** Copies that have passed the gate in this deploy, and run. */
  passed: { copy: Copy; plan: ProcessPlan; isNamed: boolean }[]
}

interface Starting {
  copy: Copy
  isNamed: boolean
}

interface Stage {
  steps: TypeSteps
  count: number
  /** Copies found, to be proved with the new ones. */
  found: FoundCopy[]
  /** Another type waits for the end of this one. */
  mustComplete: boolean
  onStarted: () => void
}

/** Starts copies of a type and waits until all are healthy. @throws deploy-failed, and leaves removal to the caller */
export async function startType(deploy: Deploy, stage: Stage, signal: AbortSignal): Promise<void> {
  const { trace } = deploy
  const { steps, count, found } = stage
  const { type } = steps.plan
  const copies = await trace.phase('start', type, () => {
    const fresh = Array.from({ length: count }, () => async (inner: AbortSignal): Promise<Starting> => {
      return { copy: await startNew(deploy, steps, inner), isNamed: !isReachable(steps.plan) }
    })
    const again = found.map((copy) => async (inner: AbortSignal): Promise<Starting> => {
      return { copy: await revive(deploy, steps.plan, copy, inner), isNamed: isNamed(steps.plan, copy) }
    })
    return together(signal, [...fresh, ...again])
  })
  stage.onStarted()
  await trace.phase('check', type, () =>
    together(
      signal,
      copies.map((starting) => (inner: AbortSignal) => proveCopy(deploy, stage, starting, inner)),
    ),
  )
}

/** Gives copies that passed the gate their names and their restart policy, and looks whether they are still up. */
export async function settleCopies(deploy: Deploy, signal: AbortSignal): Promise<void> {
  await together(
    signal,
    deploy.passed.map((passed) => (inner: AbortSignal) => settleCopy(deploy, passed, inner)),
  )
}

/** Gives names at once where no older copy answers to them, so that types that wait for this one can reach it. */
export async function nameEarly(deploy: Deploy, type: string, signal: AbortSignal): Promise<void> {
  const own = deploy.passed.filter(({ plan, isNamed }) => plan.type === type && !isNamed)
  await together(
    signal,
    own.map((passed) => (inner: AbortSignal) => nameOnce(deploy, passed, inner)),
  )
}

/** Whether others inside the app can reach the type at a port that is known. */
function isReachable({ internalPorts, ports }: ProcessPlan): boolean {
  return internalPorts.length > 0 || ports.length > 0
}

async function startNew(deploy: Deploy, { plan, identity }: TypeSteps, signal: AbortSignal): Promise<Copy> {
  const { parts, operation } = deploy
  const { app, release } = deploy.plan
  const names = isReachable(plan) ? [] : plan.aliases
  const request = { app, release, kind: 'process' as const, operation, plan, identity, names }
  const start = async () => {
    const copy = await createCopy(parts, request, { signal })
    deploy.started.push(copy)
    await startCopy(parts, copy, { signal })
    return copy
  }
  try {
    return await parts.starting.run(start, signal)
  } catch (error) {
    throw error instanceof StartError ? startFailed(plan, error) : error
  }
}

async function revive(
  { parts }: Deploy,
  plan: ProcessPlan,
  found: FoundCopy,
  signal: AbortSignal,
): Promise<Copy> {
  await mendCopy(parts, found, { signal })
  const copy = toCopy(await lookAgain(parts, toCopy(found), { signal }))
  try {
    await startCopy(parts, copy, { signal })
    return copy
  } catch (error) {
    throw error instanceof StartError ? startFailed(plan, error) : error
  }
}

async function proveCopy(
  deploy: Deploy,
  stage: Stage,
  { copy, isNamed: hasNames }: Starting,
  signal: AbortSignal,
): Promise<void> {
  const { plan } = stage.steps
  const { mustComplete } = stage
  const { verdict, probe } = await passGate(deploy.parts, copy, plan, { mustComplete, signal })
  if (verdict.is === 'failed') {
    const { reason, exitCode } = verdict
    const lines = await lastLines(deploy.parts, copy, { signal })
    throw deployFailed([
      { process: copy.process, type: plan.type, reason, exitCode, lastLines: lines, probe },
    ])
  }
  if (verdict.is === 'healthy') deploy.passed.push({ copy, plan, isNamed: hasNames })
}

async function settleCopy(
  deploy: Deploy,
  passed: Deploy['passed'][number],
  signal: AbortSignal,
): Promise<void> {
  const { parts } = deploy
  const { copy, plan } = passed
  await nameOnce(deploy, passed, signal)
  await setRestartPolicy(parts, copy, plan.restart, { signal })
  const found = await lookAgain(parts, copy, { signal })
  if (found.state === 'running' || isCompleted(plan, found)) return
  const isOutOfMemory = await endedOutOfMemory(parts.docker, copy.container, { signal })
  const reason = isOutOfMemory ? 'out-of-memory' : 'exited'
  const lines = await lastLines(parts, copy, { signal })
  const { process, exitCode } = found
  throw deployFailed([{ process, type: plan.type, reason, exitCode, lastLines: lines, probe: null }])
}

async function nameOnce(
  deploy: Deploy,
  passed: Deploy['passed'][number],
  signal: AbortSignal,
): Promise<void> {
  if (passed.isNamed) return
  await nameCopy(deploy.parts, passed.copy, passed.plan.aliases, { signal })
  passed.isNamed = true
}
