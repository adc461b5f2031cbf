import type { Control } from '../../../domain/control.ts'
import type { Plan } from '../../../domain/plan.ts'
import { servesWeb, waysOf } from '../../../domain/ways.ts'
import { pause } from '../../../lib/poll.ts'
import { awaitChange, changeRecordsOf, recordChanges, type Records } from '../inside/records.ts'
import { namesOfLinks, namesOfTypes } from '../inside/wanted-names.ts'
import { membersName } from '../names.ts'
import { leadNames } from '../web/bring-homes.ts'
import { awaitTargets } from './await-targets.ts'
import { bringGroups } from './bring-groups.ts'
import { tellDrift } from './drift.ts'
import { leadWaiting } from './make-parts.ts'
import { moveWays } from './move-ways.ts'
import type { OwnRollout } from './own.ts'
import { groupBehind, servingOf, type Serving } from './serving.ts'

/** Leads requests and names to these copies, and to no other. */
export async function moveTraffic(
  own: OwnRollout,
  plan: Plan,
  processes: string[],
  control: Control,
): Promise<void> {
  own.plan = plan
  const serving = servingOf(own, plan, processes)
  await leadLost(own, serving, control)
  await awaitTargets(own, serving, processes, control)
  await bringGroups(own, serving, control)
  if (plan.processes.some(servesWeb)) await leadNames(own.parts, own, control)
  const hasMoved = await moveWays(own, serving, processes, control)
  await moveNames(own, plan, serving, control)
  // Every node of a balancer hears of it for itself (aws.md 4.1).
  if (hasMoved) await pause(own.parts.intervals.targets, control.signal)
}

/** Of what stays, what leads to nobody any more: no balancer would find it healthy. */
async function leadLost(own: OwnRollout, serving: Serving[], control: Control): Promise<void> {
  const { lost } = own
  for (const { main: generation, plan: process } of serving) {
    for (const way of waysOf(process)) {
      const group = groupBehind(own, generation, way)
      if (group === undefined || !lost?.unled.delete(group)) continue
      tellDrift(control, `somebody has taken what leads to ${process.type} on ${way.name}: it is made anew`)
      const order = { plan: own.plan!, process }
      await leadWaiting(own, { generation, group, order, way }, control)
    }
  }
}

/** All names of the app in one change; those of types that are gone go with their copies. */
async function moveNames(own: OwnRollout, plan: Plan, serving: Serving[], control: Control): Promise<void> {
  const { parts, owner, records } = own
  const mains = new Map(serving.map(({ plan: { type }, main }) => [type, main]))
  const wanted = new Map([...namesOfLinks(parts.rack, plan), ...namesOfTypes(parts.rack, plan, mains)])
  const targets = new Set(serving.map(({ main }) => membersName(parts.rack, main)))
  const staleOf = (now: Records) =>
    [...now].filter(([name, target]) => targets.has(target) && !wanted.has(name)).map(([name]) => name)
  const stale = staleOf(records)
  const hadOthers =
    stale.length > 0 ||
    [...wanted].some(([name, target]) => records.has(name) && records.get(name) !== target)
  // A change that may have been made unheard is made once more: only who has made one can ask whether it is known.
  const changesOf = (now: Records, isFirst: boolean) => [
    ...recordChanges(isFirst ? now : new Map(), wanted),
    ...recordChanges(now, new Map(), staleOf(now)),
  ]
  const naming = await changeRecordsOf(parts, { owner, records }, changesOf, control)
  if (naming === null) return
  own.naming = naming
  for (const name of stale) records.delete(name)
  for (const [name, target] of wanted) records.set(name, target)
  await awaitChange(parts, naming, control)
  // Who asked just before keeps the old answer for so long.
  if (hadOthers) await pause(parts.intervals.nameLife, control.signal)
}
