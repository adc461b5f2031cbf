import type { Problems } from '../../problems.ts'
import { isEmpty, shown, shownPart, type Node } from '../../syntax/tree.ts'
import { itemsOf, scalarText, textOf } from './values.ts'

/** An argument vector: a text is split at its words, a list is taken as it is; null when the file says nothing. */
export function commandOf(node: Node | undefined, problems: Problems): string[] | null {
  if (node === undefined || (node.kind === 'scalar' && isEmpty(node))) return null
  if (node.kind === 'list') return listOf(node, problems)
  const text = textOf(node, problems)
  if (text === null) return null
  const words = splitWords(text)
  if (words === null) {
    problems.error(node, 'a quote is not closed', 'write the command as a list')
    return null
  }
  const operator = words.find(
    ({ isQuoted, text: word }) => !isQuoted && /^(&&?|\|\|?|[<>]{1,2})$|;$/.test(word),
  )
  if (operator) {
    problems.error(
      node,
      `${shownPart(node, operator.text)} needs a shell, and a command does not run in one`,
      'write ["sh", "-c", "…"]',
    )
  }
  return words.map(({ text: word }) => word)
}

function listOf(node: Node, problems: Problems): string[] {
  return itemsOf(node, problems).flatMap((item) => {
    if (item.kind !== 'scalar' || item.value === null) {
      problems.error(item, `expected text, but found ${shown(item)}`)
      return []
    }
    return [scalarText(item) ?? '']
  })
}

interface Word {
  text: string
  isQuoted: boolean
}

/** Splits as a shell splits, without expanding anything; null when a quote is not closed. */
export function splitWords(text: string): Word[] | null {
  const words: Word[] = []
  let word: Word | null = null
  let at = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    if (/\s/.test(char)) {
      if (word) words.push(word)
      word = null
      at += 1
      continue
    }
    word ??= { text: '', isQuoted: false }
    const end =
      char === '"' || char === "'" ? appendQuoted(word, text, at, char) : appendPlain(word, text, at)
    if (end === null) return null
    at = end
  }
  return word ? [...words, word] : words
}

const plainRun = /[^\s"'\\]+/y

function appendPlain(word: Word, text: string, at: number): number {
  plainRun.lastIndex = at
  const run = plainRun.exec(text)?.[0]
  if (run !== undefined) {
    word.text += run
    return at + run.length
  }
  const isEscape = text[at] === '\\' && at + 1 < text.length
  word.text += (isEscape ? text[at + 1] : text[at]) ?? ''
  word.isQuoted ||= isEscape
  return at + (isEscape ? 2 : 1)
}

/** In double quotes a backslash escapes a quote, a dollar, a backtick, itself and a line's end; in single quotes nothing. */
function appendQuoted(word: Word, text: string, start: number, quote: string): number | null {
  word.isQuoted = true
  let at = start + 1
  while (at < text.length && text[at] !== quote) {
    const next = text[at + 1]
    const isEscape = quote === '"' && text[at] === '\\' && next !== undefined && '"\\$`\n'.includes(next)
    if (isEscape) at += 1
    word.text += isEscape && next === '\n' ? '' : text[at]
    at += 1
  }
  return at < text.length ? at + 1 : null
}
