import { Scalar, visit, type Document, type YAMLError } from 'yaml'
import type { Position } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'

/** Errors of syntax after this many are echoes of the first. */
const mostSyntaxErrors = 20

/** Reports the first error of each line, in words that do not need the YAML specification; false when there is none. */
export function reportSyntax(
  documents: Document.Parsed[],
  positionOf: (offset: number) => Position,
  problems: Problems,
): boolean {
  const reported = new Set<number>()
  for (const document of documents) {
    const opening = document.errors.some(isOpenQuote) ? openingQuote(document) : null
    for (const error of document.errors) {
      const position = positionOf(opening ?? error.pos[0])
      if (reported.has(position.line) || reported.size >= mostSyntaxErrors) continue
      reported.add(position.line)
      const [message, hint] = wordsFor(error)
      problems.error({ path: '', position }, message, hint)
      // An open quote takes all the rest of the text, so what else is wrong follows from it.
      if (opening !== null) return true
    }
  }
  return reported.size > 0
}

function isOpenQuote({ message }: YAMLError): boolean {
  return /^Missing closing .quote/.test(message)
}

/** The library points at the end of the text, but a person looks for where it starts. */
function openingQuote(document: Document.Parsed): number | null {
  let opening: number | null = null
  visit(document, {
    Scalar(_, { type, range }) {
      if (type === Scalar.QUOTE_DOUBLE || type === Scalar.QUOTE_SINGLE) opening = range?.[0] ?? null
    },
  })
  return opening
}

type Words = [message: string, hint?: string]

/** By the code of the library. */
const words: Partial<Record<YAMLError['code'], Words>> = {
  TAB_AS_INDENT: ['a tab stands where only spaces may', 'indent with spaces'],
  RESOURCE_EXHAUSTION: ['the file is nested too deeply'],
  MULTILINE_IMPLICIT_KEY: [
    'a `:` is missing after a key, or a line is not indented like the others',
    'write `key:`, and indent what belongs to it',
  ],
  BLOCK_AS_IMPLICIT_KEY: [
    'a value holds a `:`, or lines under it are indented that do not belong to it',
    'quote the value, or indent the lines like those above',
  ],
  BAD_SCALAR_START: ['a value cannot start with this character', 'quote the value'],
  BAD_DQ_ESCAPE: [
    'a backslash between double quotes starts what YAML does not know',
    'write `\\\\`, or use single quotes',
  ],
}

/** By what the library says, where one code stands for several mistakes. */
const wordsByMessage: [RegExp, Words][] = [
  [/^missing closing .quote/, ['a quote is opened here and never closed', 'close it']],
  [
    /^unexpected block-seq-ind on same line/,
    ['a list cannot start on the line of its key', 'start it on the next line: `- value`'],
  ],
  [
    /at node end|in YAML stream|in YAML document|not a YAML token/,
    [
      'this does not belong to the value before it, which has ended',
      'indent it like what it belongs to, or quote the value',
    ],
  ],
  [
    /^implicit map keys/,
    ['a `:` is missing after a key, or a line is not indented like the others', 'write `key: value`'],
  ],
]

function wordsFor(error: YAMLError): Words {
  const message = error.message.slice(0, 1).toLowerCase() + error.message.slice(1)
  const [, bracket] = /^flow .* end with a (.)$/.exec(message) ?? []
  if (bracket)
    return [
      `a \`${bracket}\` is missing above, or what it closes is not indented`,
      `write the \`${bracket}\``,
    ]
  const [, found] = wordsByMessage.find(([pattern]) => pattern.test(message)) ?? []
  if (found) return found
  if (error.code === 'BAD_INDENT')
    return [`the indentation is wrong: ${message}`, 'indent with care: two spaces a level']
  if (error.code === 'MISSING_CHAR') return [message, 'is a bracket not closed, or a `:` missing?']
  return words[error.code] ?? [`not YAML: ${message}`]
}
