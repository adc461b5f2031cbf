import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { ask, startLoad, type LoadResult } from '../test/support/load.ts'
import { makeSource, webFiles } from '../test/support/source.ts'
import { heading, median, ms, row } from './statistics.ts'

const rounds = Number(process.env.ROUNDS ?? 5)
const composeProgram = process.env.COMPOSE ?? 'docker-compose'

/** How one side takes a changed source to its first answer. */
interface Side {
  name: string
  port: number
  host: string
  change(word: string): Promise<void>
  /** Settles when the command has ended. */
  release(): Promise<void>
}

interface Measured {
  firstAnswerMs: number
  failures: number
  longestStallMs: number
}

/** (a) A one-line change: from the command's start to the first answer of the new release, under load. */
export async function benchDeploy(): Promise<void> {
  await using rack = await installRack(['--cpu', '2048', '--memory', '2048M'])
  await using ourSource = await makeSource(oneCopy('first'))
  const composePort = await freePort()
  await using theirSource = await makeSource(published('first', composePort))
  const ours: Side = {
    name: 'rack',
    port: rack.httpPort,
    host: 'bench.localhost',
    change: (word) => ourSource.write(oneCopy(word)),
    release: async () => void (await rack.run('deploy', '--app', 'bench', ourSource.path)),
  }
  const theirs: Side = {
    name: composeProgram,
    port: composePort,
    host: 'localhost',
    change: (word) => theirSource.write(published(word, composePort)),
    release: () => run(composeProgram, ['up', '-d', '--build'], theirSource.path),
  }
  try {
    const measured = await interleave([ours, theirs])
    print(measured)
    await ours.change('phases')
    await printPhases(rack, ourSource.path)
  } finally {
    await run(composeProgram, ['down', '--rmi', 'local', '-t', '1'], theirSource.path)
  }
}

async function interleave(sides: [Side, Side]): Promise<[Measured[], Measured[]]> {
  for (const side of sides) await side.release()
  const results: [Measured[], Measured[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    // Whoever goes first may find the disk's cache cold: they take turns.
    const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)
    for (const index of order) results[index].push(await measure(sides[index], `round-${round}`))
  }
  return results
}

async function measure(side: Side, word: string): Promise<Measured> {
  await side.change(word)
  const load = startLoad({ port: side.port, host: side.host, connections: 8 })
  const started = performance.now()
  const released = side.release()
  const firstAnswerMs = await firstAnswer(side, word, started)
  await released
  await delay(500)
  const result = await load.stop()
  return { firstAnswerMs, failures: failuresOf(result), longestStallMs: result.longestMs }
}

async function firstAnswer({ port, host }: Side, word: string, started: number): Promise<number> {
  while (performance.now() - started < 120_000) {
    const answer = await ask({ port, host }).catch(() => null)
    if (answer?.body === word) return performance.now() - started
    await delay(5)
  }
  throw new Error(`"${word}" did not answer in two minutes`)
}

function failuresOf({ failures }: LoadResult): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0)
}

function print([ours, theirs]: [Measured[], Measured[]]): void {
  const times = [ours, theirs].map((side) => median(side.map(({ firstAnswerMs }) => firstAnswerMs)))
  const failed = [ours, theirs].map((side) => side.reduce((sum, { failures }) => sum + failures, 0))
  const stalls = [ours, theirs].map((side) => Math.max(...side.map(({ longestStallMs }) => longestStallMs)))
  const [our = 0, their = 0] = times
  console.log(heading)
  console.log(row('change → first answer (median)', ms(our), ms(their), our / their, '≤ 1.0'))
  console.log(row(`failed requests in ${rounds} changes`, String(failed[0]), String(failed[1]), null, '0'))
  console.log(row('longest request in all changes', ms(stalls[0] ?? 0), ms(stalls[1] ?? 0), null, ''))
}

interface PhaseLine {
  type: string
  phase?: string
  process?: string
  state?: string
  ms?: number
}

/** Where the time of one more deploy goes, by what the rack says of it. */
async function printPhases(rack: InstalledRack, source: string): Promise<void> {
  const started = performance.now()
  const lines = (await rack.run('deploy', '--app', 'bench', source, '--json')).trim().split('\n')
  const wholeMs = performance.now() - started
  console.log('\none more deploy, phase by phase (phases of different processes overlap)')
  for (const { type, phase, process: of, state, ms: took } of lines.map(
    (line) => JSON.parse(line) as PhaseLine,
  )) {
    if (type !== 'phase' || state !== 'ended') continue
    console.log(`  ${(of ? `${phase} ${of}` : (phase ?? '')).padEnd(42)} ${ms(took ?? 0).padStart(10)}`)
  }
  console.log(`  ${'the whole command'.padEnd(42)} ${ms(wholeMs).padStart(10)}`)
}

function oneCopy(word: string): Record<string, string> {
  const files = webFiles(word)
  return { ...files, 'docker-compose.yml': files['docker-compose.yml'].replace('replicas: 2', 'replicas: 1') }
}

function published(word: string, port: number): Record<string, string> {
  const compose = `version: "3"\nservices:\n  web:\n    build: .\n    ports: ["127.0.0.1:${port}:3000"]\n    stop_grace_period: 5s\n`
  return { ...webFiles(word), 'docker-compose.yml': compose }
}

async function run(program: string, args: string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${said}`)
}
