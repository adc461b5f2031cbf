import type { Control } from '../../../domain/control.ts'
import { networksOf, shareNetwork } from '../../../domain/isolation.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { nameCopy, toCopy } from '../containers/copies.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import {
  movedTo,
  withCopy,
  withEarly,
  withFirstAwaited,
  withoutCopies,
  type NamedCopy,
} from '../names/leading.ts'
import type { EngineParts } from '../parts.ts'

/**
 * The names of one owner's copies while a rollout goes on. A name is an address that leads to copies, where this machine
 * has such rules; a running container that is older than a name asks Docker's own DNS for it, which has each copy's
 * address under its aliases: for those, and where there are no rules, a copy gets its aliases when it is named.
 */
export interface CopyNames {
  /** What there was when the rollout began. */
  begin(found: FoundCopy[]): void
  /** Names under which others reach a copy now. */
  namesOf(copy: FoundCopy): string[]
  /** The aliases that Docker's DNS may give out from a copy's start: those that nobody has to ask it for. */
  atStart(plan: NamedPlan): string[]
  /** Lets others reach a copy: at once where no older one has the name, and else when traffic moves. @throws host-failed */
  give(copy: FoundCopy, names: string[], control: Control): Promise<void>
  /** From now on names lead to these copies; those of types that none of them is of, where they led. @throws host-failed */
  move(copies: FoundCopy[], control: Control): Promise<void>
  /** They lead to these no more; callers wait for so long where no other is left. @throws host-failed */
  take(processes: string[], holdMs: number, control: Control): Promise<void>
  /**
   * Before the first start: callers of what has no copy yet wait for it, whichever of them is up first.
   * @throws host-failed
   */
  awaitFirst(processes: ProcessPlan[], control: Control): Promise<void>
  /** What a probe has reached. */
  noteAnswer(copy: FoundCopy): void
  /** Lets a copy that is about to start meet, of these types, what this rollout has brought alone. @throws host-failed */
  meetNew(caller: NamedCopy, types: string[], control: Control): Promise<void>
}

type NamedPlan = Pick<ProcessPlan, 'type' | 'aliases' | 'isolation'>

export function createCopyNames(parts: EngineParts, owner: Owner): CopyNames {
  return parts.names.isUsed() ? virtualNames(parts, owner) : dockerNames(parts)
}

function dockerNames(parts: EngineParts): CopyNames {
  return {
    begin: () => undefined,
    namesOf: ({ aliases }) => aliases,
    atStart: () => [],
    give: async (copy, names, control) => await nameCopy(parts, toCopy(copy), names, control),
    move: async () => undefined,
    take: async () => undefined,
    awaitFirst: async () => undefined,
    noteAnswer: () => undefined,
    meetNew: async () => undefined,
  }
}

function virtualNames(parts: EngineParts, owner: Owner): CopyNames {
  const { names: keeper } = parts
  /** By process id, of those that this rollout has named. */
  const given = new Map<string, string[]>()
  /** By process id, of those that this rollout has brought. */
  const answered = new Map<string, NamedCopy>()
  let running: FoundCopy[] = []
  let firsts: Promise<void> | null = null
  const isLed = ({ process: processId }: FoundCopy) =>
    keeper.led(owner).some((copy) => copy.process === processId)
  return {
    begin(found) {
      running = found.filter(({ state }) => state !== 'created' && state !== 'exited' && state !== 'dead')
    },
    namesOf: (copy) => given.get(copy.process) ?? (isLed(copy) ? copy.aliases : []),
    atStart: (plan) => (areKnown(plan, running) ? plan.aliases : []),
    async give(copy, names, control) {
      const isComplete = names.every((name) => copy.aliases.includes(name))
      if (!isComplete) await nameCopy(parts, toCopy(copy), names, control)
      given.set(copy.process, names)
      const others = keeper.led(owner).filter(({ type }) => type === copy.type)
      if (!others.every((other) => given.has(other.process))) return
      for (const one of named([copy])) await keeper.lead(owner, (leading) => withCopy(leading, one), control)
    },
    move: async (copies, control) =>
      await keeper.lead(owner, (leading) => movedTo(leading, named(copies)), control),
    async take(processes, holdMs, control) {
      for (const processId of processes) for (const known of [given, answered]) known.delete(processId)
      const nowMs = Date.now()
      await keeper.lead(owner, (leading) => withoutCopies(leading, processes, holdMs, nowMs), control)
    },
    async awaitFirst(processes, control) {
      const due = processes.filter(({ count }) => count > 0)
      const nowMs = Date.now()
      firsts ??= keeper.lead(owner, (leading) => withFirstAwaited(leading, due, nowMs), control)
      try {
        await firsts
      } catch (error) {
        // Whoever goes back starts copies too, under a signal of its own.
        firsts = null
        throw error
      }
    },
    noteAnswer(copy) {
      for (const one of named([copy])) answered.set(one.process, one)
    },
    async meetNew(caller, types, control) {
      const fresh = [...answered.values()].filter(({ type }) => types.includes(type))
      if (fresh.length > 0) await keeper.lead(owner, (leading) => withEarly(leading, caller, fresh), control)
    },
  }
}

/** Whether the hosts file of all that reach a type has its names; of one network it may have other aliases than of the next. */
function areKnown({ type, aliases, isolation }: NamedPlan, running: FoundCopy[]): boolean {
  const own = networksOf(isolation)
  const callers = running.filter(({ networks }) => shareNetwork(own, networks))
  const names = isolation ? [type] : aliases
  return callers.every(({ hosts }) => names.every((name) => hosts.includes(name)))
}

function named(copies: FoundCopy[]): NamedCopy[] {
  return copies.flatMap(({ process: processId, type, address }) =>
    address === null ? [] : [{ process: processId, type, address }],
  )
}
