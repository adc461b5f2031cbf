import type { ManifestSource, Problem } from '../domain/manifest.ts'

/** Longer lines are shown around the place. */
const longestExcerpt = 120

/** Each problem as `file:line:column: severity: path: message; hint`, with the line of the file and a caret below. */
export function formatProblems(
  problems: Problem[],
  { files, texts }: Pick<ManifestSource, 'files' | 'texts'>,
): string {
  // Files of variables and their like hold secrets: of those the place alone is shown.
  const further = Object.entries(texts).filter(([path]) => /\.ya?ml$/.test(path))
  const shown = [...further, ...files.map(({ path, text }): [string, string] => [path, text])]
  const named = new Set(problems.map(({ position }) => position.file))
  const lines = new Map(
    shown.flatMap(([path, text]) =>
      named.has(path) ? [[path, text.replace(/^\uFEFF/, '').split(/\r?\n/)]] : [],
    ),
  )
  return problems.map((problem) => formatProblem(problem, lines)).join('\n')
}

/** One problem on one line. */
export function problemLine({ severity, position, path, message, hint }: Problem): string {
  const place = `${position.file}:${position.line}:${position.column}`
  return `${place}: ${severity}: ${path === '' ? '' : `${path}: `}${message}${hint ? `; ${hint}` : ''}`
}

function formatProblem(problem: Problem, lines: Map<string, string[]>): string {
  const { file, line, column } = problem.position
  const text = lines.get(file)?.[line - 1]
  const head = problemLine(problem)
  if (text === undefined || text.trim() === '') return head
  const from = column > longestExcerpt ? column - longestExcerpt / 2 : 0
  const excerpt = text.slice(from, from + longestExcerpt)
  const margin = `${line} | `
  const indent = excerpt.slice(0, column - 1 - from).replace(/[^\t]/gu, ' ')
  return `${head}\n  ${margin}${excerpt}\n  ${' '.repeat(margin.length - 2)}| ${indent}^`
}

/** `2 errors and 1 warning`, or `no problems`. */
export function countProblems(problems: Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  const parts = [plural(errors, 'error'), plural(warnings, 'warning')].filter((part) => part !== null)
  return parts.length === 0 ? 'no problems' : parts.join(' and ')
}

function plural(count: number, word: string): string | null {
  return count === 0 ? null : `${count} ${word}${count === 1 ? '' : 's'}`
}
