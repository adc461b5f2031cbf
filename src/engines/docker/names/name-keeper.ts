import { RackError } from '../../../domain/error.ts'
import { ownerKey, readOwnerKey, type Owner } from '../../../domain/owner.ts'
import type { Rules } from '../../../domain/rules.ts'
import type { UdpRoute } from '../../../router/route-table.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import type { AddressPool, Addresses } from '../addresses.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { networkKey } from '../containers/names.ts'
import { leadsNowhere, typesOf, type Leading, type NamedCopy } from './leading.ts'
import type { NameTable } from './name-table.ts'
import { createPlaceKeeper, type PlaceKeeper } from './place-keeper.ts'
import { placedOf, placedService } from './placed.ts'
import { createPlaces, type Places } from './places.ts'
import { createPortKeeper, portRules, type PortKeeper } from './port-keeper.ts'
import { virtualNames, type Condition } from './virtual-names.ts'

type Signalled = { signal: AbortSignal }

/**
 * Says where the name of each process type leads: to copies that serve, at one address for as long as the owner lives.
 * The rules in the kernel follow; what settles has reached them.
 */
export interface NameKeeper extends PlaceKeeper, PortKeeper {
  /** Settles when `isUsed` is known, and the rules are as what runs would have them. */
  begin(control: Signalled): Promise<void>
  /** False where this machine has no such rules: there Docker's own DNS gives a name's copies. */
  isUsed(): boolean
  /** The addresses of an owner's types, given for good; none where names are not used. */
  addressesOf(owner: Owner, types: string[]): Promise<ReadonlyMap<string, string>>
  /** Takes up the names of all that was found, and of nothing else. */
  adopt(found: FoundCopy[], control: Signalled): Promise<void>
  /** The copies that an owner's names lead to. */
  led(owner: Owner): NamedCopy[]
  /** From now on an owner's names lead to what comes of where they led. @throws host-failed */
  lead(owner: Owner, next: (leading: Leading) => Leading, control: Signalled): Promise<void>
  /** What its own check, or the router's, says of a copy; the worse counts. The rules follow behind. */
  note(processId: string, condition: Condition, by: Observer): void
  /** Gives the addresses of an owner that goes back. Safe to repeat. */
  forget(owner: Owner, control: Signalled): Promise<void>
  /** Makes the rules anew where somebody else has changed them, and says whether that was so. @throws host-failed */
  mend(control: Signalled): Promise<boolean>
}

/** Who sees what becomes of a copy. */
type Observer = 'engine' | 'router'

export interface NameKeeperOptions {
  /** Null where the machine has none. */
  table: NameTable | null
  addresses: Addresses
  /** Of the owners' networks. */
  pool: AddressPool
  /** All containers of the rack. */
  find: (control: Signalled) => Promise<FoundCopy[]>
  /** The udp ports of each owner's key, as they were opened last. */
  openedPorts: () => Promise<ReadonlyMap<string, UdpRoute[]>>
  /** Whether its container is being made. */
  isInFlight: (processId: string) => boolean
  lifetime: AbortSignal
  onTrouble: (error: unknown) => void
}

/** What the addresses of names are kept under: no owner's key has a colon. */
const rangeKey = ':names'

interface OwnerNames {
  /** Of its network. */
  subnet: string
  leading: Leading
}

interface KeptNames {
  /** By the owner's key. */
  owners: Map<string, OwnerNames>
  places: Places
  /** By the owner's key. */
  ports: Map<string, UdpRoute[]>
  /** Addresses of names, by `holderOf`. */
  addresses: Map<string, string>
  /** Of copies that are not up, by who sees it and process id. */
  conditions: Map<string, Condition>
}

export function createNameKeeper(options: NameKeeperOptions): NameKeeper {
  const maps = { owners: new Map(), addresses: new Map(), conditions: new Map(), ports: new Map() }
  const kept: KeptNames = { ...maps, places: createPlaces() }
  const rules = createRules(kept, options.table)
  const uses = createUse(rules, options)
  const apply = async (control: Signalled) => {
    await rules.apply(control)
    endHolds()
  }
  const applyBehind = () => {
    if (uses.isUsed()) rules.apply({ signal: options.lifetime }).catch(options.onTrouble)
  }
  const endHolds = wakeAt(kept, options, applyBehind)
  const letThrough = async (control: Signalled) => await options.table?.open(rulesOf(kept).udpPorts, control)
  const steps = { areUsed: uses.isUsed, areWritten: rules.areWritten, apply, applyBehind, letThrough }
  const ports = createPortKeeper({ ports: kept.ports, ...steps, onTrouble: options.onTrouble })
  const adopt = async (found: FoundCopy[], control: Signalled) => {
    if (!options.table) return
    await takeUp(kept, options, found)
    await uses.learn(control)
    // Names hold without it; whoever looks after the rules tries again.
    if (uses.isUsed()) await letThrough(control).catch(options.onTrouble)
  }
  return {
    begin: (control) => uses.begin(async () => await adopt(await options.find(control), control)),
    isUsed: uses.isUsed,
    adopt,
    ...leadingVerbs(kept, options, steps),
    ...placeKeeper(kept, options, steps),
    ...ports,
    async forget(owner, control) {
      await ports.openPorts(owner, [], control)
      if (kept.owners.delete(ownerKey(owner)) && uses.isUsed()) await rules.apply(control)
      await giveBack(kept, options, owner)
    },
    async mend(control) {
      if (!uses.isUsed()) return false
      const isWhole = await rules.areWhole(control)
      if (!isWhole) await rules.apply(control)
      if (kept.ports.size > 0) await letThrough(control)
      return !isWhole
    },
  }
}

