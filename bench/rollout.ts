import { setTimeout as delay } from 'node:timers/promises'
import { installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { startConstantRate, startLoad, type LoadResult, type RunningLoad } from '../test/support/load.ts'
import { makeSource, webFiles, type SourceDirectory } from '../test/support/source.ts'
import { heading, median, ms, row } from './statistics.ts'

/** Requests of one kind, sent all through a period. */
interface Load {
  name: string
  start(port: number): RunningLoad
}

/** A period of one load: while the app was deployed, while another was, or while nothing was. */
interface Period {
  longestMs: number
  requests: number
  failures: number
  ms: number
}

type Meanwhile = 'deploys' | 'elsewhere' | 'nothing'

const host = 'bench.localhost'
const usualDeploys = 20
/** Connections that never rest would leave no processor to those who deploy: what is measured is the change. */
const restMs = 10
const settleMs = 300
const allowedStallMs = 25

const closed = (connections: number, keepAlive: boolean): Load => ({
  name: `${connections} connection${connections === 1 ? '' : 's'}, ${keepAlive ? 'keep-alive' : 'a request each'}`,
  start: (port) => startLoad({ port, host, connections, keepAlive, restMs }),
})

const loads: Load[] = [
  closed(1, true),
  closed(1, false),
  closed(32, true),
  closed(32, false),
  {
    name: '200 requests a second, open loop',
    start: (port) => startConstantRate({ port, host, perSecond: 200 }),
  },
]

/**
 * (f) Consecutive deploys of an app of two types under loads of several kinds, beside the same load without a deploy,
 * and beside the deploy of another app, which takes as much of the machine and moves none of the traffic.
 */
export async function benchRollout({ deploys = usualDeploys }: { deploys?: number }): Promise<void> {
  await using rack = await installRack(['--cpu', '2048', '--memory', '2048M'])
  await using own = await makeSource(twoTypes('first'))
  await using other = await makeSource(twoTypes('elsewhere'))
  for (const [app, source] of [
    ['bench', own],
    ['elsewhere', other],
  ] as const)
    await rack.run('deploy', '--app', app, source.path)
  const subject: Subject = { rack, sources: { deploys: own, elsewhere: other }, live: 'first', count: 0 }
  const measured = new Map(loads.map((load) => [load, emptyPeriods()]))
  // Who ends a long run early gets what it has found by then.
  const ending = new AbortController()
  process.once('SIGINT', () => ending.abort())
  let done = 0
  while (done < deploys && !ending.signal.aborted) {
    const load = loads[done++ % loads.length]!
    await measureRound(subject, load, measured.get(load)!)
  }
  print(measured, done)
}

interface Subject {
  rack: InstalledRack
  sources: { deploys: SourceDirectory; elsewhere: SourceDirectory }
  /** The word that the app answers. */
  live: string
  count: number
}

type Periods = Record<Meanwhile, Period[]>

const emptyPeriods = (): Periods => ({ deploys: [], elsewhere: [], nothing: [] })

async function measureRound(subject: Subject, load: Load, periods: Periods): Promise<void> {
  const last = periods.nothing.length
  const isFirst = last % 2 === 0
  const idleMs = periods.deploys.at(-1)?.ms ?? 1500
  const steps: (() => Promise<void>)[] = [
    async () => void periods.deploys.push(await measureDeploy(subject, load, 'deploys')),
    async () => void periods.elsewhere.push(await measureDeploy(subject, load, 'elsewhere')),
    async () => {
      const idle = async () => await delay(idleMs)
      periods.nothing.push(await underLoad(subject, load, [subject.live], idle))
    },
  ]
  // What comes first may find a colder machine: they take turns.
  for (const step of isFirst ? steps : steps.toReversed()) await step()
}

async function measureDeploy(
  subject: Subject,
  load: Load,
  meanwhile: 'deploys' | 'elsewhere',
): Promise<Period> {
  const { rack, sources, live } = subject
  const word = `word-${++subject.count}`
  await sources[meanwhile].write(twoTypes(word))
  const app = meanwhile === 'deploys' ? 'bench' : 'elsewhere'
  const words = meanwhile === 'deploys' ? [live, word] : [live]
  const period = await underLoad(subject, load, words, async () => {
    await rack.run('deploy', '--app', app, sources[meanwhile].path)
    // Old copies leave behind the deploy's back: that is part of it.
    await delay(settleMs)
  })
  if (meanwhile === 'deploys') subject.live = word
  return period
}

async function underLoad(
  { rack }: Subject,
  load: Load,
  words: string[],
  task: () => Promise<void>,
): Promise<Period> {
  const running = load.start(rack.httpPort)
  const started = performance.now()
  try {
    await task()
  } finally {
    await running.stop()
  }
  const result = running.soFar
  const { requests, longestMs } = result
  return { requests, longestMs, failures: failuresOf(result, words), ms: performance.now() - started }
}

/** What nobody has deployed is no answer either. */
function failuresOf({ failures, bodies }: LoadResult, words: string[]): number {
  const wrong = Object.entries(bodies).filter(([body]) => !words.includes(body))
  for (const [text, count] of [...Object.entries(failures), ...wrong]) console.log(`  ${count} × ${text}`)
  const all = [...Object.values(failures), ...wrong.map(([, count]) => count)]
  return all.reduce((sum, count) => sum + count, 0)
}

function print(measured: Map<Load, Periods>, deploys: number): void {
  console.log(heading.replace('rack', 'deploys').replace('other', 'none'))
  for (const [{ name }, periods] of measured) printLoad(name, periods)
  const all = [...measured.values()].flatMap((periods) => periods.deploys)
  const requests = all.reduce((sum, period) => sum + period.requests, 0)
  const failed = all.reduce((sum, { failures }) => sum + failures, 0)
  console.log(`${failed} of ${requests} requests failed in ${deploys} deploys (aim 0)`)
}

function printLoad(name: string, { deploys, elsewhere, nothing }: Periods): void {
  if (deploys.length === 0) return
  const longest = (periods: Period[]) => Math.max(...periods.map(({ longestMs }) => longestMs))
  const middle = (periods: Period[]) => median(periods.map(({ longestMs }) => longestMs))
  const failed = (periods: Period[]) => String(periods.reduce((sum, { failures }) => sum + failures, 0))
  const stall = (name: string, of: typeof longest, periods: Period[], allowedMs?: number) => {
    const aim = allowedMs === undefined ? '' : `≤ ${ms(of(nothing) + allowedMs)}`
    console.log(row(`  ${name}`, ms(of(periods)), ms(of(nothing)), of(periods) / of(nothing), aim))
  }
  console.log(name)
  console.log(row('  failed requests', failed(deploys), failed(nothing), null, '0'))
  stall('longest request, median of deploys', middle, deploys, allowedStallMs)
  stall('longest request of all', longest, deploys, allowedStallMs)
  stall('median while another app is deployed', middle, elsewhere)
  stall('of all while another app is deployed', longest, elsewhere)
}

/** One copy of each: nothing but the change itself keeps the requests served. */
function twoTypes(word: string): Record<string, string> {
  const files = webFiles(word, {
    more: `  api:
    build: .
    expose: ["3000"]
    stop_grace_period: 5s
    deploy:
      resources: { limits: { cpus: "0.05", memory: 64M } }
`,
  })
  return { ...files, 'docker-compose.yml': files['docker-compose.yml'].replace('replicas: 2', 'replicas: 1') }
}
