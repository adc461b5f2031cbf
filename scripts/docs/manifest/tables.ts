import { labelRules, type LabelRule } from '../../../src/manifest/keys/labels/label-rules.ts'
import { allKeys } from '../../../src/manifest/verdicts/all-keys.ts'
import type { KeyRule } from '../../../src/manifest/verdicts/verdict.ts'
import { areas } from './areas.ts'

const ofProcess = 'services.*.'

/** The tables of the keys of a process, an area each, as lines. */
export function processTables(): string[] {
  const named = new Set(areas.flatMap(({ keys }) => wordsOf(keys)))
  const others = [...new Set(processPaths().map(firstOf))].filter((key) => !named.has(key))
  const rest = { title: 'Others', intro: 'Further keys.', keys: others.join(' ') }
  return [...areas, ...(others.length > 0 ? [rest] : [])].flatMap(({ title, intro, keys }) => [
    `### ${title}`,
    '',
    ...wrapped(intro),
    '',
    ...keyTable(wordsOf(keys).flatMap((key) => processPaths().filter((path) => firstOf(path) === key))),
  ])
}

/** The table of what lies at the top of the file, as lines. */
export function topLevelTable(): string[] {
  return keyTable(Object.keys(allKeys).filter((path) => !path.startsWith(ofProcess)))
}

/** The tables of the labels, as lines. */
export function labelTables(): string[] {
  const rules = Object.entries(labelRules)
  const isRead = ([, { verdict }]: [string, LabelRule]) => verdict === 'honoured'
  return [
    '| label | takes | without it | with the prefix `convox.` | what it does |',
    '|---|---|---|---|---|',
    ...rules.filter(isRead).map(labelRow),
    '',
    'These are known too:',
    '',
    '| label | verdict | why |',
    '|---|---|---|',
    ...rules
      .filter((rule) => !isRead(rule))
      .map(
        ([name, { verdict, why, unless }]) =>
          `| ${labelName(name)} | ${verdict} | ${why}${harmless(unless)} |`,
      ),
    '',
  ]
}

function keyTable(paths: string[]): string[] {
  const rows = paths.map((path) => {
    const rule = allKeys[path] as KeyRule
    return `| \`${shownPath(path)}\` | ${rule.verdict} | ${escaped(meaning(rule))} |`
  })
  return ['| key | verdict | what comes of it |', '|---|---|---|', ...rows, '']
}

function processPaths(): string[] {
  return Object.keys(allKeys).filter((path) => path.startsWith(ofProcess))
}

/** The key of the process that a path begins with. */
function firstOf(path: string): string {
  return /^[a-z_]+/.exec(path.slice(ofProcess.length))?.[0] ?? ''
}

/** The words of a list that is written as text. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

/** A paragraph in lines that fit an editor. */
function wrapped(text: string): string[] {
  return text.match(/.{1,118}(?:\s|$)/g)?.map((line) => line.trimEnd()) ?? []
}

/** As a person would say it: `NAME` for a name of theirs. */
function shownPath(path: string): string {
  const own = path.startsWith(ofProcess) ? path.slice(ofProcess.length) : path
  return own.replaceAll('*', 'NAME')
}

function meaning({ verdict, why, into, instead, unless }: KeyRule): string {
  if (verdict === 'translated') return `becomes ${into}; ${why}`
  if (verdict !== 'refused') return why
  const advice = instead === undefined || instead === 'remove the key' ? '' : `. Instead: ${instead}`
  return `${why}${advice}${harmless(unless)}`
}

/** What a refused key or label may say all the same. */
function harmless(values: string[] | undefined): string {
  return values ? ` (harmless as ${values.map((value) => `\`${value}\``).join(', ')})` : ''
}

function labelRow([name, rule]: [string, LabelRule]): string {
  const cells = [labelName(name), takes(rule), String(rule.default ?? '–'), convoxOf(rule), rule.why]
  return `| ${cells.map(escaped).join(' | ')} |`
}

function labelName(name: string): string {
  const placeholder = name.startsWith('cron') ? 'NAME' : 'N'
  return `\`rack.${name.replace('*', placeholder)}\``
}

function takes({ kind, min, max, example }: LabelRule): string {
  const range =
    min === undefined
      ? ''
      : `${min} – ${max} ${kind === 'seconds' ? 's' : ''}${kind === 'percent' ? '%' : ''}`.trimEnd()
  return range === '' ? `\`${example}\`` : `${range}, such as \`${example}\``
}

/** How the alias differs. */
function convoxOf({ min, max, convox }: LabelRule): string {
  if (!convox) return 'the same'
  const range =
    convox.min === undefined || (convox.min === min && convox.max === max)
      ? []
      : [`${convox.min} – ${convox.max}`]
  const without = convox.default === undefined ? [] : [`without it ${convox.default}`]
  return [...range, ...without].join(', ') || 'the same'
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
