import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { topLevelKeys } from '../verdicts/top-level-keys.ts'
import { childOf, shown, type MapNode } from './tree.ts'

/** A file in the form of the current specification. */
export interface Shaped {
  root: MapNode
  services: MapNode
  /** Version 1 declares no volumes. */
  isVersionOne: boolean
}

const versions = /^(1(\.0)?|2(\.[0-4])?|3(\.([0-9]|1[0-3]))?)$/
const topLevel = Object.keys(topLevelKeys).filter((key) => !key.includes('.'))

/** Brings a file of any format version to one form; null when there is no process in it. */
export function shapeOf(root: MapNode, problems: Problems): Shaped | null {
  const version = root.entries.get('version')
  const asked = version?.value.kind === 'scalar' ? version.value.source : null
  if (version && (asked === null || !versions.test(asked))) {
    problems.error(
      version.value,
      `${shown(version.value)} is not a version of the format`,
      'remove the key `version`',
    )
  }
  const isVersionOne = asked === null ? looksLikeVersionOne(root) : asked.startsWith('1')
  if (isVersionOne) {
    const entries = new Map(
      [...root.entries].filter(([name]) => name !== 'version' && !name.startsWith('x-')),
    )
    const services: MapNode = { ...root, entries }
    const key = { path: '', position: root.position }
    return {
      root: { ...root, entries: new Map([['services', { key, value: services }]]) },
      services,
      isVersionOne,
    }
  }
  return withServices(root, problems)
}

function withServices(root: MapNode, problems: Problems): Shaped | null {
  const services = childOf(root, 'services')
  if (services === undefined) {
    const misspelt = [...root.entries].find(([name]) => !topLevel.includes(name) && !name.startsWith('x-'))
    const [name, entry] = misspelt ?? []
    const place = entry?.key ?? root
    const message =
      name === undefined
        ? 'the file has no `services`'
        : `unknown key "${name}", and the file has no \`services\``
    problems.error(place, message, didYouMean(name ?? '', topLevel, 'write the processes under `services:`'))
    return null
  }
  if (services.kind === 'map' && services.entries.size > 0) return { root, services, isVersionOne: false }
  const isNothing = services.kind === 'map' || (services.kind === 'scalar' && services.value === null)
  problems.error(
    services,
    isNothing ? '`services` names no process' : '`services` must be a mapping of processes',
    'write `services:` and under it, indented, `web:`',
  )
  return null
}

/** No `version`, no `services`, and an entry that only a process can be. */
function looksLikeVersionOne(root: MapNode): boolean {
  if (topLevel.some((key) => root.entries.has(key))) return false
  return [...root.entries.values()].some(({ value }) => childOf(value, 'image') ?? childOf(value, 'build'))
}
