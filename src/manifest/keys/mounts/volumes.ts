import type { Mount } from '../../../domain/container.ts'
import { itemRemoval, removal, type Remedy } from '../../fix/fix.ts'
import { didYouMean, nearest, respelling } from '../../nearest.ts'
import { normalisedPath } from '../../paths.ts'
import type { Advice, Problems } from '../../problems.ts'
import { childOf, isSame, shown, shownPart, type Node } from '../../syntax/tree.ts'
import type { BindVolume } from './bind-volumes.ts'
import { bindOf, type MountContext } from './bind.ts'
import { isHostPath, type Mounted } from './relative-bind.ts'
import { longTmpfsOf, tmpfsOf } from './tmpfs.ts'
import type { Placed } from '../relations.ts'
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

/** Reads `volumes:` and `tmpfs:` of a process; a file among them that no image may hold becomes a secret. */
export function mountsOf(service: Node, context: MountContext): Placed<Mounted>[] {
  const { problems } = context
  const mounts = new Map<string, Placed<Mounted>>()
  const add = (mount: Mounted | null, at: Node) => {
    if (!mount) return
    const path = normalisedPath(mount.path)
    if (path === null)
      problems.error(
        at,
        'a mount needs an absolute path below /',
        'write where in the container it is mounted: "data:/path"',
      )
    else if (mounts.has(path)) sayTwice(path, at, mounts.get(path)?.at, problems)
    else if (mounts.size >= mostMounts) problems.error(at, `a process has at most ${mostMounts} mounts`)
    else mounts.set(path, { value: { ...mount, path }, at })
  }
  for (const item of itemsOf(childOf(service, 'volumes'), problems)) {
    add(item.kind === 'map' ? longForm(item, context) : shortForm(item, context), item)
  }
  for (const item of itemsOf(childOf(service, 'tmpfs'), problems, true)) add(tmpfsOf(item, problems), item)
  for (const [path, { at }] of context.choices)
    problems.error(
      at,
      `no path from the compose file is mounted at ${shownPart(at, path)}`,
      'name the path in the container',
    )
  return [...mounts.values()]
}

/** Of two mounts that say the same it is known which may go. */
function sayTwice(path: string, at: Node, other: Node | undefined, problems: Problems): void {
  const hint = 'keep one of them'
  const advice = other && isSame(at, other) ? { hint, fix: itemRemoval } : hint
  problems.error(at, `${shownPart(childOf(at, 'target') ?? at, path)} is mounted twice`, advice)
}

function shortForm(node: Node, context: MountContext): Mounted | null {
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
    const target = path ?? source
    const bind = bindOf({ source, path: normalisedPath(target) ?? target, readOnly, at: node }, context)
    if (bind?.kind === 'bind' && (modes.has('z') || modes.has('Z')))
      problems.warn(node, 'no SELinux label of the host is changed', 'set it on the machine')
    return bind
  }
  const isPath = context.bindVolumes.get(source)
  if (isPath) return pathOf(isPath, { path: path ?? '', readOnly }, context)
  if (!checkName(node, source, context)) return null
  return { kind: 'volume', volume: source, path: path ?? '', readOnly, noCopy: modes.has('nocopy') }
}

function modesOf(text: string | undefined, isBind: boolean, node: Node, problems: Problems): Set<string> {
  const modes = new Set(text === undefined ? [] : text.split(','))
  for (const mode of modes) {
    const isKnown = mode === 'ro' || quietModes.has(mode) || (mode === 'nocopy' && !isBind)
    if (!isKnown) {
      const isPropagation = propagations.has(mode)
      const why = isPropagation ? 'would reach other mounts of the machine' : 'is not known'
      const usual = 'use `ro`, or nothing'
      problems.error(node, `the mode ${shownPart(node, mode)} ${why}`, () =>
        isPropagation ? withoutMode(mode, modes, usual) : respelling(mode, ['ro', 'rw', 'nocopy'], usual),
      )
    }
  }
  return modes
}

/** Without it the process sees what is mounted when it starts. */
function withoutMode(mode: string, modes: Set<string>, hint: string): Remedy {
  const others = [...modes].filter((one) => one !== mode)
  const to = others.length > 0 ? `:${others.join(',')}` : ''
  return { hint, fix: { change: 'respell', from: `:${[...modes].join(',')}`, to } }
}

function longForm(node: Node, context: MountContext): Mounted | null {
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
    const target = normalisedPath(path) ?? path
    return source === null
      ? null
      : bindOf({ source, path: target, readOnly, at: sourceNode ?? node }, context)
  }
  if (!source) return unnamed(node, path, readOnly, problems)
  const isPath = context.bindVolumes.get(source)
  if (isPath) return pathOf(isPath, { path, readOnly }, context)
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
    respelling(
      type,
      types,
      type === 'image' ? 'COPY --from the image in the Dockerfile' : 'use `volume` or `tmpfs`',
    ),
  )
}

/** A volume that is a path is mounted as the path itself would be. */
function pathOf(
  { source, device, readOnly }: BindVolume,
  mount: { path: string; readOnly: boolean },
  context: MountContext,
): Mounted | null {
  const path = normalisedPath(mount.path) ?? mount.path
  return bindOf({ source, path, readOnly: readOnly || mount.readOnly, at: device }, context)
}

/** Options under the name of another type would be lost. */
function checkBelow(node: Node, type: string, problems: Problems): void {
  for (const other of ['volume', 'tmpfs', 'bind']) {
    const below = childOf(node, other)
    const isFilled = entriesOf(below, problems).length > 0
    if (below && isFilled && other !== type)
      problems.error(below, `\`${other}\` says nothing about a mount of the type \`${type}\``, {
        hint: 'remove it',
        fix: removal,
      })
  }
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

/** What is called nearly the same may be what is meant; else a declaration is what is missing. */
export function undeclared(
  section: 'volumes' | 'networks',
  name: string,
  declared: Set<string>,
): Advice | undefined {
  if (nearest(name, declared) !== undefined) return didYouMean(name, declared)
  const hint = `declare it under \`${section}:\` at the end of the file`
  return { hint, fix: { change: 'declare', section, name } }
}

function checkName(node: Node, name: string, { declared, problems }: MountContext): boolean {
  const isValid = volumeName.test(name)
  if (!isValid) problems.error(node, `${shownPart(node, name)} cannot be the name of a volume`)
  else if (declared && !declared.has(name)) {
    problems.error(node, `the volume ${shownPart(node, name)} is not declared`, () =>
      undeclared('volumes', name, declared),
    )
  }
  return isValid
}
