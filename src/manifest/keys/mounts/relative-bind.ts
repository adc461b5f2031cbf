import type { DataMount, FileMount, ReleaseMount, TypeMount } from '../../../domain/container.ts'
import type { PlaceKind, SourcePlace } from '../../../domain/manifest.ts'
import { fromAbove, baseOf } from '../../paths.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shownPart, type Node } from '../../syntax/tree.ts'
import type { BindVolume } from './bind-volumes.ts'
import type { FamilyLabel } from '../labels/labels.ts'
import { itemsOf, textOf } from '../values/values.ts'

/** A bind mount whose source is a path from the compose file. */
export interface RelativeBind {
  source: string
  path: string
  readOnly: boolean
  at: Node
}

/** What a bind mount becomes: a file that holds variables or a secret is put into each copy, as a secret is. */
export type Mounted = TypeMount | FileMount

/** What a relative bind mount is read with. */
export interface SourceContext {
  /** By path from the source directory. */
  places: Readonly<Record<string, SourcePlace>>
  /** The labels `rack.mount.<path>` of the process, by the path in the container; each that is used is taken out. */
  choices: Map<string, FamilyLabel>
  /** The named volumes of the file, which were never a path's; null when any name will do, as in version 1. */
  declared: Set<string> | null
  /** In base64, of files that no image may hold, by path from the source directory. */
  contents: Readonly<Record<string, string>>
  problems: Problems
}

/** What decides which of the two a bind mount becomes. */
interface Case extends RelativeBind {
  /** From the source directory. */
  from: string
  place: SourcePlace
  choice: 'release' | 'volume' | null
  problems: Problems
}

/**
 * Makes a relative bind mount a part of the release where the source has something at its path, else a named volume;
 * a label may choose. A file that no image may hold becomes a secret. Null after saying why it can be none of them.
 */
export function relativeBindOf(
  bind: RelativeBind,
  { places, choices, declared, contents, problems }: SourceContext,
): ReleaseMount | DataMount | FileMount | null {
  const from = pathFromSource(bind.at, bind.source)
  const label = choices.get(bind.path)
  choices.delete(bind.path)
  const choice = label ? (label.value.toLowerCase() === 'volume' ? 'volume' : 'release') : null
  const found = (Object.hasOwn(places, from) ? places[from] : undefined) ?? { holds: 'nothing' }
  const wasData = found.isVolume === true && !declared?.has(volumeNameOf(from))
  const place: SourcePlace = { holds: found.holds, isVolume: wasData }
  const one: Case = { ...bind, from, place, choice, problems }
  const content = Object.hasOwn(contents, from) ? contents[from] : undefined
  if (place.holds === 'withheld' && content !== undefined && choice === null) return secretOf(one, content)
  if (isRefused(one)) return null
  return becomesData(one) ? dataOf(one) : releaseOf(one)
}

/** The paths that the `volumes:` of a process name, but for those that a variable without a value leaves open. */
export function bindSourcesOf(service: Node, problems: Problems): string[] {
  return itemsOf(childOf(service, 'volumes'), problems).flatMap((item) => {
    const isLong = item.kind === 'map'
    const at = isLong ? childOf(item, 'source') : item
    const text = textOf(at, problems)
    if (!at || text === null || at.isIncomplete) return []
    if (isLong)
      return textOf(childOf(item, 'type'), problems) === 'bind' && isRelative(text)
        ? [pathFromSource(at, text)]
        : []
    const [source = ''] = text.split(':')
    return isHostPath(source) && isRelative(source) ? [pathFromSource(at, source)] : []
  })
}

function isRelative(source: string): boolean {
  return source !== '' && !/^[/~]/.test(source)
}

/** The paths that volumes of the file are, as `bindSourcesOf`. */
export function volumeSourcesOf(volumes: Iterable<BindVolume>): string[] {
  return [...volumes].flatMap(({ device, source }) =>
    isRelative(source) && !device.isIncomplete ? [pathFromSource(device, source)] : [],
  )
}

/** In the short form anything else is the name of a volume. */
export function isHostPath(text: string): boolean {
  return /^[./~]/.test(text) || text.includes('/') || text.includes('\\') || text === ''
}

