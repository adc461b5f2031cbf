import { isScalar, LineCounter } from 'yaml'
import type { Position } from '../../domain/manifest.ts'
import type { Place, Problems } from '../problems.ts'
import { buildTree } from './build-tree.ts'
import { readDocuments, type ReadSoFar, type Refusal } from './read-documents.ts'
import { reportSyntax } from './syntax-errors.ts'
import type { MapNode } from './tree.ts'

/** Longer files are refused unread. */
const largestFileBytes = 1024 * 1024

const refusals: Record<Refusal, string> = {
  'too deep': 'the file is nested too deeply',
  'too many parts': 'the file is made of too many too small parts to be a compose file',
}

interface YamlText {
  path: string
  text: string
  /** Of the other texts of the app. */
  soFar: ReadSoFar
}

/** Reads one YAML 1.2 text into a positioned tree; null when it cannot be used, with the reasons in `problems`. */
export function parseYaml({ path: file, text, soFar }: YamlText, problems: Problems): MapNode | null {
  const start = placeAt(file, 1, 1)
  if (text.length > largestFileBytes) {
    problems.error(start, `the file is larger than ${largestFileBytes / 1024} KiB`, 'is this a compose file?')
    return null
  }
  if (text.includes('\uFFFD') || text.includes('\0')) {
    problems.error(placeOfCharacter(file, text), 'the file is not UTF-8 text', 'save it as UTF-8')
    return null
  }
  return parseText({ path: file, text: text.startsWith('\uFEFF') ? text.slice(1) : text, soFar }, problems)
}

function parseText({ path: file, text, soFar }: YamlText, problems: Problems): MapNode | null {
  const lines = new LineCounter()
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const documents = readDocuments(text, lines, soFar)
  const start = placeAt(file, 1, 1)
  if (typeof documents === 'string') {
    problems.error(start, refusals[documents])
    return null
  }
  if (reportSyntax(documents, positionOf, problems)) return null
  const [document, second] = documents.filter(({ contents }) => contents !== null)
  if (!document || (isScalar(document.contents) && document.contents.value === null)) {
    problems.error(start, 'the file is empty', 'write at least `services:` with one process under it')
    return null
  }
  if (second) {
    const at = { path: '', position: positionOf(second.range[0]) }
    problems.error(at, 'the file holds more than one document', 'keep one, without the `---` between them')
  }
  const tree = buildTree(document, { positionOf, problems })
  if (tree === null) return null
  if (tree.kind === 'map') return tree
  problems.error(
    tree,
    `the file must be a mapping, but is ${tree.kind === 'list' ? 'a list' : 'text'}`,
    'start with `services:`',
  )
  return null
}

function placeAt(file: string, line: number, column: number): Place {
  return { path: '', position: { file, line, column } }
}

function placeOfCharacter(file: string, text: string): Place {
  const before = text.slice(0, text.search(/[\uFFFD\0]/)).split('\n')
  return placeAt(file, before.length, (before.at(-1) ?? '').length + 1)
}
