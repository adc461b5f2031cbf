import { isWeb, type Port } from '../../domain/port.ts'
import { udpBesideTcp } from '../../domain/udp-beside-tcp.ts'
import { checkBinds } from './binds.ts'
import { cycleOf, rejectAbsent, type Across } from './across.ts'
import { checkBuildContexts } from './build-contexts.ts'
import { checkFiles } from './files.ts'
import { tellOfGlimpsedHealth } from './glimpsed-health.ts'
import { judgeExternalNetworks } from './external-networks.ts'
import { nameExternalVolumes } from './external-volumes.ts'
import { checkFixedAddresses } from './fixed-addresses.ts'
import { checkHostNames } from './host-names.ts'
import { checkImageNames } from './image-names.ts'
import { separateNetworks } from './networks.ts'
import { tellOfNamelessPorts } from './nameless-ports.ts'
import { tellOfOtherProxies } from './other-proxies.ts'
import { tellOfPortVariable } from './port-variable.ts'
import { tellOfSwarmLabels } from './swarm-labels.ts'
import { takeVolumes } from './volumes-from.ts'
import { removal } from '../fix/fix.ts'
import { isThere } from '../lacks.ts'
import type { PlacedProcess } from '../keys/process.ts'
import type { Place, Problems } from '../problems.ts'
import { shownPart } from '../syntax/tree.ts'

/** What is looked at once all processes are read, in this order. */
export const crossChecks: ((across: Across) => void)[] = [
  checkLinks,
  checkDependencies,
  checkEnds,
  checkCycles,
  separateNetworks,
  checkPortClashes,
  checkUdpBesideTcp,
  tellOfNamelessPorts,
  tellOfPortVariable,
  tellOfGlimpsedHealth,
  checkHostNames,
  checkFixedAddresses,
  checkImageNames,
  checkBuildContexts,
  takeVolumes,
  nameExternalVolumes,
  checkBinds,
  judgeExternalNetworks,
  tellOfOtherProxies,
  tellOfSwarmLabels,
  checkFiles,
]

/** Every `links:` names a process of the file, and not its own. */
function checkLinks(across: Across): void {
  const { processes, problems } = across
  const names = new Set(processes.map(({ type }) => type.name))
  for (const { type, links } of processes) {
    for (const { value, at } of links) {
      if (value.target === type.name)
        problems.error(at, `the process "${type.name}" links to itself`, {
          hint: 'remove the link',
          fix: removal,
        })
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
  const byName = new Map(processes.map((placed) => [placed.type.name, placed]))
  for (const { type, dependencies } of processes) {
    for (const { value, at } of dependencies) {
      const target = byName.get(value.target)
      if (value.target === type.name)
        problems.error(at, `the process "${type.name}" depends on itself`, {
          hint: 'remove it',
          fix: removal,
        })
      else if (target) completeOnce(target, value.condition, at, problems)
      else if (value.isRequired) rejectAbsent(value.target, at, across)
    }
    type.dependsOn = type.dependsOn.filter(({ target }) => byName.has(target))
  }
}

function completeOnce(target: PlacedProcess, condition: string, at: Place, problems: Problems): void {
  if (condition !== 'completed') return
  if (!target.restartAt) target.type.restart = 'no'
  else if (target.type.restart === 'always') {
    const text = target.restartAt.path.endsWith('.condition') ? 'none' : '"no"'
    problems.error(at, `"${target.type.name}" is to complete, but its \`restart\` starts it again`, {
      hint: 'write `restart: "no"` there',
      fix: { change: 'write', text },
      at: target.restartAt,
    })
  }
}

/** Whether the engine leaves a process alone that has ended; one that another waits for, or that serves nothing, is a job. */
function checkEnds({ processes, features, problems }: Across): void {
  const awaited = new Set(
    processes.flatMap(({ type }) =>
      type.dependsOn.filter(({ condition }) => condition === 'completed').map(({ target }) => target),
    ),
  )
  for (const { type, restartAt } of processes) {
    if (!restartAt || awaited.has(type.name)) continue
    const serves = type.ports.length > 0 || type.healthcheck !== null
    if (type.restart === 'on-failure')
      isThere(features.restartOnFailure, restartAt, '`restart: on-failure`', problems)
    if (type.restart === 'no' && serves)
      isThere(features.restartNever, restartAt, '`restart: "no"` of a process that serves', problems)
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

/** Where a number is for tcp or for udp: outside in the whole file, inside in each process. */
function checkUdpBesideTcp({ processes, features, problems }: Across): void {
  const opened = processes.flatMap(({ type, ports }) =>
    ports.map(({ port, at }) => ({ type: type.name, port, at })),
  )
  for (const { opening, number } of udpBesideTcp(opened))
    isThere(features.udpBesideTcp, opening.at, `the port ${number} for tcp and udp at once`, problems)
}

/** An external port belongs to one process, except for the web and shared TLS: those are told apart by the name. */
function checkPortClashes({ processes, problems }: Across): void {
  const holders = new Map<string, { name: string } & Pick<Port, 'protocol' | 'isShared'>>()
  for (const { type, ports } of processes) {
    for (const { port, at } of ports) {
      if (port.external === null) continue
      // One number holds an opening for udp, and one for all that is tcp below.
      const key = port.protocol === 'udp' ? `${port.external} udp` : `${port.external}`
      const holder = holders.get(key)
      const mayShare = isWeb(port.protocol) || (port.isShared && holder?.isShared)
      if (!holder) holders.set(key, { ...port, name: type.name })
      else if (holder.protocol !== port.protocol || !mayShare) {
        problems.error(
          at,
          `the port ${port.external} is already opened by "${holder.name}"`,
          'choose another external port',
        )
      }
    }
  }
}
