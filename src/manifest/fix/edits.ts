import { isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from 'yaml'
import type { Fix, ProposedFix } from './fix.ts'
import { renameProcess } from './rename-process.ts'
import {
  endOf,
  findSpot,
  indentOf,
  lineEnd,
  lineStart,
  startOf,
  type Edit,
  type Spot,
  type YamlText,
} from './yaml-text.ts'

/** What a fix changes in the text of its file; null where it cannot be done there, as in what an alias repeats. */
export function editsOf({ fix, position, path }: ProposedFix, yaml: YamlText): Edit[] | null {
  if (fix.change === 'declare') return declaration(fix, yaml)
  const spot = findSpot(yaml, position, path)
  if (!spot) return null
  switch (fix.change) {
    case 'remove':
      return removal(fix.whole === 'item' ? itemAround(spot) : spot, yaml)
    case 'respell':
      return respelled(spot, fix, yaml)
    case 'write':
      return written(spot, fix.text, yaml)
    case 'replace':
      return replaced(spot, fix, yaml)
    case 'double-dollars':
      return dollarsDoubled(spot, yaml)
    case 'add':
      return addition(spot, fix, yaml)
    case 'rename-process':
      return renameProcess(spot, fix, yaml)
  }
}

function itemAround(spot: Spot): Spot | null {
  return [...spot.around, spot].findLast(({ kind }) => kind === 'item') ?? null
}

function removal(spot: Spot | null, yaml: YamlText): Edit[] | null {
  if (spot === null) return null
  if (spot.parent.flow) return removedFromFlow(spot, yaml)
  return spot.kind === 'item' ? removedItem(spot, yaml) : removedEntry(spot, yaml)
}

/** With its comma; the last of several with the one before it. */
function removedFromFlow(spot: Spot, { text }: YamlText): Edit[] | null {
  const parts = spot.parent.items.map((part) => spanOf(part))
  const index = spot.kind === 'item' ? spot.index : spot.parent.items.indexOf(spot.pair)
  const [before, here, after] = [parts[index - 1], parts[index], parts[index + 1]]
  if (!here || isAnchored(text, here.start)) return null
  // A comment between two of them may be about either.
  if (/\s#/.test(text.slice(before?.end ?? here.start, after?.start ?? here.end))) return null
  if (after) return [{ start: here.start, end: after.start, text: '' }]
  if (!before) return emptied(spot.parent)
  return [{ start: before.end, end: here.end, text: '' }]
}

/** `{ a: b }` becomes `{}`. */
function emptied(whole: unknown): Edit[] | null {
  const [start, end] = [startOf(whole), endOf(whole)]
  return start === undefined || end === undefined ? null : [{ start: start + 1, end: end - 1, text: '' }]
}

function spanOf(part: unknown): { start: number; end: number } | null {
  const isPair = typeof part === 'object' && part !== null && 'key' in part
  const [first, last] = isPair ? [part.key, (part as { value?: unknown }).value ?? part.key] : [part, part]
  const [start, end] = [startOf(first), endOf(last)]
  return start === undefined || end === undefined ? null : { start, end }
}

/** What others may point at stays: `- &name value`. */
function isAnchored(text: string, start: number): boolean {
  return /[&!]\S*\s*$/.test(text.slice(lineStart(text, start), start))
}

/** The lines of an item; of the only one also the key of the list, so that no empty one is left. */
function removedItem({ parent, index, around }: Spot & { kind: 'item' }, { text }: YamlText): Edit[] | null {
  const item = parent.items[index]
  const [start, end] = [startOf(item), endOf(item)]
  if (start === undefined || end === undefined) return null
  const dash = text.lastIndexOf('-', start - 1)
  const first = lineStart(text, dash)
  if (dash < 0 || text.slice(dash + 1, start).trim() !== '' || text.slice(first, dash).trim() !== '')
    return null
  const lines = { start: first, end: lineEnd(text, end), text: '' }
  const holder = around.at(-1)
  if (parent.items.length > 1 || holder?.kind !== 'entry') return [lines]
  const [key, begin] = [startOf(holder.pair.key), startOf(parent)]
  if (key === undefined || begin === undefined || holder.parent.flow) return null
  const keyLine = { start: lineStart(text, key), end: lineEnd(text, key), text: '' }
  const isBare =
    text.slice(keyLine.start, keyLine.end).trimEnd() === `${' '.repeat(indentOf(text, key))}${holder.key}:`
  return isBare ? [keyLine, lines] : [lines]
}

/** The lines of an entry; the first one of an item of a list shares its line with the dash. */
function removedEntry({ pair, parent }: Spot & { kind: 'entry' }, { text }: YamlText): Edit[] | null {
  const start = startOf(pair.key)
  const end = endOf(pair.value) ?? endOf(pair.key)
  if (start === undefined || end === undefined) return null
  const first = lineStart(text, start)
  if (text.slice(first, start).trim() === '') return [{ start: first, end: lineEnd(text, end), text: '' }]
  const next = parent.items[parent.items.indexOf(pair) + 1]
  const following = startOf(next?.key)
  if (following === undefined || text.slice(end, following).includes('#')) return null
  return [{ start, end: following, text: '' }]
}

/** In the key or the value that is written there, or in the value of the entry; only where the word is there once. */
function respelled(spot: Spot, { from, to }: Fix & { change: 'respell' }, yaml: YamlText): Edit[] | null {
  const nodes = spot.kind === 'item' ? [spot.parent.items[spot.index]] : [spot.pair.key, spot.pair.value]
  for (const node of nodes) {
    const [start, end] = [startOf(node), endOf(node)]
    if (!isScalar(node) || start === undefined || end === undefined) continue
    const raw = yaml.text.slice(start, end).toLowerCase()
    const at = raw.indexOf(from.toLowerCase())
    if (at < 0) continue
    if (raw.indexOf(from.toLowerCase(), at + 1) >= 0) return null
    return [{ start: start + at, end: start + at + from.length, text: to }]
  }
  return null
}

/** In place of a value in which no variable has its hand. */
function written(spot: Spot, value: string, { text }: YamlText): Edit[] | null {
  const node = spot.kind === 'item' ? spot.parent.items[spot.index] : spot.pair.value
  const [start, end] = [startOf(node), endOf(node)]
  if (!isScalar(node) || start === undefined || end === undefined || text.slice(start, end).includes('$'))
    return null
  return [{ start, end, text: value }]
}

function replaced(
  spot: Spot,
  { key, value }: Fix & { change: 'replace' },
  { text }: YamlText,
): Edit[] | null {
  if (spot.kind !== 'entry') return null
  const [start, end] = [startOf(spot.pair.key), endOf(spot.pair.value)]
  if (start === undefined || end === undefined || text.slice(start, end).includes('#')) return null
  const isThere = spot.parent.items.some((other) => isScalar(other.key) && other.key.value === key)
  return isThere ? removal(spot, { text } as YamlText) : [{ start, end, text: `${key}: ${value}` }]
}

function dollarsDoubled(spot: Spot, { text }: YamlText): Edit[] | null {
  const node = spot.kind === 'item' ? spot.parent.items[spot.index] : spot.pair.value
  const [start, end] = [startOf(node), endOf(node)]
  if (!isScalar(node) || start === undefined || end === undefined) return null
  const raw = text.slice(start, end)
  // A `$$` is one already, and what follows a letter or a brace is a variable.
  const doubled = raw.replaceAll(/\$\$|\$(?=[A-Za-z_{])|\$/g, (found, offset: number) =>
    found === '$$' || /[A-Za-z_{]/.test(raw[offset + 1] ?? '') ? found : '$$',
  )
  return doubled === raw ? null : [{ start, end, text: doubled }]
}

/** Adds a label or a port to the process that the spot is in. */
function addition(spot: Spot, fix: Fix & { change: 'add' }, yaml: YamlText): Edit[] | null {
  const process = processAround(spot)
  if (!process || !isMap(process.pair.value)) return null
  const map = process.pair.value
  const present = map.items.find(({ key }) => isScalar(key) && key.value === fix.under)
  const asItem = quoted(fix.under === 'labels' ? `${fix.name}=${fix.value}` : fix.value)
  const asEntry = fix.under === 'labels' ? `${quoted(fix.name)}: ${quoted(fix.value)}` : null
  if (!present) {
    // Its own would hide those that a merge key brings.
    if (map.items.some(({ key }) => isScalar(key) && key.value === '<<')) return null
    return addedTo(map, process, { key: fix.under, below: asEntry ?? `- ${asItem}`, flow: flowOf(fix) }, yaml)
  }
  const holder: Spot & { kind: 'entry' } = {
    kind: 'entry',
    pair: present,
    parent: map,
    key: fix.under,
    around: [],
  }
  if (isSeq(present.value)) return hasItem(present.value, fix) ? null : itemAdded(present.value, asItem, yaml)
  if (!isMap(present.value) || asEntry === null || fix.under !== 'labels') return null
  if (present.value.items.some(({ key }) => isScalar(key) && key.value === fix.name)) return null
  return entryAdded(present.value, holder, asEntry, yaml)
}

function hasItem({ items }: YAMLSeq, fix: Fix & { change: 'add' }): boolean {
  const start = fix.under === 'labels' ? `${fix.name}=` : fix.value
  return items.some((item) => isScalar(item) && String(item.value).startsWith(start))
}

function flowOf(fix: Fix & { change: 'add' }): string {
  return fix.under === 'labels'
    ? `labels: { ${quoted(fix.name)}: ${quoted(fix.value)} }`
    : `ports: [${quoted(fix.value)}]`
}

/** Plain where that is read as the same text. */
function quoted(text: string): string {
  return /^[A-Za-z/][A-Za-z0-9._/=,-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text)
}

/** The entry below `services:`, or in a file of version 1 the one at its top. */
function processAround(spot: Spot): (Spot & { kind: 'entry' }) | null {
  const way = [...spot.around, spot]
  const [first, second] = way
  if (first?.kind !== 'entry') return null
  if (first.key === 'services') return second?.kind === 'entry' ? second : null
  const isTop = ['volumes', 'networks', 'configs', 'secrets', 'include', 'name', 'version'].includes(
    first.key,
  )
  return isTop || first.key.startsWith('x-') ? null : first
}

function itemAdded(list: YAMLSeq, item: string, { text, newline }: YamlText): Edit[] | null {
  const last = list.items.at(-1)
  const [start, end] = [startOf(last), endOf(last)]
  if (list.flow) {
    const close = endOf(list)
    if (close === undefined) return null
    return end === undefined
      ? [{ start: close - 1, end: close - 1, text: item }]
      : [{ start: end, end, text: `, ${item}` }]
  }
  if (start === undefined || end === undefined) return null
  const dash = text.lastIndexOf('-', start - 1)
  return insertedLine(text, end, `${' '.repeat(indentOf(text, dash))}- ${item}`, newline)
}

function entryAdded(
  map: YAMLMap,
  holder: Spot & { kind: 'entry' },
  entry: string,
  yaml: YamlText,
): Edit[] | null {
  if (map.flow) return intoFlow(map, entry)
  return addedTo(map, holder, { key: null, below: entry, flow: entry }, yaml)
}

interface Added {
  /** Null adds what is below alone. */
  key: string | null
  below: string
  flow: string
}

/** A further entry behind the last one of a mapping, indented as that is. */
function addedTo(
  map: YAMLMap,
  holder: Spot & { kind: 'entry' },
  { key, below, flow }: Added,
  { text, newline }: YamlText,
): Edit[] | null {
  if (map.flow) return intoFlow(map, flow)
  const [first, last] = [map.items[0], map.items.at(-1)]
  const [start, outer] = [startOf(first?.key), startOf(holder.pair.key)]
  const end = last && (endOf(last.value) ?? endOf(last.key))
  if (start === undefined || end === undefined || outer === undefined) return null
  const indent = indentOf(text, start)
  const step = Math.max(1, indent - indentOf(text, outer))
  const [own, deeper] = [' '.repeat(indent), ' '.repeat(indent + step)]
  const lines = key === null ? `${own}${below}` : `${own}${key}:${newline}${deeper}${below}`
  return insertedLine(text, end, lines, newline)
}

function intoFlow(map: YAMLMap, entry: string): Edit[] | null {
  const last = map.items.at(-1)
  const end = last ? (endOf(last.value) ?? endOf(last.key)) : undefined
  const close = endOf(map)
  if (close === undefined) return null
  return end === undefined
    ? [{ start: close - 1, end: close - 1, text: ` ${entry} ` }]
    : [{ start: end, end, text: `, ${entry}` }]
}

/** Behind the line on which something ends. */
function insertedLine(text: string, end: number, line: string, newline: string): Edit[] {
  const at = lineEnd(text, end)
  const isOpen = at > 0 && text[at - 1] !== '\n'
  return [{ start: at, end: at, text: isOpen ? `${newline}${line}` : `${line}${newline}` }]
}

/** Under the section at the top of the file, which is made at its end where it is missing. */
function declaration({ section, name }: Fix & { change: 'declare' }, yaml: YamlText): Edit[] | null {
  const { text, root, newline } = yaml
  if (!isMap(root) || root.flow) return null
  const present = root.items.find(({ key }) => isScalar(key) && key.value === section)
  const entry = `${quoted(name)}:`
  if (!present) {
    const start = text === '' || text.endsWith('\n') ? '' : newline
    return [
      {
        start: text.length,
        end: text.length,
        text: `${start}${newline}${section}:${newline}  ${entry}${newline}`,
      },
    ]
  }
  const holder: Spot & { kind: 'entry' } = {
    kind: 'entry',
    pair: present,
    parent: root,
    key: section,
    around: [],
  }
  if (isMap(present.value)) {
    if (present.value.items.some(({ key }) => isScalar(key) && key.value === name)) return null
    return present.value.flow
      ? intoFlow(present.value, `${entry} {}`)
      : entryAdded(present.value, holder, entry, yaml)
  }
  const key = endOf(present.key)
  const isNothing =
    isScalar(present.value) && present.value.value === null && (present.value.source ?? '') === ''
  return key !== undefined && isNothing ? insertedLine(text, key, `  ${entry}`, newline) : null
}
