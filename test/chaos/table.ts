import type { Round } from './round.ts'
import type { Scenario } from './scenario.ts'

/** One line of the page, by the scenario's name. */
export type Table = Map<string, string>

const header = [
  'scenario',
  'what was killed',
  'in the middle of',
  'times',
  'outcome',
  'requests',
  'failed',
  'longest stall',
  'whole again after',
  'notes',
  'on',
]

const begin = '<!-- table -->'

/** What a run saw of one scenario; `trouble` is what did not hold, and ended it. */
export interface Result {
  scenario: Scenario
  rounds: { round: Round; where: string }[]
  trouble: string | null
}

export function rowOf({ scenario, rounds, trouble }: Result, date: string): string {
  const all = rounds.map(({ round }) => round)
  const sum = (of: (round: Round) => number) => all.reduce((total, round) => total + of(round), 0)
  const most = (of: (round: Round) => number) => Math.max(0, ...all.map(of))
  const failed = (round: Round) => Object.values(round.seen.failures).reduce((a, b) => a + b, 0)
  const cells = [
    `\`${scenario.name}\``,
    scenario.what,
    scenario.where,
    String(all.length),
    counted(all.map(({ end }) => end)),
    sum(({ seen }) => seen.requests).toLocaleString('en'),
    sum(failed).toLocaleString('en'),
    `${Math.round(most(({ seen }) => seen.longestStallMs)).toLocaleString('en')} ms`,
    `${(most(({ wholeMs }) => wholeMs) / 1000).toFixed(1)} s`,
    notesOf(rounds, trouble),
    date,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}

function notesOf(rounds: Result['rounds'], trouble: string | null): string {
  const answers = rounds.flatMap(({ round }) => round.answer?.code ?? [])
  const failures = new Map<string, number>()
  for (const { round } of rounds) {
    for (const [why, count] of Object.entries(round.seen.failures))
      failures.set(why, (failures.get(why) ?? 0) + count)
  }
  const acknowledged = rounds.filter(
    ({ round }) => round.answer === null && round.end !== 'nothing to do',
  ).length
  const notes = [
    ...(trouble === null ? [] : [`**did not hold**: ${trouble}`]),
    ...(acknowledged > 0 ? [`acknowledged ${acknowledged}`] : []),
    ...(answers.length > 0 ? [`the command was told: ${counted(answers)}`] : []),
    ...(failures.size > 0
      ? [`failed: ${[...failures].map(([why, count]) => `${why} ${count}`).join(', ')}`]
      : []),
    ...new Set(rounds.flatMap(({ round, where }) => (round.note === '' ? [] : [`${where}: ${round.note}`]))),
  ]
  return notes.join('; ')
}

function counted(words: string[]): string {
  const groups = [...Map.groupBy(words, (word) => word)]
  return groups.map(([word, { length }]) => `${word} ${length}`).join(', ')
}

/** The rows of a page that was written before. */
export function readTable(page: string): Table {
  const rows = page.slice(Math.max(0, page.indexOf(begin))).split('\n')
  return new Map(
    rows.flatMap((row) => {
      const name = /^\| `([^`]+)` \|/.exec(row)?.[1]
      return name === undefined ? [] : [[name, row] as const]
    }),
  )
}

/** The page; rows of scenarios that are no more are left out. */
export function renderPage(table: Table, names: string[]): string {
  const rows = names.flatMap((name) => table.get(name) ?? [])
  return `# Reliability

\`npm run chaos\` kills parts of a real rack (Docker Engine, HAProxy, daemon, a disk of its own) while an app is changed and
requests come in, and writes this page. \`--only NAME[,NAME]\` runs some scenarios and renews their rows, \`--rounds N\` says how
thoroughly: N points of each change (6 when absent). Ctrl-C ends it and clears up.

A request is sent every 10 ms whatever became of those before, every second one on a connection of its own. A stall is the
longest time in which one request waited or nobody was answered. After each blow, and without help, this must hold, or the
run fails: what was acknowledged is live, and every release is there; what is live is the old state or the new one; copies are the
plan's, proved, with their names and addresses; the router sends to these copies and to no other; the journal has no open row;
no other container, network, volume, address or half-written file is left; every answer was of one of the two releases. No request
may fail where nothing that carries requests was killed. Milliseconds depend on the machine: two shared cores here.

*Verbs* are the steps by which a rollout changes an engine (\`src/rollout/runtime.ts\`). A run without a death first lists
them; the daemon then ends itself by SIGKILL before or after a sample of them, evenly from the first to the last. All of them are
tried in memory by the unit tests. *Outcome* is what the next daemon made of it: the change was finished or undone.

Docker Engine runs here with its defaults, so its death takes all containers along: whole again is when they are back. With
\`live-restore\` in its settings, which \`rack doctor\` asks for, they serve on meanwhile (\`test/docker/live-restore.test.ts\`).

${begin}

| ${header.join(' | ')} |
|${header.map(() => '---|').join('')}
${rows.join('\n')}
`
}
