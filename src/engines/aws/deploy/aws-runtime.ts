import type { Control } from '../../../domain/control.ts'
import type { Change } from '../../../domain/engine.ts'
import type { CopyOrder, ObservedCopy, Runtime } from '../../../rollout/runtime.ts'
import { isJob } from '../jobs/jobs.ts'
import { identityOf } from './identity.ts'
import { leavingVerbs } from '../leaving/leave-copies.ts'
import { findOwn } from './look.ts'
import { moveTraffic } from './move-traffic.ts'
import { copiesOf, copyOf, isKept, observed, type Generation, type OwnCopy, type OwnRollout } from './own.ts'
import { provingVerbs } from './prove-copies.ts'
import { runCommand, runJob } from '../jobs/run-job.ts'
import { setDesired } from './set-desired.ts'
import { knownTasks, prepareGeneration, startCopies, takeTasks } from './start-copies.ts'
import { ecsTags } from '../names.ts'

/** The copies of one app or service as tasks of ECS: those of one type and identity are one service of it. */
export function createAwsRuntime(own: OwnRollout, change: Pick<Change, 'plan' | 'live'>): Runtime {
  const plans = [change.plan, ...(change.live ? [change.live] : [])]
  return {
    settleMs: own.parts.intervals.settle,
    identify: identityOf,
    find: async (control) => {
      const found = await findOwn(own, plans, control)
      for (const { name, isMade } of own.generations.values()) if (isMade) own.before.add(name)
      return found
    },
    ...startingVerbs(own),
    ...provingVerbs(own),
    ...leavingVerbs(own),
    route: async (plan, processes, control) => await moveTraffic(own, plan, processes, control),
  }
}

function startingVerbs(own: OwnRollout): Pick<Runtime, 'prepare' | 'start' | 'command' | 'revive'> {
  const starts = createBatches<CopyOrder, OwnCopy>()
  const revivals = createBatches<OwnCopy, OwnCopy>()
  const preparations = createBatches<CopyOrder, Generation>()
  return {
    async prepare(order, control) {
      if (isJob(order.plan, order.process)) return
      await preparations(order.process.type, order, async ([first]) => {
        return [await prepareGeneration(own, first!, control)]
      })
    },
    async start(order, control) {
      if (isJob(order.plan, order.process)) return observed(await runJob(own, order, control))
      const work = async (orders: CopyOrder[]) => await startCopies(own, orders[0]!, orders.length, control)
      return observed(await starts(order.process.type, order, work))
    },
    command: async (order, mayStart, control) => await command(own, order, mayStart, control),
    async revive(copy, _plan, control) {
      const mine = copyOf(own, copy)
      const { generation } = mine
      if (!generation) return copy
      const work = async (copies: OwnCopy[]) => await reviveCopies(own, generation, copies, control)
      return observed(await revivals(generation.name, mine, work))
    },
  }
}

async function command(
  own: OwnRollout,
  order: CopyOrder,
  mayStart: boolean,
  control: Control,
): Promise<ObservedCopy | null> {
  const { type } = order.process
  const { release } = order.plan
  const isOwn = (copy: OwnCopy) =>
    copy.kind === 'release-command' && copy.type === type && copy.release === release
  const begun = [...own.copies.values()].find(isOwn)
  if (begun) return observed(begun)
  if (!mayStart) return null
  return observed(await runCommand(own, order, control))
}

/** They keep their ids, whatever task each is from now on. */
async function reviveCopies(
  own: OwnRollout,
  generation: Generation,
  copies: OwnCopy[],
  control: Control,
): Promise<OwnCopy[]> {
  const { parts } = own
  const known = await knownTasks(own, generation, control)
  const kept = copiesOf(own, generation).filter(isKept).length
  await setDesired(own, generation, kept + copies.length, control)
  const back = new Set(copies.map((copy) => copy.process))
  generation.parked = generation.parked.filter((each) => !back.has(each))
  const tags = ecsTags({ parked: String(generation.parked.length) })
  await parts.clients.ecs.tagResource({ resourceArn: generation.arn, tags }, { abortSignal: control.signal })
  const made = await takeTasks(own, generation, { known, count: copies.length }, control)
  return copies.map((copy, index) => {
    const { task, address, state, exitCode, endedByItself, process: processId } = made[index]!
    own.copies.delete(processId)
    return Object.assign(copy, { task, address, state, exitCode, endedByItself, mark: 'proved' as const })
  })
}

/** What is asked for in one turn, by key, is done as one. */
function createBatches<Ask, Given>() {
  const open = new Map<string, { asks: Ask[]; given: Promise<Given[]> }>()
  return async (key: string, ask: Ask, work: (asks: Ask[]) => Promise<Given[]>): Promise<Given> => {
    const batch = open.get(key) ?? begin()
    const index = batch.asks.push(ask) - 1
    const given = await batch.given
    return given[Math.min(index, given.length - 1)]!

    function begin() {
      const asks: Ask[] = []
      const given = Promise.resolve().then(async () => {
        open.delete(key)
        return await work(asks)
      })
      const begun = { asks, given }
      open.set(key, begun)
      return begun
    }
  }
}
