import { copyRules } from '../../../domain/copy-identity.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import { fixedGenerationId, type GenerationName } from '../names.ts'
import { identityOf } from '../deploy/identity.ts'

/**
 * Whether a type is a job: a service of ECS would start it for ever. Its completion is waited for, or it is to run once
 * and serves nobody (aws.md 1.3).
 */
export function isJob(plan: Plan, processPlan: ProcessPlan): boolean {
  const { type, restart, ports } = processPlan
  const isAwaited = plan.processes.some(({ after }) =>
    after.some((wait) => wait.type === type && wait.condition === 'completed'),
  )
  // What an image exposes or checks makes a server of nothing that its file does not call one.
  return isAwaited || (restart !== 'always' && ports.length === 0)
}

/** What all jobs of an identity are made from. */
export function jobName(owner: Owner, type: string, identity: string): GenerationName {
  return { owner, type, id: fixedGenerationId(`job ${identity}`) }
}

/** What the release command of a type is made from: once a release. */
export function commandName(owner: Owner, type: string, release: string): GenerationName {
  return { owner, type, id: fixedGenerationId(`command ${type} ${release}`) }
}

/** All that runs by itself under a plan. */
export function jobGeneration(plan: Plan): GenerationName[] {
  const rules = copyRules(plan)
  return plan.processes.flatMap((processPlan) => {
    const { type, releaseCommand } = processPlan
    const identity = identityOf(rules.get(type)!.identity, processPlan)
    return [
      ...(isJob(plan, processPlan) ? [jobName(plan.owner, type, identity)] : []),
      ...(releaseCommand ? [commandName(plan.owner, type, plan.release)] : []),
    ]
  })
}