/** What is done with the rules of the kernel. */
interface RuleSteps {
  areUsed(): boolean
  /** Whether they are as was asked last. */
  areWritten(): boolean
  apply(control: Signalled): Promise<void>
  applyBehind(): void
}

function leadingVerbs(
  kept: KeptNames,
  options: NameKeeperOptions,
  rules: RuleSteps,
): Pick<NameKeeper, 'addressesOf' | 'led' | 'lead' | 'note'> {
  const leadingOf = (owner: Owner) => kept.owners.get(ownerKey(owner))?.leading ?? leadsNowhere
  return {
    async lead(owner, next, control) {
      const before = leadingOf(owner)
      if (!rules.areUsed() || (JSON.stringify(next(before)) === JSON.stringify(before) && rules.areWritten()))
        return
      await give(kept, options, owner, leadTypes(next(before)))
      const subnet = await subnetOf(options, owner)
      kept.owners.set(ownerKey(owner), { subnet, leading: next(leadingOf(owner)) })
      await rules.apply(control)
    },
    addressesOf: async (owner, types) =>
      rules.areUsed() ? await give(kept, options, owner, types) : new Map<string, string>(),
    led: (owner) => leadingOf(owner).copies,
    note(processId, condition, by) {
      if (noteCondition(kept, { processId, by }, condition)) rules.applyBehind()
    },
  }
}

function placeKeeper({ places }: KeptNames, options: NameKeeperOptions, rules: RuleSteps): PlaceKeeper {
  return createPlaceKeeper({
    places,
    subnetOf: async (owner) => await subnetOf(options, owner),
    isInFlight: options.isInFlight,
    rules: { ...rules, keepApart: async (control) => (await options.table?.keepsApart(control)) ?? false },
  })
}

/** Writes the rules of all names: one at a time, and once for all who ask meanwhile. */
function createRules(kept: KeptNames, table: NameTable | null) {
  const turn = createSemaphore(1)
  let asked = 0
  let written = 0
  return {
    areWritten: () => written === asked,
    async apply({ signal }: Signalled): Promise<void> {
      const own = ++asked
      const write = async () => {
        if (written >= own) return
        const newest = asked
        await table?.apply(rulesOf(kept), { signal })
        written = newest
      }
      await turn.run(write, signal)
    },
    areWhole: async (control: Signalled) =>
      await turn.run(async () => table === null || (await table.isWhole(control)), control.signal),
  }
}

/** Learns by a first try whether this machine takes such rules. */
function createUse(rules: ReturnType<typeof createRules>, { table, onTrouble }: NameKeeperOptions) {
  let isUsed: boolean | null = table ? null : false
  let beginning: Promise<void> | null = null
  return {
    isUsed: () => isUsed === true,
    async learn(control: Signalled): Promise<void> {
      try {
        await rules.apply(control)
        isUsed = true
      } catch (error) {
        if (!(error instanceof RackError && error.code === 'host-failed')) throw error
        isUsed = false
        onTrouble(error)
      }
    },
    async begin(adopt: () => Promise<void>): Promise<void> {
      if (isUsed !== null) return
      beginning ??= adopt().finally(() => (beginning = null))
      await beginning
    },
  }
}

/** What an owner's marks say of its copies: those that are through their gate serve. */
async function takeUp(kept: KeptNames, options: NameKeeperOptions, found: FoundCopy[]): Promise<void> {
  kept.owners.clear()
  kept.ports.clear()
  for (const [key, ports] of await options.openedPorts()) kept.ports.set(key, ports)
  kept.conditions.clear()
  kept.places.clear()
  for (const copies of Map.groupBy(found, ({ owner }) => ownerKey(owner)).values()) {
    const [{ owner }] = copies as [FoundCopy]
    const subnet = await subnetOf(options, owner)
    for (const copy of placedOf(copies)) kept.places.put(ownerKey(owner), subnet, copy)
    for (const { holder, address } of await options.addresses.holders(networkKey(owner))) {
      const isService = readOwnerKey(holder).kind === 'service'
      if (isService) kept.places.put(ownerKey(owner), subnet, placedService(holder, address))
    }
  }
  const serving = found.filter(mayServe)
  const served = new Set(serving.map(nameOf))
  const drains = found.filter((copy) => isDraining(copy) && !served.has(nameOf(copy)))
  for (const copies of Map.groupBy([...serving, ...drains], ({ owner }) => ownerKey(owner)).values()) {
    const [{ owner }] = copies as [FoundCopy]
    const named = copies.map(({ process: processId, type, address }) => {
      return { process: processId, type, address: address ?? '' }
    })
    await give(kept, options, owner, typesOf(named))
    const leading = { ...leadsNowhere, copies: named }
    kept.owners.set(ownerKey(owner), { subnet: await subnetOf(options, owner), leading })
    for (const { process: processId, state, health } of copies) {
      const condition = state === 'restarting' ? 'down' : health === 'unhealthy' ? 'unwell' : 'up'
      noteCondition(kept, { processId, by: 'engine' }, condition)
    }
  }
}

