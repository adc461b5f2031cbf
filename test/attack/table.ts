import type { Attack } from './attacks.ts'

/** What came of an attack; `trouble` is what did harm, or was not tried. */
export interface Outcome {
  tried: number
  trouble: string | null
}

const begin = '<!-- attacks -->'
const heading = `| attack | who does what | ways tried | came of it | on |
|---|---|---|---|---|
`

export function rowOf({ name, what }: Attack, { tried, trouble }: Outcome, date: string): string {
  const outcome = trouble === null ? 'refused or survived' : `**harm**: ${trouble}`
  return `| \`${name}\` | ${what} | ${tried} | ${outcome.replaceAll('|', '\\|')} | ${date} |`
}

/** Rows of a page that was written before, by the attack's name. */
export function readRows(page: string): Map<string, string> {
  const lines = partsOf(page).table.split('\n')
  return new Map(
    lines.flatMap((line) => {
      const name = /^\| `([^`]+)` \|/.exec(line)?.[1]
      return name === undefined ? [] : [[name, line] as const]
    }),
  )
}

/** The page with these rows; rows of attacks that are no more are left out. */
export function withRows(page: string, rows: Map<string, string>, names: string[]): string {
  const lines = names.flatMap((name) => rows.get(name) ?? [])
  return `${partsOf(page).before}${begin}\n\n${heading}${lines.join('\n')}\n`
}

/** The table is the end of the page. */
function partsOf(page: string): { before: string; table: string } {
  const [before, table] = page.split(begin)
  if (before === undefined || table === undefined) throw new Error(`the page has no line ${begin}`)
  return { before, table }
}
