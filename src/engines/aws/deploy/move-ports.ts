import type { Control } from '../../../domain/control.ts'
import { waysOf } from '../../../domain/ways.ts'
import { findListeners, isWaitingPort, type FoundListener } from '../routes/listeners.ts'
import {
  bringOpenPorts,
  hasOpenPorts,
  openBetween,
  openPortsOf,
  refuseOpening,
} from '../routes/open-ports.ts'
import { untilAnswered } from '../until-answered.ts'
import { leadWay } from './lead-way.ts'
import type { OwnRollout } from './own.ts'
import { refuseWays } from './refuse-ways.ts'
import { groupBehind, type Serving } from './serving.ts'

/**
 * Opens ports as far as both what serves and what comes may be reached there; all that comes once it is settled. What
 * was open is so again in the end where it is not. Nobody else opens any meanwhile.
 */
export async function openPorts(own: OwnRollout, control: Control) {
  const { parts, owner, plan, live } = own
  const before = live ? openPortsOf(live) : []
  const next = openPortsOf(plan!)
  const isAsked = before.length + next.length > 0 || (await hasOpenPorts(parts, owner, control))
  if (!isAsked) return { settle: async () => undefined, [Symbol.asyncDispose]: async () => undefined }
  const turn = await parts.opening.acquire(control.signal)
  let isOpen = false
  let isSettled = false
  await using failing = new AsyncDisposableStack()
  failing.defer(() => {
    if (!isOpen || isSettled) return turn[Symbol.dispose]()
    parts.behind(async (signal) => {
      using _turn = turn
      const close = async () => await bringOpenPorts(parts, owner, before, { signal })
      await untilAnswered(parts, close, signal)
    })
  })
  const listeners = await findListeners(parts, control)
  await refuseWays(own, plan!.processes, { listeners, rules: [] }, control)
  await refuseOpening(parts, { plan: plan!, live }, control)
  isOpen = true
  await bringOpenPorts(parts, owner, openBetween(before, next), control)
  const opened = failing.move()
  return {
    async settle() {
      await bringOpenPorts(parts, owner, next, control)
      own.live = plan
      isSettled = true
    },
    [Symbol.asyncDispose]: async () => await opened.disposeAsync(),
  }
}

/** @returns listeners that lead no more */
export async function movePorts(
  own: OwnRollout,
  serving: Serving[],
  control: Control,
): Promise<FoundListener[]> {
  const { parts, plan } = own
  const groups = new Set([...own.generations.values()].flatMap((each) => each.groups))
  if (groups.size === 0) return []
  const listeners = await findListeners(parts, control)
  await refuseWays(
    own,
    serving.map((each) => each.plan),
    { listeners, rules: [] },
    control,
  )
  const led = new Set<number>()
  for (const { main, plan: processPlan } of serving) {
    for (const way of waysOf(processPlan)) {
      if (way.external === null) continue
      const group = groupBehind(own, main, way)
      if (group === undefined) continue
      await leadWay(parts, { plan: plan!, way, group, listeners }, control)
      led.add(way.external)
    }
  }
  const wanted = new Set(plan!.processes.flatMap((each) => waysOf(each).map(({ external }) => external)))
  return listeners.filter(
    ({ port, group }) => !isWaitingPort(port) && groups.has(group) && !led.has(port) && !wanted.has(port),
  )
}
