import type { ManifestSource, Problem } from '../../domain/manifest.ts'
import type { ReadOptions } from '../load-tree.ts'
import { readWithRulings } from '../read-manifest.ts'
import { editsOf } from './edits.ts'
import { fixText, type ProposedFix } from './fix.ts'
import { readYamlText, type Edit, type YamlText } from './yaml-text.ts'

/** What was changed in a file, and why. */
export interface Change {
  file: string
  /** Of what was changed. */
  path: string
  /** What was done. */
  done: string
  /** The problem that it mends. */
  message: string
}

export interface FixedManifest {
  /** The texts that are other than before, by path. */
  texts: Map<string, string>
  changes: Change[]
  /** What a rack says of the files as they are then. */
  problems: Problem[]
  isAccepted: boolean
  /** What they name then. */
  source: ManifestSource
}

/** Each mends all that it can; what one brings to light is mended by the next. */
const mostRounds = 50

/**
 * Mends compose files until nothing is left for which the answer is known: each change is made in its place, and what is
 * not changed stays as it is written. A repeat on the result changes nothing.
 * @param read gives what the files name, where some of their texts are others than those that are stored
 */
export async function fixManifest(
  source: ManifestSource,
  options: ReadOptions,
  read: (texts: ReadonlyMap<string, string>) => ManifestSource | Promise<ManifestSource>,
): Promise<FixedManifest> {
  const texts = new Map<string, string>()
  const changes: Change[] = []
  let current = source
  for (let round = 0; ; round += 1) {
    const { manifest, problems, fixes } = readWithRulings(current, options)
    const made = round < mostRounds ? mendOnce(current, fixes) : []
    if (made.length === 0) return { texts, changes, problems, isAccepted: manifest !== null, source: current }
    for (const { file, text, done } of made) {
      texts.set(file, text)
      changes.push(...done)
    }
    current = await read(texts)
  }
}

interface Mended {
  file: string
  text: string
  done: Change[]
}

/** One round over all files: fixes that touch the same lines wait for the next. */
function mendOnce(source: ManifestSource, fixes: ProposedFix[]): Mended[] {
  const files = new Map([
    ...Object.entries(source.texts).filter(([path]) => /\.ya?ml$/.test(path)),
    ...source.files.map(({ path, text }): [string, string] => [path, text]),
  ])
  const byFile = Map.groupBy(fixes, ({ position }) => position.file)
  return [...byFile].flatMap(([file, own]) => {
    const text = files.get(file)
    // A name is that of all files: where there are more, some would keep the old one.
    const possible = own.filter(({ fix }) => fix.change !== 'rename-process' || files.size === 1)
    const mended = text === undefined ? null : mendText(text, possible)
    return mended === null ? [] : [{ file, ...mended }]
  })
}

function mendText(whole: string, fixes: ProposedFix[]): { text: string; done: Change[] } | null {
  const mark = whole.startsWith('\uFEFF') ? '\uFEFF' : ''
  const yaml = readYamlText(whole.slice(mark.length))
  if (!yaml) return null
  const planned = plan(fixes, yaml)
  const all = apply(
    yaml.text,
    planned.flatMap(({ edits }) => edits),
  )
  if (planned.length === 0) return null
  if (readYamlText(all)) return { text: mark + all, done: planned.map(({ change }) => change) }
  const [text, done] = oneByOne(yaml.text, planned)
  return done.length === 0 ? null : { text: mark + text, done }
}

interface Planned {
  edits: Edit[]
  change: Change
}

/** The edits of all fixes of which none touches what another one does. */
function plan(fixes: ProposedFix[], yaml: YamlText): Planned[] {
  const planned: Planned[] = []
  const taken: Edit[] = []
  for (const proposed of fixes) {
    const edits = editsOf(proposed, yaml)
    if (!edits || edits.length === 0 || edits.some((edit) => taken.some((other) => touches(edit, other))))
      continue
    taken.push(...edits)
    const { position, path, message, fix } = proposed
    planned.push({ edits, change: { file: position.file, path, done: fixText(fix), message } })
  }
  return planned
}

function touches(one: Edit, other: Edit): boolean {
  return one.start <= other.end && other.start <= one.end
}

/** From the end, so that no edit moves another. */
function apply(text: string, edits: Edit[]): string {
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((sum, { start, end, text: to }) => sum.slice(0, start) + to + sum.slice(end), text)
}

/** Where together they make a text that nobody can read, those are left out that do. */
function oneByOne(text: string, planned: Planned[]): [string, Change[]] {
  const kept: Planned[] = []
  for (const one of planned) {
    const edits = [...kept, one].flatMap((each) => each.edits)
    if (readYamlText(apply(text, edits))) kept.push(one)
  }
  return [
    apply(
      text,
      kept.flatMap(({ edits }) => edits),
    ),
    kept.map(({ change }) => change),
  ]
}
