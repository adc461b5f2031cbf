import type { TmpfsMount } from '../../../domain/container.ts'
import { didYouMean } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shown, shownPart, type Node } from '../../syntax/tree.ts'
import { bytesOf, textOf } from '../values/values.ts'
import { modeOf } from '../values/file-mode.ts'

const flags = [
  'exec',
  'noexec',
  'suid',
  'nosuid',
  'dev',
  'nodev',
  'sync',
  'async',
  'dirsync',
  'atime',
  'noatime',
  'diratime',
  'nodiratime',
  'relatime',
  'norelatime',
  'strictatime',
  'nostrictatime',
]
const numbers = ['uid', 'gid', 'nr_inodes', 'nr_blocks']
const words = [...flags, 'ro', 'rw', 'size', 'mode', ...numbers]

/** One item of `tmpfs:`: a path, and after a colon the options of the file system. */
export function tmpfsOf(node: Node, problems: Problems): TmpfsMount | null {
  const text = textOf(node, problems)
  if (text === null) return null
  const colon = text.indexOf(':')
  const path = colon < 0 ? text : text.slice(0, colon)
  const mount: TmpfsMount = { kind: 'tmpfs', path, readOnly: false, sizeBytes: null, mode: null, options: [] }
  const given = colon < 0 ? [] : text.slice(colon + 1).split(',')
  for (const option of new Set(given)) if (option !== '') addOption(mount, option, node, problems)
  return mount
}

function addOption(mount: TmpfsMount, option: string, node: Node, problems: Problems): void {
  const [name = '', value] = option.split('=', 2)
  if (value === undefined && (name === 'ro' || name === 'rw')) mount.readOnly = name === 'ro'
  else if (value === undefined && flags.includes(name)) mount.options.push(name)
  else if (name === 'size' && value !== undefined) mount.sizeBytes = sizeOf(value, node, problems)
  else if (name === 'mode' && /^[0-7]{1,5}$/.test(value ?? '')) mount.mode = Number.parseInt(value ?? '', 8)
  else if (numbers.includes(name) && /^\d{1,10}$/.test(value ?? '')) mount.options.push(option)
  else sayWrongOption(name, option, node, problems)
}

function sayWrongOption(name: string, option: string, node: Node, problems: Problems): void {
  const example = 'write "/run:size=64m,mode=1777"'
  if (!words.includes(name))
    problems.error(node, `the option ${shownPart(node, option)} is not one of a tmpfs`, () =>
      didYouMean(name, words, example),
    )
  else if (name === 'mode')
    problems.error(node, `the mode in ${shownPart(node, option)} is not permission bits`, example)
  else if (numbers.includes(name))
    problems.error(node, `${shownPart(node, option)} needs a number`, `write "${name}=1000"`)
  else
    problems.error(
      node,
      `the option ${shownPart(node, option)} ${name === 'size' ? 'needs a size' : 'takes no value'}`,
      example,
    )
}

function sizeOf(text: string, node: Node, problems: Problems): number | null {
  const scalar: Node = { ...node, kind: 'scalar', value: text, source: text, isQuoted: true }
  if (/^\d+(\.\d+)?[kmgt]?(i?b)?$/i.test(text)) return bytesOf(scalar, problems) || null
  problems.error(node, `the size in ${shown(node)} is not a number of bytes`, 'write "size=64m"')
  return null
}

/** A tmpfs in the long form of `volumes:`. */
export function longTmpfsOf(node: Node, path: string, readOnly: boolean, problems: Problems): TmpfsMount {
  const tmpfs = childOf(node, 'tmpfs')
  return {
    kind: 'tmpfs',
    path,
    readOnly,
    sizeBytes: bytesOf(childOf(tmpfs, 'size'), problems) || null,
    mode: modeOf(childOf(tmpfs, 'mode'), problems),
    options: [],
  }
}
