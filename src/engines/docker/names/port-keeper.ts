import { RackError } from '../../../domain/error.ts'
import { ownerKey, type Owner } from '../../../domain/owner.ts'
import type { UdpPort } from '../../../domain/udp-port.ts'
import type { UdpRoute } from '../../../router/route-table.ts'
import type { Leading } from './leading.ts'
import { servingOf, type Condition } from './virtual-names.ts'

type Signalled = { signal: AbortSignal }

/** Knows which udp ports of the machine are open, and for whom. */
export interface PortKeeper {
  /** From now on these udp ports of the machine lead to the owner's copies, and no others of it. @throws host-failed */
  openPorts(owner: Owner, ports: UdpRoute[], control: Signalled): Promise<void>
  /** Whether datagrams from outside come to a type. */
  hasPorts(owner: Owner, type: string): boolean
}

export interface PortKeeperParts {
  /** By the owner's key. */
  ports: Map<string, UdpRoute[]>
  areUsed(): boolean
  /** Brings the rules about. */
  apply(control: Signalled): Promise<void>
  /** Lets what the rules lead come through. */
  letThrough(control: Signalled): Promise<void>
  onTrouble: (error: unknown) => void
}

export function createPortKeeper({ ports, onTrouble, ...rules }: PortKeeperParts): PortKeeper {
  /** Owners whose change has not come through: asking for the same again finishes it. */
  const unfinished = new Set<string>()
  return {
    async openPorts(owner, wanted, control) {
      const key = ownerKey(owner)
      const isSame = JSON.stringify(ports.get(key) ?? []) === JSON.stringify(wanted)
      if (isSame && !unfinished.has(key)) return
      if (wanted.length > 0 && !rules.areUsed()) throw noTable()
      if (wanted.length > 0) ports.set(key, wanted)
      else ports.delete(key)
      if (!rules.areUsed()) return
      unfinished.add(key)
      await rules.apply(control)
      // What does not come through then is another's, whom this one does not wait for.
      if (wanted.length === 0) await rules.letThrough(control).catch(onTrouble)
      else await rules.letThrough(control)
      unfinished.delete(key)
    },
    hasPorts: (owner, type) => ports.get(ownerKey(owner))?.some((port) => port.type === type) ?? false,
  }
}

/**
 * The rules of one owner's ports: each leads where the name of its type does, to those of its copies that listen there.
 * @param about `subnet` of the owner's network, null where nothing of it has run
 */
export function portRules(
  ports: UdpRoute[],
  {
    leading: { copies, held },
    subnet,
    conditionOf,
    nowMs,
  }: {
    leading: Leading
    subnet: string | null
    conditionOf: (process: string) => Condition
    nowMs: number
  },
): UdpPort[] {
  return ports.map(({ type, bind, listenPort, port, allowedSources, processes }) => {
    const own = copies.filter((copy) => processes.includes(copy.process))
    return {
      bind,
      listenPort,
      port,
      subnet,
      copies: servingOf(own, type, conditionOf),
      ...(allowedSources && { allowedSources }),
      isHeld: held.some((one) => one.type === type && one.untilMs > nowMs),
    }
  })
}

/** Without its rules nothing leads datagrams. */
export function noTable(): RackError {
  return new RackError('host-failed', 'this machine takes no rules, and udp ports are led by them', {
    hint: 'See why: rack doctor',
  })
}
