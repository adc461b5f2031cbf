import { isAwsError } from '../../aws/errors.ts'
import type { Control } from '../../domain/control.ts'
import { ownerKey } from '../../domain/owner.ts'
import { capacityOf, type Capacity, type Holder, type Resources } from '../../domain/rack.ts'
import { findGenerations, findTasks, type FoundGeneration, type FoundTask } from './look/found.ts'
import type { AwsParts } from './parts.ts'

/** "Fargate On-Demand vCPU resource count" of Service Quotas. */
const fargateQuota = { ServiceCode: 'fargate', QuotaCode: 'L-3032A538' }

/** What the rack may give, its cpu no more than the account lets run on Fargate at once. */
async function totalOf(parts: AwsParts, control: Control): Promise<Resources> {
  const { total } = parts
  parts.fargateCpuUnits ??= await fargateCpuUnits(parts, control)
  return { ...total, cpuUnits: Math.min(total.cpuUnits, parts.fargateCpuUnits) }
}

async function fargateCpuUnits({ clients }: AwsParts, { signal }: Control): Promise<number> {
  try {
    const { Quota } = await clients.quotas.getServiceQuota(fargateQuota, { abortSignal: signal })
    return (Quota?.Value ?? Infinity) * 1024
  } catch (error) {
    // Of an account that has no value of its own yet (D): what it lets run is then told by ECS.
    if (isAwsError(error, 'NoSuchResourceException')) return Infinity
    throw error
  }
}

/** Adds up what services and tasks that run by themselves reserve. */
export async function readCapacity(parts: AwsParts, control: Control): Promise<Capacity> {
  const [generations, tasks] = await Promise.all([
    findGenerations(parts, {}, control),
    findTasks(parts, {}, control),
  ])
  const loose = tasks.filter(({ service, arn }) => service === null && !parts.endedTasks.has(arn))
  return capacityOf(await totalOf(parts, control), holdersOf(generations, loose))
}

/** Groups what reserves by owner, type, kind and size. Pure. */
export function holdersOf(
  generations: Pick<FoundGeneration, 'owner' | 'type' | 'tags' | 'service'>[],
  tasks: Pick<FoundTask, 'owner' | 'type' | 'kind' | 'tags'>[],
): Holder[] {
  const holders = new Map<string, Holder>()
  const add = ({ owner, type, kind, count, each }: Holder) => {
    if (count === 0) return
    const key = JSON.stringify([ownerKey(owner), type, kind, each])
    const holder = holders.get(key) ?? { owner, type, kind, count: 0, each }
    holder.count += count
    holders.set(key, holder)
  }
  for (const { owner, type, tags, service } of generations) {
    // One that was taken away at once counts no more, whatever still stops of it.
    if (service.status !== 'ACTIVE') continue
    const isLeaving = tags.state === 'leaving'
    const { desiredCount = 0, runningCount = 0 } = service
    const count = isLeaving ? runningCount : desiredCount
    add({ owner, type, kind: isLeaving ? 'draining' : 'process', count, each: sizeOf(tags) })
  }
  for (const { owner, type, kind, tags } of tasks) {
    add({ owner, type, kind: kind === 'process' ? 'process' : 'one-off', count: 1, each: sizeOf(tags) })
  }
  return [...holders.values()]
}

function sizeOf({ cpu = '0', memory = '0' }: FoundTask['tags']): Holder['each'] {
  return { cpuUnits: Number(cpu), memoryBytes: Number(memory) }
}
