import type { Control } from '../../../domain/control.ts'
import { waysOf } from '../../../domain/ways.ts'
import { ecsTags } from '../names.ts'
import { bringTargetGroup } from '../routes/target-groups.ts'
import type { OwnRollout } from './own.ts'
import { groupBehind, type Serving } from './serving.ts'

/** Has generations that stay checked, drained and shared out as their plans are now (aws.md 1.3, In place). */
export async function bringGroups(own: OwnRollout, serving: Serving[], control: Control): Promise<void> {
  const { parts, before } = own
  for (const { plan, counts } of serving) {
    for (const generation of counts.keys()) {
      if (!before.has(generation.name)) continue
      for (const way of waysOf(plan)) {
        const group = groupBehind(own, generation, way)
        if (group !== undefined) await bringTargetGroup(parts, { group, generation, plan, way }, control)
      }
      if (generation.drainMs === plan.drainTimeoutMs) continue
      const tags = ecsTags({ drain: String(plan.drainTimeoutMs) })
      await parts.clients.ecs.tagResource(
        { resourceArn: generation.arn, tags },
        { abortSignal: control.signal },
      )
      generation.drainMs = plan.drainTimeoutMs
    }
  }
}
