import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'

/**
 * `npm run check [NAME…]`: everything that can be said about the code without running it, side by side. What `.cache` knows
 * to be good is not looked at again, but where CI is set.
 */
const root = join(import.meta.dirname, '..')
const tools = join(root, 'node_modules/.bin')

const checks: Record<string, string[]> = {
  format: ['oxfmt', '--check'],
  lint: ['node', 'scripts/lint-changed.ts'],
  types: ['tsc', '--noEmit', '--pretty', 'false', '--incremental', '--tsBuildInfoFile', '.cache/types.json'],
  imports: ['node', 'scripts/imports/run.ts'],
  unused: ['knip', '--no-progress', '--no-config-hints'],
}

/** Two cores that others use too take minutes for what is seconds of work. */
const longestMs = 600_000

interface Outcome {
  name: string
  isGood: boolean
  ms: number
  output: string
}

function run(name: string, [command, ...args]: string[]): Promise<Outcome> {
  const started = performance.now()
  // The tools' own `env node` must find Node 24 too, also when this was not started by npm.
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env['PATH'] ?? ''}` }
  const child = spawn(join(tools, command!), args, { cwd: root, env, timeout: longestMs })
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const end = (isGood: boolean) => resolve({ name, isGood, ms: performance.now() - started, output })
  child.on('error', (error) => {
    output += `${error.message}: run npm ci\n`
    end(false)
  })
  child.on('close', (code) => end(code === 0))
  return promise
}

function print({ name, isGood, ms, output }: Outcome): void {
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name.padEnd(8)} ${(ms / 1000).toFixed(1)} s`)
  if (!isGood) console.log(output.trimEnd().replaceAll(/^/gm, '     '))
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in checks))
if (unknown.length > 0) {
  console.error(`no check named ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`)
  process.exit(2)
}

const started = performance.now()
const chosen = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name))
const outcomes = await Promise.all(
  chosen.map(async ([name, command]) => {
    const outcome = await run(name, command)
    print(outcome)
    return outcome
  }),
)
const failed = outcomes.filter(({ isGood }) => !isGood).map(({ name }) => name)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(failed.length === 0 ? `all good in ${seconds} s` : `failed in ${seconds} s: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
