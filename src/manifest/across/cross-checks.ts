import type { PortProtocol } from '../../domain/port.ts'
import { cycleOf, rejectAbsent, type Across } from './across.ts'
import { checkFiles } from './files.ts'
import { checkHostNames } from './host-names.ts'
import { tellOfSharedNetwork } from './networks.ts'
import { takeVolumes } from './volumes-from.ts'
import type { PlacedProcess } from '../keys/process.ts'
import type { Place, Problems } from '../problems.ts'
import { shownPart } from '../syntax/tree.ts'

/** What is looked at once all processes are read, in this order. */
export const crossChecks: ((across: Across) => void)[] = [
  checkLinks,
  checkDependencies,
  checkCycles,
  checkPortClashes,
  checkHostNames,
  takeVolumes,
  checkFiles,
  tellOfSharedNetwork,
]

/** Every `links:` names a process of the file, and not its own. */
function checkLinks(across: Across): void {
  const { processes, problems } = across
  const names = new Set(processes.map(({ type }) => type.name))
  for (const { type, links } of processes) {
    for (const { value, at } of links) {
      if (value.target === type.name)
        problems.error(at, `the process "${type.name}" links to itself`, 'remove the link')
      else if (!names.has(value.target)) rejectAbsent(value.target, at, across)
      else if (value.alias !== value.target && names.has(value.alias)) {
        problems.error(
          at,
          `the alias ${shownPart(at, value.alias)} is the name of another process`,
          'choose another alias',
        )
      }
    }
  }
}

/** Every `depends_on:` names a process; one that must complete may not be restarted for ever. */
function checkDependencies(across: Across): void {
  const { processes, problems } = across
  const byName = new Map(processes.map((process) => [process.type.name, process]))
  for (const { type, dependencies } of processes) {
    for (const { value, at } of dependencies) {
      const target = byName.get(value.target)
      if (value.target === type.name)
        problems.error(at, `the process "${type.name}" depends on itself`, 'remove it')
      else if (target) completeOnce(target, value.condition, at, problems)
      else if (value.isRequired) rejectAbsent(value.target, at, across)
    }
    type.dependsOn = type.dependsOn.filter(({ target }) => byName.has(target))
  }
}

function completeOnce(target: PlacedProcess, condition: string, at: Place, problems: Problems): void {
  if (condition !== 'completed') return
  if (!target.namesRestart) target.type.restart = 'no'
  else if (target.type.restart === 'always') {
    problems.error(
      at,
      `"${target.type.name}" is to complete, but its \`restart\` starts it again`,
      'write `restart: "no"` there',
    )
  }
}

/** What is on the way from one process to the next. */
interface Walk {
  next: Map<string, { target: string; at: Place }[]>
  /** The way here, in order. */
  open: Set<string>
  finished: Set<string>
  /** Cycles that were found. */
  found: number
  problems: Problems
}

/** Of more cycles than anybody writes each would be named with all processes: there the one that comes again is enough. */
const mostNamedInFull = 20

/** Start order must exist: a cycle of `depends_on:` and `links:` is named in full. */
function checkCycles({ processes, problems }: Across): void {
  const next = new Map<string, { target: string; at: Place }[]>()
  for (const { type, links, dependencies } of processes) {
    const all = [...dependencies, ...links].map(({ value, at }) => ({ target: value.target, at }))
    next.set(
      type.name,
      all.filter(({ target }) => target !== type.name),
    )
  }
  const walk: Walk = { next, open: new Set(), finished: new Set(), found: 0, problems }
  for (const name of next.keys()) findCycle(name, walk)
}

function findCycle(name: string, walk: Walk): void {
  const { next, open, finished, problems } = walk
  if (finished.has(name)) return
  open.add(name)
  for (const { target, at } of next.get(name) ?? []) {
    if (!open.has(target)) {
      findCycle(target, walk)
      continue
    }
    walk.found += 1
    const cycle = walk.found > mostNamedInFull ? target : cycleOf(target, open)
    problems.error(at, `no process of this cycle can start first: ${cycle}`, 'remove one link or dependency')
  }
  open.delete(name)
  finished.add(name)
}

/** An external port belongs to one process, except http: those are told apart by host name. */
function checkPortClashes({ processes, problems }: Across): void {
  const holders = new Map<number, { name: string; protocol: PortProtocol }>()
  for (const { type, ports } of processes) {
    for (const { port, at } of ports) {
      if (port.external === null) continue
      const holder = holders.get(port.external)
      if (!holder) holders.set(port.external, { name: type.name, protocol: port.protocol })
      else if (holder.protocol !== 'http' || port.protocol !== 'http') {
        problems.error(
          at,
          `the port ${port.external} is already opened by "${holder.name}"`,
          'choose another external port',
        )
      }
    }
  }
}
