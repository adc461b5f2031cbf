import type { Mount } from '../../../domain/container.ts'
import { didYouMean } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shown, shownPart, type Node } from '../../syntax/tree.ts'
import { bindOf, type MountContext } from './bind.ts'
import { longTmpfsOf, tmpfsOf } from './tmpfs.ts'
import { booleanOf, entriesOf, itemsOf, textOf } from '../values/values.ts'

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/
/** They are for desktop machines, or say what holds anyway: the engine labels named volumes for SELinux. */
const quietModes = new Set(['rw', 'z', 'Z', 'cached', 'delegated', 'consistent', 'rprivate', 'private'])
const propagations = new Set(['shared', 'rshared', 'slave', 'rslave'])

/** More than any process has; bounds what `volumes_from` can gather. */
export const mostMounts = 100

/** The names under the top-level `volumes:`. */
export function declaredVolumes(node: Node | undefined, problems: Problems): Set<string> {
  const names = new Set<string>()
  for (const [name, { key, value }] of entriesOf(node, problems)) {
    entriesOf(value, problems)
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

/** Reads `volumes:` and `tmpfs:` of a process. */
export function mountsOf(service: Node, context: MountContext): Mount[] {
  const { problems } = context
  const mounts = new Map<string, Mount>()
  const add = (mount: Mount | null, at: Node) => {
    if (!mount) return
    const path = normalisedPath(mount.path)
    if (path === null)
      problems.error(
        at,
        'a mount needs an absolute path below /',
        'write where in the container it is mounted: "data:/path"',
      )
    else if (mounts.has(path))
      problems.error(
        at,
        `${shownPart(childOf(at, 'target') ?? at, path)} is mounted twice`,
        'keep one of them',
      )
    else if (mounts.size >= mostMounts) problems.error(at, `a process has at most ${mostMounts} mounts`)
    else mounts.set(path, { ...mount, path })
  }
  for (const item of itemsOf(childOf(service, 'volumes'), problems)) {
    add(item.kind === 'map' ? longForm(item, context) : shortForm(item, context), item)
  }
  for (const item of itemsOf(childOf(service, 'tmpfs'), problems, true)) add(tmpfsOf(item, problems), item)
  return [...mounts.values()]
}

/** An absolute path without empty steps; null for one that is relative, `/` itself, or leads upwards. */
export function normalisedPath(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return path.startsWith('/') && parts.length > 0 && !parts.includes('..') ? `/${parts.join('/')}` : null
}

function shortForm(node: Node, context: MountContext): Mount | null {
  const { problems } = context
  const text = textOf(node, problems)
  if (text === null) return null
  if (/^[A-Za-z]:(\\|\/[^:]*:[/\\])/.test(text)) {
    problems.error(node, `${shown(node)} is a path on Windows`, 'for data use a named volume: "data:/path"')
    return null
  }
  const [source = '', path, modeText, ...more] = text.split(':')
  if (more.length > 0) {
    problems.error(node, `${shown(node)} is not a volume`, 'write "name:/path" or "name:/path:ro"')
    return null
  }
  if (path === undefined && (source.startsWith('/') || !isHostPath(source)))
    return unnamed(node, source, false, problems)
  const isBind = isHostPath(source)
  const modes = modesOf(modeText, isBind, node, problems)
  const readOnly = modes.has('ro')
  if (isBind) {
    const bind = bindOf({ source, path: path ?? source, readOnly, at: node }, context)
    if (bind && (modes.has('z') || modes.has('Z')))
      problems.warn(node, 'no SELinux label of the host is changed', 'set it on the machine')
    return bind
  }
  if (!checkName(node, source, context)) return null
  return { kind: 'volume', volume: source, path: path ?? '', readOnly, noCopy: modes.has('nocopy') }
}

function modesOf(text: string | undefined, isBind: boolean, node: Node, problems: Problems): Set<string> {
  const modes = new Set(text === undefined ? [] : text.split(','))
  for (const mode of modes) {
    const isKnown = mode === 'ro' || quietModes.has(mode) || (mode === 'nocopy' && !isBind)
    if (!isKnown) {
      const why = propagations.has(mode) ? 'would reach other mounts of the machine' : 'is not known'
      const hint = () => didYouMean(mode, ['ro', 'rw', 'nocopy'], 'use `ro`, or nothing')
      problems.error(node, `the mode ${shownPart(node, mode)} ${why}`, hint)
    }
  }
  return modes
}

function longForm(node: Node, context: MountContext): Mount | null {
  const { problems } = context
  const typeNode = childOf(node, 'type')
  const sourceNode = childOf(node, 'source')
  const type = textOf(typeNode, problems) ?? 'volume'
  const path = textOf(childOf(node, 'target'), problems)
  const source = textOf(sourceNode, problems)
  if (!['volume', 'tmpfs', 'bind'].includes(type)) {
    refuseType(type, typeNode ?? node, problems)
    return null
  }
  if (path === null) {
    problems.error(node, 'a volume needs `target`, the path in the container')
    return null
  }
  const readOnly = booleanOf(childOf(node, 'read_only'), problems) ?? false
  const noCopy = booleanOf(childOf(childOf(node, 'volume'), 'nocopy'), problems) ?? false
  checkBelow(node, type, problems)
  if (type === 'tmpfs') return longTmpfsOf(node, path, readOnly, problems)
  if (type === 'bind') {
    if (source === null) problems.error(node, 'a bind mount needs `source`, the path on the host')
    return source === null ? null : bindOf({ source, path, readOnly, at: sourceNode ?? node }, context)
  }
  if (!source) return unnamed(node, path, readOnly, problems)
  return checkName(sourceNode ?? node, source, context)
    ? { kind: 'volume', volume: source, path, readOnly, noCopy }
    : null
}

function refuseType(type: string, at: Node, problems: Problems): void {
  const reasons: Record<string, string> = {
    image: 'is refused: an image is what a process runs, not what it mounts',
    npipe: 'is refused: a rack runs Linux containers',
    cluster: 'is refused: a rack has no cluster volumes',
  }
  const types = ['volume', 'tmpfs', 'bind']
  const why = Object.hasOwn(reasons, type) ? reasons[type] : 'is not known'
  problems.error(at, `the type ${shownPart(at, type)} ${why}`, () =>
    didYouMean(
      type,
      types,
      type === 'image' ? 'COPY --from the image in the Dockerfile' : 'use `volume` or `tmpfs`',
    ),
  )
}

/** Options under the name of another type would be lost. */
function checkBelow(node: Node, type: string, problems: Problems): void {
  for (const other of ['volume', 'tmpfs', 'bind']) {
    const below = childOf(node, other)
    const isFilled = entriesOf(below, problems).length > 0
    if (below && isFilled && other !== type)
      problems.error(below, `\`${other}\` says nothing about a mount of the type \`${type}\``, 'remove it')
  }
}

function isHostPath(text: string): boolean {
  return /^[./~]/.test(text) || text.includes('/') || text.includes('\\') || text === ''
}

function unnamed(node: Node, path: string, readOnly: boolean, problems: Problems): Mount {
  if (path.startsWith('/'))
    problems.warn(
      node,
      `a volume without a name is new with every copy`,
      'name it to keep the data: "data:/path"',
    )
  return { kind: 'discarded', path, readOnly }
}

function checkName(node: Node, name: string, { declared, problems }: MountContext): boolean {
  const isValid = volumeName.test(name)
  if (!isValid) problems.error(node, `${shownPart(node, name)} cannot be the name of a volume`)
  else if (declared && !declared.has(name)) {
    problems.error(node, `the volume ${shownPart(node, name)} is not declared`, () =>
      didYouMean(name, declared, 'declare it under `volumes:` at the end of the file'),
    )
  }
  return isValid
}
