import { printable } from './printable.ts'

/** A column: its heading, and what a row shows in it. */
export interface Column<Row> {
  heading: string
  value: (row: Row) => string | number | null
  /** Numbers stand at the right. */
  align?: 'right'
  /** Applied after the width is known. */
  paint?: (text: string, row: Row) => string
}

/** Rows under headings, two blanks apart; no line ends in blanks. An absent value is a dash. */
export function formatTable<Row>(columns: Column<Row>[], rows: Row[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => show(value(row))))
  const widths = columns.map(({ heading }, at) =>
    Math.max(width(heading), ...cells.map((line) => width(line[at]!))),
  )
  const line = (texts: string[], paint: (text: string, at: number) => string) =>
    texts
      .map((text, at) => {
        const isLast = at === texts.length - 1 && columns[at]!.align !== 'right'
        return paint(isLast ? text : pad(text, widths[at]!, columns[at]!.align), at)
      })
      .join('  ')
      .trimEnd()
  const head = line(
    columns.map(({ heading }) => heading),
    (text) => text,
  )
  const body = cells.map((texts, row) =>
    line(texts, (text, at) => columns[at]!.paint?.(text, rows[row]!) ?? text),
  )
  return [head, ...body].map((text) => `${text}\n`).join('')
}

/** `name  value` lines of one thing. */
export function formatFacts(facts: [string, string | number | null | undefined][]): string {
  const present = facts.filter(([, value]) => value !== undefined)
  const widest = Math.max(...present.map(([name]) => width(name)))
  return present.map(([name, value]) => `${name.padEnd(widest)}  ${show(value ?? null)}\n`).join('')
}

function show(value: string | number | null): string {
  if (value === null || value === '') return '–'
  // Each is as wide as it is shown, and a row is one line.
  return printable(String(value)).replaceAll(/[\n\t]/g, ' ')
}

function pad(text: string, to: number, align?: 'right'): string {
  const blanks = ' '.repeat(Math.max(0, to - width(text)))
  return align === 'right' ? blanks + text : text + blanks
}

function width(text: string): number {
  return Array.from(text).length
}
