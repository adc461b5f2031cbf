import { dockerFeatures } from '../../../src/domain/docker-features.ts'
import { engineFeatures } from '../../../src/domain/engine-features.ts'
import type { EngineFeatures } from '../../../src/domain/features.ts'
import type { LabelRule } from '../../../src/manifest/keys/labels/label-rule.ts'
import { labelRuleOn } from '../../../src/manifest/keys/labels/label-rule.ts'
import { labelRules } from '../../../src/manifest/keys/labels/label-rules.ts'
import { allKeys } from '../../../src/manifest/verdicts/all-keys.ts'
import { limitsOn, ruleOn, type KeyRule } from '../../../src/manifest/verdicts/verdict.ts'
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
    `| label | ${engineNames} | takes | without it | with the prefix \`convox.\` | what it does |`,
    `|---|${engineColumns}---|---|---|---|`,
    ...rules.filter(isRead).map(labelRow),
    '',
    'These are known too:',
    '',
    `| label | ${engineNames} | why |`,
    `|---|${engineColumns}---|`,
    ...rules
      .filter((rule) => !isRead(rule))
      .map(
        ([name, rule]) =>
          `| ${labelName(name)} | ${labelVerdicts(rule)} | ${rule.why}${harmless(rule.unless)} |`,
      ),
    '',
  ]
}

function keyTable(paths: string[]): string[] {
  const rows = paths.map((path) => {
    const rule = allKeys[path] as KeyRule
    return `| \`${shownPath(path)}\` | ${keyVerdicts(rule)} | ${escaped(keyMeaning(rule))} |`
  })
  return [`| key | ${engineNames} | what comes of it |`, `|---|${engineColumns}---|`, ...rows, '']
}

/** The columns of the engines. */
const engineNames = engineFeatures.map(({ name }) => name).join(' | ')
const engineColumns = engineFeatures.map(() => '---|').join('')
const otherEngines = engineFeatures.filter((features) => features !== dockerFeatures)

function keyVerdicts(rule: KeyRule): string {
  return engineFeatures.map((features) => verdictCell(ruleOn(rule, features), features)).join(' | ')
}

function labelVerdicts(rule: LabelRule): string {
  return engineFeatures.map((features) => verdictCell(labelRuleOn(rule, features), features)).join(' | ')
}

function verdictCell(rule: Pick<KeyRule, 'verdict' | 'partly'>, features: EngineFeatures): string {
  return limitsOn(rule, features).length > 0 ? `${rule.verdict} in part` : rule.verdict
}

/** What comes of a key on one machine, and where another engine differs, what there. */
function keyMeaning(rule: KeyRule): string {
  return withOthers((features) => ({
    text: meaning(ruleOn(rule, features)),
    limits: limitsOn(ruleOn(rule, features), features),
  }))
}

function labelMeaning(rule: LabelRule): string {
  return withOthers((features) => {
    const { why, verdict, instead } = labelRuleOn(rule, features)
    const advice = verdict === 'refused' && instead !== undefined ? `. Instead: ${instead}` : ''
    return { text: `${why}${advice}`, limits: limitsOn(rule, features) }
  })
}

type Said = { text: string; limits: string[] }

function withOthers(saidOn: (features: EngineFeatures) => Said): string {
  const usual = saidOn(dockerFeatures).text
  const others = otherEngines.map((features) => {
    const { text, limits } = saidOn(features)
    const different = [...(text === usual ? [] : [text]), ...limits]
    return different.length === 0 ? '' : `. On ${features.name}: ${different.join('; ')}`
  })
  return [usual, ...others].join('')
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
  const cells = [takes(rule), String(rule.default ?? '–'), convoxOf(rule), labelMeaning(rule)]
  return `| ${labelName(name)} | ${labelVerdicts(rule)} | ${cells.map(escaped).join(' | ')} |`
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
