import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureEngine, packagesForEngine } from '../../scripts/steps/engine.ts'
import { ensureImages } from '../../scripts/steps/images.ts'
import { ensurePackages } from '../../scripts/steps/packages.ts'
import { printFailure, say, SetupError } from '../../scripts/steps/progress.ts'
import { writeFileAtomically } from '../../src/lib/atomic-file.ts'
import { readTextIfThere } from '../../src/lib/files.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { readTable, renderPage, rowOf, type Result } from './table.ts'
import { openWorld, type World } from './world.ts'

/** `npm run chaos [-- --rounds N --only NAME,NAME]`: kills parts of a real rack and writes docs/reliability.md. */
const page = join(import.meta.dirname, '../../docs/reliability.md')

interface Settings {
  chosen: Scenario[]
  rounds: number
}

const usage = 'Type: npm run chaos -- --rounds 6 --only phases,disk-full'

function readSettings(): Settings {
  const values = readOptions()
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000) {
    throw new SetupError('--rounds takes a whole number from 1 to 1000', usage)
  }
  const names = values.only?.flatMap((text) => text.split(',')) ?? scenarios.map(({ name }) => name)
  const unknown = names.find((wanted) => !scenarios.some(({ name }) => name === wanted))
  if (unknown !== undefined) {
    const all = scenarios.map(({ name }) => name).join(',')
    throw new SetupError(`there is no scenario "${unknown}"`, `Type: npm run chaos -- --only ${all}`)
  }
  return { chosen: scenarios.filter(({ name }) => names.includes(name)), rounds }
}

function readOptions(): { rounds: string; only?: string[] } {
  const options = {
    rounds: { type: 'string', default: '6' },
    only: { type: 'string', multiple: true },
  } as const
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), usage)
  }
}

/** One scenario to its end, or to the first thing that does not hold. */
async function runScenario(world: World, scenario: Scenario, count: number): Promise<Result> {
  const rounds: Result['rounds'] = []
  try {
    await scenario.run(world, count, (round, where) => {
      rounds.push({ round, where })
      const failed = Object.values(round.seen.failures).reduce((a, b) => a + b, 0)
      const stall = Math.round(round.seen.longestStallMs)
      say(
        `${scenario.name}, ${where}: ${round.end}, ${failed} failed, ${stall} ms ${round.answer?.message ?? ''} ${round.note}`,
      )
    })
    return { scenario, rounds, trouble: failuresOf(scenario, rounds) }
  } catch (error) {
    world.signal.throwIfAborted()
    const trouble = error instanceof Error ? error.message : String(error)
    say(`${scenario.name}, round ${rounds.length + 1}: ${trouble}\n${await world.rack.log()}`)
    return { scenario, rounds, trouble }
  }
}

function failuresOf({ hitsDataPlane }: Scenario, rounds: Result['rounds']): string | null {
  const failing = rounds.filter(({ round }) => Object.keys(round.seen.failures).length > 0)
  if (hitsDataPlane || failing.length === 0) return null
  return `requests failed: ${failing.map(({ where }) => where).join(', ')}`
}

/** All of them on one rack; what did not hold costs a fresh one, so that it says nothing of those after it. */
async function runAll({ chosen, rounds }: Settings, signal: AbortSignal): Promise<Result[]> {
  const results: Result[] = []
  let world: World | null = null
  try {
    for (const scenario of chosen) {
      world ??= await openWorld(signal)
      const result = await runScenario(world, scenario, rounds)
      results.push(result)
      await writeRow(result)
      if (result.trouble === null) continue
      await world[Symbol.asyncDispose]()
      world = null
    }
    return results
  } finally {
    await world?.[Symbol.asyncDispose]()
  }
}

/** At once, so that a run that is interrupted has told what it saw. */
async function writeRow(result: Result): Promise<void> {
  const table = readTable((await readTextIfThere(page)) ?? '')
  table.set(result.scenario.name, rowOf(result, new Date().toISOString().slice(0, 10)))
  await writeFileAtomically(
    page,
    renderPage(
      table,
      scenarios.map(({ name }) => name),
    ),
  )
}

function interruption(): AbortSignal {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!ending.signal.aborted) say('interrupted: clearing up')
      ending.abort(new SetupError('interrupted', 'What was seen until then is in docs/reliability.md.'))
    })
  }
  return ending.signal
}

try {
  const settings = readSettings()
  const signal = interruption()
  await ensurePackages(['haproxy', ...(await packagesForEngine())])
  await ensureEngine()
  await ensureImages(['node:24-slim'])
  const results = await runAll(settings, signal)
  const troubled = results.filter(({ trouble }) => trouble !== null)
  for (const { scenario, trouble } of troubled) say(`${scenario.name} did not hold: ${trouble}`)
  say(`${results.length - troubled.length} of ${results.length} scenarios held; see docs/reliability.md`)
  if (troubled.length > 0) process.exitCode = 1
} catch (error) {
  printFailure('chaos', error)
}
// Connections of clients that were cut must not keep it.
process.exit()
