import { removal } from '../fix/fix.ts'
import { respelling } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { topLevelKeys } from '../verdicts/top-level-keys.ts'
import { childOf, shown, type MapNode, type Node } from './tree.ts'

/** A file in the form of the current specification. */
export interface Shaped {
  root: MapNode
  /** Version 1 declares no volumes. */
  isVersionOne: boolean
}

/** More processes than any rack runs; bounds the work. */
const mostProcesses = 500

const versions = /^(1(\.0)?|2(\.[0-4])?|3(\.([0-9]|1[0-3]))?)$/
const topLevel = Object.keys(topLevelKeys).filter((key) => !key.includes('.'))

/** Brings a file of any format version to one form; null when its processes cannot be found. */
export function shapeOf(root: MapNode, problems: Problems): Shaped | null {
  const version = root.entries.get('version')
  const asked = version?.value.kind === 'scalar' ? version.value.source : null
  if (version && (asked === null || !versions.test(asked))) {
    problems.error(version.value, `${shown(version.value)} is not a version of the format`, {
      hint: 'remove the key `version`',
      fix: removal,
    })
  }
  const isVersionOne = asked === null ? looksLikeVersionOne(root) : asked.startsWith('1')
  const shaped = isVersionOne ? { root: raised(root), isVersionOne } : checkServices(root, problems)
  return shaped && hasRoomFor(childOf(shaped.root, 'services'), problems) ? shaped : null
}

/** False for more processes than an app may have, after saying so. */
export function hasRoomFor(services: Node | undefined, problems: Problems): boolean {
  if (services?.kind !== 'map' || services.entries.size <= mostProcesses) return true
  const [, first] = [...services.entries][mostProcesses] ?? []
  problems.error(first?.key ?? services, `an app has at most ${mostProcesses} processes`)
  return false
}

/** Version 1 has its processes at the top. */
function raised(root: MapNode): MapNode {
  const entries = new Map([...root.entries].filter(([name]) => name !== 'version' && !name.startsWith('x-')))
  const key = { path: '', position: root.position }
  return { ...root, entries: new Map([['services', { key, value: { ...root, entries } }]]) }
}

/** A file may leave `services` to the others that it is merged with, or to those that it includes. */
function checkServices(root: MapNode, problems: Problems): Shaped | null {
  const services = childOf(root, 'services')
  if (services === undefined) {
    const unknown = [...root.entries].find(([name]) => !topLevel.includes(name) && !name.startsWith('x-'))
    if (!unknown) return { root, isVersionOne: false }
    const [name, { key }] = unknown
    const hint = respelling(name, topLevel, 'write the processes under `services:`')
    problems.error(key, `unknown key "${name}", and the file has no \`services\``, hint)
    return null
  }
  const isNothing = services.kind === 'scalar' && services.value === null
  if (services.kind === 'map' || isNothing) return { root, isVersionOne: false }
  problems.error(
    services,
    '`services` must be a mapping of processes',
    'write `services:` and under it, indented, `web:`',
  )
  return null
}

/** No `version`, no `services`, and an entry that only a process can be. */
function looksLikeVersionOne(root: MapNode): boolean {
  if (topLevel.some((key) => root.entries.has(key))) return false
  return [...root.entries.values()].some(({ value }) => childOf(value, 'image') ?? childOf(value, 'build'))
}