function mayServe(copy: FoundCopy): boolean {
  return copy.mark === 'proved' && isThere(copy)
}

/** Of a type that is no more: others that drain may still call it. */
function isDraining(copy: FoundCopy): boolean {
  return copy.mark === 'draining' && isThere(copy)
}

function isThere({ kind, state, address }: FoundCopy): boolean {
  const isUp = state === 'running' || state === 'paused' || state === 'restarting'
  return kind === 'process' && isUp && address !== null
}

function nameOf({ owner, type }: FoundCopy): string {
  return holderOf(ownerKey(owner), type)
}

/** Whether that is news of one that names lead to. */
function noteCondition(
  { conditions, owners }: KeptNames,
  { processId, by }: { processId: string; by: Observer },
  condition: Condition,
): boolean {
  const key = `${by} ${processId}`
  const before = conditions.get(key) ?? 'up'
  if (condition === 'up') conditions.delete(key)
  else conditions.set(key, condition)
  const isLed = owners
    .values()
    .some(({ leading }) => leading.copies.some((copy) => copy.process === processId))
  return before !== condition && isLed
}

function conditionOf({ conditions }: KeptNames, processId: string): Condition {
  const seen = new Set((['engine', 'router'] as const).map((by) => conditions.get(`${by} ${processId}`)))
  return seen.has('down') ? 'down' : seen.has('unwell') ? 'unwell' : 'up'
}

function rulesOf(kept: KeptNames): Rules {
  const about = { conditionOf: (processId: string) => conditionOf(kept, processId), nowMs: Date.now() }
  const names = [...kept.owners].flatMap(([key, { subnet, leading }]) =>
    virtualNames(
      leading,
      { subnet, placed: kept.places.of(key) },
      { ...about, addressOf: (type) => kept.addresses.get(holderOf(key, type))! },
    ),
  )
  const udpPorts = [...kept.ports].flatMap(([key, ports]) =>
    portRules(ports, { subnet: null, leading: leadsNowhere, ...kept.owners.get(key), ...about }),
  )
  return {
    names,
    udpPorts,
    separations: kept.places.separations(),
    answering: kept.places.answering(),
  }
}

function leadTypes({ copies, early, held }: Leading): string[] {
  return [...new Set([...typesOf(copies), ...typesOf(early.copies), ...held.map(({ type }) => type)])]
}

/** Wakes when the next of those that hold callers has held them long enough; called again whenever that may be another. */
function wakeAt(kept: KeptNames, { lifetime }: NameKeeperOptions, wake: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  lifetime.addEventListener('abort', () => clearTimeout(timer), { once: true })
  const again = () => {
    clearTimeout(timer)
    const nowMs = Date.now()
    const all = kept.owners.values().flatMap(({ leading }) => leading.held.map(({ untilMs }) => untilMs))
    const next = Math.min(...all.filter((untilMs) => untilMs > nowMs))
    if (!Number.isFinite(next) || lifetime.aborted) return
    timer = setTimeout(() => {
      wake()
      again()
    }, next - nowMs)
  }
  return again
}

function holderOf(owner: string, type: string): string {
  return `${owner}/${type}`
}

/** The network is there before anything of its owner runs, and has its subnet. */
async function subnetOf({ addresses, pool }: NameKeeperOptions, owner: Owner): Promise<string> {
  return await addresses.subnet(networkKey(owner), pool, () => true)
}

async function give(
  kept: KeptNames,
  { table, addresses }: NameKeeperOptions,
  owner: Owner,
  types: string[],
): Promise<Map<string, string>> {
  const given = new Map<string, string>()
  if (!table) return given
  await addresses.subnet(rangeKey, table.range, () => true)
  for (const type of types) {
    const holder = holderOf(ownerKey(owner), type)
    const address = kept.addresses.get(holder) ?? (await addresses.take(rangeKey, holder))
    kept.addresses.set(holder, address)
    given.set(type, address)
  }
  return given
}

async function giveBack(kept: KeptNames, { addresses }: NameKeeperOptions, owner: Owner): Promise<void> {
  const own = holderOf(ownerKey(owner), '')
  for (const { holder } of await addresses.holders(rangeKey)) {
    if (!holder.startsWith(own)) continue
    kept.addresses.delete(holder)
    await addresses.free(rangeKey, holder)
  }
}
