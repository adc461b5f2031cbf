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

/** Families stand in one list for all racks of an account: a rack runs nothing that another, or another release, has made. */
interface MadeFrom {
  rack: string
  owner: Owner
  type: string
  release: string
}

/** What all jobs of an identity are made from: once a release. */
export function jobName({ identity, ...from }: MadeFrom & { identity: string }): GenerationName {
  return fixedName(`job ${identity}`, from)
}

/** What the release command of a type is made from: once a release. */
export function commandName(from: MadeFrom): GenerationName {
  return fixedName(`command ${from.type}`, from)
}

function fixedName(text: string, { rack, owner, type, release }: MadeFrom): GenerationName {
  return { owner, type, id: fixedGenerationId(`${text} ${release} ${rack}`) }
}

/** All that runs by itself under a plan. */
export function jobGeneration(rack: string, plan: Plan): GenerationName[] {
  const { owner, release } = plan
  const rules = copyRules(plan)
  return plan.processes.flatMap((processPlan) => {
    const { type, releaseCommand } = processPlan
    const identity = identityOf(rules.get(type)!.identity, processPlan)
    const from = { rack, owner, type, release }
    return [
      ...(isJob(plan, processPlan) ? [jobName({ ...from, identity })] : []),
      ...(releaseCommand ? [commandName(from)] : []),
    ]
  })
}
