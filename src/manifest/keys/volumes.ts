import type { Mount } from '../../domain/container.ts'
import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, shownPart, type Node } from '../syntax/tree.ts'
import { booleanOf, entriesOf, itemsOf, textOf } from './values.ts'

/** The named volumes of the file; null when any name will do, as in version 1. */
export type Declared = Set<string> | null

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/
const quietModes = new Set(['rw', 'z', 'Z', 'cached', 'delegated', 'consistent'])

/** The names under the top-level `volumes:`. */
export function declaredVolumes(node: Node | undefined, problems: Problems): Set<string> {
  const names = new Set<string>()
  for (const [name, { key }] of entriesOf(node, problems)) {
    if (volumeName.test(name)) names.add(name)
    else
      problems.error(
        key,
        `"${name}" cannot be the name of a volume`,
        'use letters, digits, dots, dashes and underscores',
      )
  }
  return names
}

/** Reads `volumes:` and `tmpfs:` of a process; a directory of the host is refused with what to do. */
export function mountsOf(service: Node, declared: Declared, problems: Problems): Mount[] {
  const mounts = new Map<string, Mount>()
  const add = (mount: Mount | null, at: Node) => {
    if (!mount) return
    const path = `/${mount.path
      .split('/')
      .filter((part) => part !== '')
      .join('/')}`
    if (!mount.path.startsWith('/') || path === '/')
      problems.error(at, 'a mount needs an absolute path below /')
    else if (mounts.has(path)) problems.error(at, `${path} is mounted twice`, 'keep one of them')
    else mounts.set(path, { ...mount, path })
  }
  for (const item of itemsOf(childOf(service, 'volumes'), problems)) {
    add(item.kind === 'map' ? longForm(item, declared, problems) : shortForm(item, declared, problems), item)
  }
  for (const item of itemsOf(childOf(service, 'tmpfs'), problems, true)) add(tmpfsOf(item, problems), item)
  return [...mounts.values()]
}

function shortForm(node: Node, declared: Declared, problems: Problems): Mount | null {
  const text = textOf(node, problems)
  if (text === null) return null
  const [first = '', second, modes, ...more] = text.split(':')
  if (more.length > 0) {
    problems.error(node, `${shown(node)} is not a volume`, 'write "name:/path" or "name:/path:ro"')
    return null
  }
  if (second === undefined)
    return isHostPath(first) && !first.startsWith('/')
      ? refuseBind(node, first, problems)
      : unnamed(node, first, problems)
  if (isHostPath(first)) return refuseBind(node, first, problems)
  if (!checkName(node, first, declared, problems)) return null
  return {
    kind: 'volume',
    volume: first,
    path: second,
    readOnly: readsOnly(modes, node, problems),
    noCopy: false,
  }
}

function readsOnly(modes: string | undefined, node: Node, problems: Problems): boolean {
  const given = modes === undefined ? [] : modes.split(',')
  for (const mode of given) {
    if (mode === 'ro' || quietModes.has(mode)) continue
    problems.error(
      node,
      `the mode ${shownPart(node, mode)} is not supported by this version`,
      'use `ro`, or nothing',
    )
  }
  return given.includes('ro')
}

function longForm(node: Node, declared: Declared, problems: Problems): Mount | null {
  const type = textOf(childOf(node, 'type'), problems) ?? 'volume'
  const path = textOf(childOf(node, 'target'), problems)
  const source = textOf(childOf(node, 'source'), problems)
  if (type === 'bind') return refuseBind(node, source ?? '', problems)
  if (type !== 'volume' && type !== 'tmpfs') {
    problems.error(
      childOf(node, 'type') ?? node,
      `the type ${shownPart(childOf(node, 'type') ?? node, type)} is not supported by this version`,
      'use `volume` or `tmpfs`',
    )
    return null
  }
  if (path === null) {
    problems.error(node, 'a volume needs `target`, the path in the container')
    return null
  }
  const readOnly = booleanOf(childOf(node, 'read_only'), problems) ?? false
  if (type === 'tmpfs') return { kind: 'tmpfs', path, readOnly, sizeBytes: null, mode: null, options: [] }
  if (!source) return unnamed(node, path, problems)
  return checkName(node, source, declared, problems)
    ? { kind: 'volume', volume: source, path, readOnly, noCopy: false }
    : null
}

function tmpfsOf(node: Node, problems: Problems): Mount | null {
  const text = textOf(node, problems)
  if (text === null) return null
  const [path = '', options = ''] = text.split(':')
  for (const option of options.split(',').filter((one) => one !== '')) {
    if (option.startsWith('size='))
      problems.warn(node, '"size" is ignored: the memory limit of the process bounds it')
    else if (!['rw', 'ro', 'mode=1777', 'noexec', 'nosuid', 'nodev'].includes(option)) {
      problems.error(
        node,
        `the option ${shownPart(node, option)} is not supported by this version`,
        'remove it',
      )
    }
  }
  const readOnly = options.split(',').includes('ro')
  return { kind: 'tmpfs', path, readOnly, sizeBytes: null, mode: null, options: [] }
}

function isHostPath(text: string): boolean {
  return /^[./~]/.test(text) || text.includes('/') || text.includes('\\') || text === ''
}

function unnamed(node: Node, path: string, problems: Problems): Mount {
  problems.warn(
    node,
    `a volume without a name is new with every copy`,
    'name it to keep the data: "data:/path"',
  )
  return { kind: 'discarded', path, readOnly: false }
}

function refuseBind(node: Node, path: string, problems: Problems): null {
  const isSocket = path.endsWith('docker.sock')
  const hint = isSocket
    ? "a process gets no access to the rack's engine; remove it"
    : 'COPY files of the source in the Dockerfile; for data use a named volume: "data:/path"'
  problems.error(
    node,
    `the directory ${shownPart(node.kind === 'map' ? (childOf(node, 'source') ?? node) : node, path)} of the host is refused: a rack mounts none`,
    hint,
  )
  return null
}

function checkName(node: Node, name: string, declared: Declared, problems: Problems): boolean {
  const isValid = volumeName.test(name)
  if (!isValid) problems.error(node, `${shownPart(node, name)} cannot be the name of a volume`)
  else if (declared && !declared.has(name)) {
    problems.error(node, `the volume ${shownPart(node, name)} is not declared`, () =>
      didYouMean(name, declared, 'declare it under `volumes:` at the end of the file'),
    )
  }
  return isValid
}
