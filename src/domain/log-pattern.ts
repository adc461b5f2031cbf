import { RackError } from './error.ts'

/** What a log line has to hold: a text as it is, or what a regular expression finds. */
export type LogPattern = { text: string } | { expression: RegExp }

export const longestPattern = 1000

/** `some text`, or `/expression/` with the flags `i`, `s` and `u`. @throws invalid */
export function parseLogPattern(grep: string): LogPattern {
  if (grep === '' || grep.length > longestPattern) {
    throw new RackError('invalid', `a pattern has from 1 to ${longestPattern} characters`)
  }
  const [, source, flags = ''] = /^\/(.+)\/([isu]*)$/s.exec(grep) ?? []
  if (source === undefined) return { text: grep }
  try {
    return { expression: new RegExp(source, flags) }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new RackError('invalid', `"${grep}" is no regular expression: ${error.message}`, {
      hint: 'Without the slashes around it, it is looked for as it is.',
      cause: error,
    })
  }
}
