import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from 'node:test'
import { parseArgs } from 'node:util'
import { ensureNeeds } from '../../bench/needs.ts'
import { attacks, type Attack } from './attacks.ts'
import { printFailure, say, SetupError } from '../../scripts/steps/progress.ts'
import { readRows, rowOf, withRows, type Outcome } from './table.ts'

const root = join(import.meta.dirname, '../..')
const page = join(root, 'docs/security.md')
/** More than any of them takes on a busy machine. */
const attackMs = 10 * 60_000

/** `npm run attack [-- --only NAME[,NAME]]`: tries to harm a real rack, a line an attack, and writes the table. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } })
  const chosen = choose(values.only)
  await ensureNeeds({
    packages: ['haproxy', 'nftables', 'busybox-static'],
    images: ['node:24-slim', 'busybox:1', 'redis:7'],
  })
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort())
  const rows = readRows(await readFile(page, 'utf8'))
  let failures = 0
  for (const attack of chosen) {
    const outcome = await attempt(attack, interrupt.signal)
    if (interrupt.signal.aborted) return 130
    if (outcome.trouble !== null) failures++
    say(
      `${outcome.trouble === null ? 'held' : 'HARM'}  ${attack.name.padEnd(18)} ${outcome.trouble ?? attack.what}`,
    )
    rows.set(attack.name, rowOf(attack, outcome, new Date().toISOString().slice(0, 10)))
    await writeFile(
      page,
      withRows(
        await readFile(page, 'utf8'),
        rows,
        attacks.map(({ name }) => name),
      ),
    )
  }
  say(
    `${chosen.length - failures} of ${chosen.length} attacks were refused or survived; see docs/security.md`,
  )
  return failures === 0 ? 0 : 1
}

/** @throws SetupError for a name that no attack has */
function choose(only: string | undefined): Attack[] {
  if (only === undefined) return attacks
  const names = only.split(',')
  const unknown = names.find((name) => !attacks.some((attack) => attack.name === name))
  if (unknown === undefined) return attacks.filter(({ name }) => names.includes(name))
  const all = attacks.map(({ name }) => name).join(',')
  throw new SetupError(`there is no attack "${unknown}"`, `Type: npm run attack -- --only ${all}`)
}

/** Runs the tests of one attack; one that was not run has not held. */
async function attempt({ tests }: Attack, signal: AbortSignal): Promise<Outcome> {
  const titles = new Set(Object.values(tests).flat())
  const left = new Set(titles)
  const failed: string[] = []
  const files = Object.keys(tests).map((file) => join(root, file))
  const testNamePatterns = [...titles].map(exactly)
  const stream = run({ files, testNamePatterns, concurrency: 1, timeout: attackMs, signal })
  for await (const { type, data } of stream) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    if (type === 'test:fail') failed.push(data.name)
    else if (data.skip === undefined) left.delete(data.name)
  }
  const trouble = [...new Set([...failed, ...left])]
  return { tried: titles.size, trouble: trouble.length > 0 ? trouble.join('; ') : null }
}

function exactly(title: string): RegExp {
  return new RegExp(`(^| )${title.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`)
}

try {
  process.exitCode = await main()
} catch (error) {
  printFailure('attack', error)
}
