import type { Control } from '../../../domain/control.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import { deployFailed } from '../../../rollout/failure.ts'
import type { Generation, OwnRollout } from './own.ts'
import type { Serving } from './serving.ts'

/** How long a target that is through the gate may take until the balancer finds it healthy too. */
const targetDeadlineMs = 180_000

/** A swap to targets that the balancer has not found healthy yet would be answered by 503. */
export async function awaitTargets(
  own: OwnRollout,
  serving: Serving[],
  processes: string[],
  { signal }: Control,
): Promise<void> {
  const { clients, intervals } = own.parts
  for (const { main, plan } of serving) {
    const addresses = new Set(
      processes.flatMap((id) => {
        const copy = own.copies.get(id)
        return copy?.generation === main && copy.address !== null ? [copy.address] : []
      }),
    )
    for (const arn of main.groups) {
      let seen = ''
      const areHealthy = async () => {
        const input = { TargetGroupArn: arn }
        const { TargetHealthDescriptions = [] } = await clients.balancers.describeTargetHealth(input, {
          abortSignal: signal,
        })
        const healthy = TargetHealthDescriptions.filter(
          ({ TargetHealth }) => TargetHealth?.State === 'healthy',
        )
        const bad = TargetHealthDescriptions.find(({ TargetHealth }) => TargetHealth?.State !== 'healthy')
        seen = bad?.TargetHealth?.Description ?? bad?.TargetHealth?.Reason ?? ''
        const known = new Set(healthy.map(({ Target }) => Target?.Id))
        // Of copies that serve already some may be restarting: enough is one of them.
        return (
          [...addresses].every((address) => known.has(address)) || (isOld(own, main) && healthy.length > 0)
        )
      }
      const waiting = { intervalMs: intervals.targets, deadlineMs: targetDeadlineMs, what: 'targets', signal }
      try {
        await until(areHealthy, waiting)
      } catch (error) {
        if (!(error instanceof DeadlineError)) throw error
        const about = { reason: 'not-healthy' as const, exitCode: null, lastLines: [] }
        const probe = `the balancer does not find it healthy: ${seen}`
        throw deployFailed([{ process: processes[0] ?? '', type: plan.type, ...about, probe }])
      }
    }
  }
}

/** Whether it was there, and proved, before this rollout. */
function isOld({ before }: OwnRollout, generation: Generation): boolean {
  return before.has(generation.name)
}
