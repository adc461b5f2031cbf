import type { Plan } from '../../src/domain/plan.ts'
import { next } from '../../src/rollout/next.ts'
import type { Observed, ObservedCopy } from '../../src/rollout/runtime.ts'
import { after, beginState, stepKey, type RolloutState, type Step } from '../../src/rollout/state.ts'
import { targetOf, type Target, type TargetOptions } from '../../src/rollout/target.ts'

let count = 0

/** A copy of a type of a plan, proved and running, unless a test says otherwise. */
export function observedCopy(plan: Plan, type: string, overrides: Partial<ObservedCopy> = {}): ObservedCopy {
  const { identity, plan: processPlan } = targetOf(plan, same).types.find((each) => each.plan.type === type)!
  count++
  return {
    process: `P${String(count).padStart(10, 'A')}`,
    type,
    kind: 'process',
    release: plan.release,
    identity,
    createdMs: count,
    state: 'running',
    exitCode: null,
    endedByItself: false,
    mark: 'proved',
    names: processPlan.aliases,
    drainMs: processPlan.drainTimeoutMs,
    volumes: [],
    ...overrides,
  }
}

const same = (text: string) => text

/** What comes of a step when nothing goes wrong. */
function doStep(state: RolloutState, step: Step, target: Target): ObservedCopy[] {
  switch (step.do) {
    case 'start':
      return Array.from({ length: step.count }, () => {
        const names =
          target.types.find(({ plan }) => plan.type === step.type)!.plan.ports.length > 0 ? [] : undefined
        return observedCopy(target.plan, step.type, { mark: 'unproved', ...(names && { names }) })
      })
    case 'revive':
      return step.copies.map((copy) => ({ ...copy, state: 'running', exitCode: null }))
    case 'prove':
    case 'watch':
      return step.copies
    case 'name':
    case 'settle':
      return step.copies.map((copy) => {
        const names = target.types.find(({ plan }) => plan.type === copy.type)!.plan.aliases
        if (step.do === 'name') return { ...copy, names }
        return { ...copy, names, mark: copy.state === 'ended' ? 'completed' : 'proved' }
      })
    case 'park':
      return step.copies.map((copy) => ({ ...copy, mark: 'parked', state: 'ended', exitCode: 0, names: [] }))
    case 'retire':
      return step.copies.map((copy) => ({ ...copy, mark: 'draining', names: [] }))
    case 'remove':
    case 'prepare':
    case 'vacate':
    case 'route':
    case 'command':
      return []
  }
}

export interface ModelRun {
  /** One line a round; what goes on side by side stands in one line. */
  lines: string[]
  state: RolloutState
}

/** Does what `next` says until it says nothing; every round is seen by `look`, which may end the run. */
export function runModel(
  plan: Plan,
  observed: Observed,
  options: TargetOptions = {},
  look: (state: RolloutState, steps: Step[]) => boolean = () => true,
): ModelRun {
  const target = targetOf(plan, same, options)
  let state = beginState(observed)
  const lines: string[] = []
  for (let round = 0; round < 200; round++) {
    const steps = next(state, target)
    if (steps.length === 0 || !look(state, steps)) return { lines, state }
    lines.push(steps.map(stepText).join(', '))
    for (const step of steps) state = after(state, step, doStep(state, step, target))
  }
  throw new Error(`the rollout does not end:\n${lines.join('\n')}`)
}

function stepText(step: Step): string {
  const many = 'count' in step ? step.count : 'copies' in step ? step.copies.length : null
  if (step.do === 'route') return `route ${step.processes.length}`
  return many === null ? stepKey(step) : `${stepKey(step)} ${many}`
}
