import { Composer, CST, Lexer, Parser, type Document, type LineCounter } from 'yaml'

/** Why a text is refused although it may be YAML; it would cost too much time. */
export type Refusal = 'too deep' | 'too many parts'

/** Beyond what a person nests; the library recurses, so its stack would end first. */
const deepestNesting = 200

/** What has been read of the texts of one app: together they have no more parts than one of their length. */
export interface ReadSoFar {
  /** In characters. */
  length: number
  parts: number
}

/**
 * Parts of texts of up to `usualLength` characters: real files have six characters and more for each, and a text of
 * far smaller ones is made to take long. Longer texts may take longer, and have flow lists of short names.
 */
const allowedParts = 11_264
const usualLength = 64 * 1024
const shortestPart = 1.5

/** More are not looked at: one is read, and the second is a mistake. */
const mostDocuments = 2

/** Reads a text as YAML 1.2 in a time that its length bounds, whatever it holds. */
export function readDocuments(
  text: string,
  lines: LineCounter,
  soFar: ReadSoFar,
): Document.Parsed[] | Refusal {
  const lexemes = lexemesOf(text, soFar)
  return lexemes === null ? 'too many parts' : withoutStackTraces(() => compose(lexemes, lines))
}

/** The words of the text, or null when there are too many of them. */
function lexemesOf(text: string, soFar: ReadSoFar): string[] | null {
  soFar.length += text.length
  const most = allowedParts + Math.max(0, soFar.length - usualLength) / shortestPart
  const lexemes: string[] = []
  for (const lexeme of new Lexer().lex(text)) {
    lexemes.push(lexeme)
    const type = CST.tokenType(lexeme)
    if (type !== 'space' && type !== 'newline' && type !== 'scalar') soFar.parts += 1
    if (soFar.parts > most) return null
  }
  return lexemes
}

function compose(lexemes: string[], lines: LineCounter): Document.Parsed[] | Refusal {
  lines.addNewLine(0)
  const parser = new Parser(lines.addNewLine)
  // Its checks of unique keys cost a square, and merge keys and aliases are ours.
  const composer = new Composer({
    uniqueKeys: false,
    logLevel: 'silent',
    merge: false,
    schema: 'core',
    resolveKnownTags: false,
  })
  const documents: Document.Parsed[] = []
  for (const lexeme of lexemes) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    if (parser.stack.length > deepestNesting) return 'too deep'
    if (documents.filter(({ contents }) => contents !== null).length >= mostDocuments) return documents
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  return [...documents, ...composer.end()]
}

/** The library makes an `Error` of every mistake; a text of nothing else would spend its time on traces nobody reads. */
function withoutStackTraces<T>(work: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
