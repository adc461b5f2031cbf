import type { Control } from '../../domain/control.ts'
import type { Plan } from '../../domain/plan.ts'
import { removeCopy, stopCopy, toCopy } from './containers/copies.ts'
import type { FoundCopy } from './containers/found-copy.ts'
import { deployPlan } from './deploy/deploy.ts'
import type { EngineParts } from './parts.ts'

/** A copy of a type leaves as in a deploy, its successor first; anything else simply ends. */
export async function stopProcess(
  parts: EngineParts,
  copy: FoundCopy,
  plan: Plan | undefined,
  control: Control,
) {
  if (copy.kind !== 'process') {
    await stopCopy(parts, toCopy(copy), control)
    return
  }
  const isPlanned = plan?.processes.some(({ type }) => type === copy.type)
  if (plan && isPlanned) {
    await deployPlan(parts, plan, control, new Set([copy.process]))
    return
  }
  if (plan) {
    await stopCopy(parts, toCopy(copy), control)
    await removeCopy(parts, toCopy(copy), control)
    return
  }
  // The daemon has not brought the app's plan about yet: Docker itself stops it and starts it again.
  const path = `/containers/${copy.container}/restart`
  await parts.docker.json({ method: 'POST', path, deadlineMs: null }, control)
}
