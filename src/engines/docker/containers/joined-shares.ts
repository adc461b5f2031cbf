import { RackError } from '../../../domain/error.ts'
import { ownerKey, type Owner } from '../../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { Way } from '../../../router/route-table.ts'
import type { HostLine } from '../names/container-hosts.ts'
import type { EngineParts } from '../parts.ts'
import { networkKey } from './names.ts'

/**
 * A service of another rack is an address of this machine's own, at which the router listens for the processes of one
 * owner. Each version of a link has one, so that those who drain go on by the way that they had.
 */
type Parts = Pick<EngineParts, 'addresses' | 'pool' | 'router' | 'joining' | 'wayRange'>
type Signalled = { signal: AbortSignal }

/** What the addresses of ways are kept under: no owner's key has a colon. */
const rangeKey = ':ways'

/** Opens the ways that a type is led by, beside those of its owner. @returns the names by which its copies know them */
export async function joinShares(
  parts: Parts,
  owner: Owner,
  { shared = [], extraHosts }: Pick<ProcessPlan, 'shared' | 'extraHosts'>,
  control: Signalled,
): Promise<HostLine[]> {
  if (shared.length === 0) return []
  const { addresses, pool, router, joining } = parts
  await openRange(parts, control)
  const key = ownerKey(owner)
  const subnet = await addresses.subnet(networkKey(owner), pool, () => true)
  const said = new Set(extraHosts.map(({ host }) => host))
  const ways = new Map<string, Way>()
  const lines: HostLine[] = []
  for (const { names, version, port, end } of shared) {
    const address = await addresses.take(rangeKey, holderOf(key, version))
    ways.set(version, { owner: key, id: version, address, port, subnet, end })
    for (const host of names) if (!said.has(host)) lines.push({ host, address })
  }
  await joining.run(async () => {
    const others = (await router.waysOf(key)).filter(({ id }) => !ways.has(id))
    await router.lead(key, [...others, ...ways.values()], { ...control, report: () => undefined })
  }, control.signal)
  return lines
}

/** Closes the ways of an owner that its plan does not lead by any more; connections by them end. */
export async function leaveShares(
  { addresses, router, joining }: Parts,
  { owner, processes }: Pick<Plan, 'owner' | 'processes'>,
  control: Signalled,
): Promise<void> {
  const key = ownerKey(owner)
  const led = new Set(processes.flatMap(({ shared = [] }) => shared.map(({ version }) => version)))
  await joining.run(async () => {
    const known = await router.waysOf(key)
    const kept = known.filter(({ id }) => led.has(id))
    if (kept.length < known.length) await router.lead(key, kept, { ...control, report: () => undefined })
  }, control.signal)
  const kept = new Set([...led].map((version) => holderOf(key, version)))
  for (const { holder } of await addresses.holders(rangeKey)) {
    if (holder.startsWith(holderOf(key, '')) && !kept.has(holder)) await addresses.free(rangeKey, holder)
  }
}

/** The kernel forgets what it takes as its own when it starts anew, or somebody has it do so. */
export async function keepWaysOpen(parts: Parts, control: Signalled): Promise<void> {
  if ((await parts.addresses.holders(rangeKey)).length > 0) await openRange(parts, control)
}

async function openRange({ addresses, wayRange }: Parts, control: Signalled): Promise<void> {
  if (!wayRange) {
    throw new RackError('unsupported', 'this machine leads nobody to services of another rack')
  }
  const isFree = await wayRange.lookForFree()
  await wayRange.open(await addresses.subnet(rangeKey, wayRange.pool, isFree), control)
}

function holderOf(owner: string, version: string): string {
  return `${owner}/${version}`
}