/** A path from the source directory; one that leaves it starts with `..`. */
function pathFromSource(at: Node, text: string): string {
  const parts: string[] = []
  for (const part of `${baseOf(at)}/${text}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/') || '.'
}

/** What the volume of a path is called: `docker/db/data` is `docker-db-data`, and so is `../docker/db/data`. */
export function volumeNameOf(from: string): string {
  const words = from.split('/').filter((part) => part !== '.' && part !== '..')
  const name = words.join('-').replaceAll(/[^A-Za-z0-9_.-]/g, '-')
  return trimmed(name) || 'source'
}

const longestName = 63

function trimmed(name: string): string {
  const start = /^[^A-Za-z0-9]+/
  return name.replace(start, '').slice(-longestName).replace(start, '')
}

function becomesData({ choice, place: { holds, isVolume = false } }: Case): boolean {
  if (choice !== null) return choice === 'volume'
  return isVolume || (holds !== 'file' && holds !== 'folder')
}

const refusals: Partial<Record<PlaceKind, { message: string; hint: string }>> = {
  withheld: {
    message: 'holds variables or a secret, which no image may have',
    hint: 'name it under `env_file:`, or as a file of `secrets:` with this path as its target',
  },
  special: { message: 'is no file and no folder', hint: 'remove it' },
}

const left = {
  ignored: '`.dockerignore` leaves out all that is in it',
  unreadable: 'it cannot be read here',
}

/** Says what can be neither a part of the release nor a volume. */
function isRefused(one: Case): boolean {
  const { source, at, place, choice, problems } = one
  const { holds } = place
  const refuse = (message: string, hint: string): true => {
    problems.error(at, `${shownPart(at, source)} ${message}`, hint)
    return true
  }
  const known = refusals[holds]
  if (known) return refuse(known.message, known.hint)
  if (holds === 'outside' && choice !== 'volume')
    return refuse(
      'lies outside of the source directory, and is not sent with it',
      `copy it to below the compose file${fromAbove(at, source)}; for data of the app's own write the label ${labelOf(one)}=volume`,
    )
  if (choice === 'volume' && holds === 'file')
    return refuse('is a file, and a volume is a folder', `remove the label ${labelOf(one)}`)
  if (choice !== 'release') return false
  if (holds === 'nothing') return refuse('is not in the source directory', 'add it, or remove the label')
  if (holds === 'ignored' || holds === 'unreadable')
    return refuse(`cannot be a part of the release: ${left[holds]}`, 'mend that, or remove the label')
  return false
}

/** Never with what a variable holds. */
function labelOf({ at, path }: Case): string {
  return `rack.mount.${shownPart(at, path) === JSON.stringify(path) ? path : 'PATH'}`
}

const readableByAll = 0o444

function secretOf({ from, path }: Case, content: string): FileMount {
  const name = volumeNameOf(from)
  return { kind: 'secret', name, path, content, origin: { file: from }, mode: readableByAll, uid: 0, gid: 0 }
}

function dataOf(one: Case): DataMount {
  const { from, path, readOnly, choice, place } = one
  if (choice === null) tellOfData(one)
  const isFilled = choice === 'volume' && place.holds === 'folder'
  return { kind: 'volume', volume: volumeNameOf(from), path, readOnly, noCopy: false, source: from, isFilled }
}

/** Says what may be meant otherwise; that a path which is not there is data needs no word of its own. */
function tellOfData(one: Case): void {
  const { source, path, at, place, problems } = one
  // Its path is not known before the variable has its value.
  if (at.isIncomplete) return
  const name = shownPart(at, source)
  const label = labelOf(one)
  const asData = `the label ${label}=volume says that data is meant`
  const { holds } = place
  if (holds === 'file' || holds === 'folder')
    problems.warn(
      at,
      `${name} stays the volume that it was, although the source has something there now`,
      `the label ${label}=release makes it a part of the release; ${label}=volume keeps the volume, without this warning`,
    )
  else if (holds === 'ignored')
    problems.warn(
      at,
      `${name} becomes a volume: ${left.ignored}`,
      `name it there with a "!" to make it a part of the release; ${asData}`,
    )
  else if (holds === 'unreadable') problems.warn(at, `${name} becomes a volume: ${left.unreadable}`, asData)
  else if (holds === 'nothing' && looksLikeFile(path))
    problems.warn(
      at,
      `${name} is not in the source directory, so its place in the container becomes a folder, an empty volume`,
      `add the file; ${asData}`,
    )
}

/** `/etc/nginx/nginx.conf`, `/etc/caddy/Caddyfile`, `/app/.env` and `/root/.psqlrc`, but not `/etc/nginx/conf.d`. */
function looksLikeFile(path: string): boolean {
  return /([^/]\.[A-Za-z][A-Za-z0-9]*|[^/]file|\/\.[a-z]+rc|\/\.env)$/.test(path) && !path.endsWith('.d')
}

function releaseOf(one: Case): ReleaseMount {
  const { from, path, readOnly, at, source, choice, place, problems } = one
  const holds = place.holds === 'file' ? 'file' : 'folder'
  if (holds === 'folder' && !readOnly && choice === null)
    problems.warn(
      at,
      `${shownPart(at, source)} is a part of the release: what a copy writes there goes with the copy`,
      `write ":ro" where it only reads; for data write the label ${labelOf(one)}=volume`,
    )
  return { kind: 'release', source: from, path, readOnly, holds }
}
