import { Command, CommanderError } from 'commander'
import { errorCodes, RackError } from '../domain/error.ts'
import { nearest } from '../manifest/nearest.ts'
import { buildCommand, markPassThrough } from './build-command.ts'
import type { CommandSpec } from './command-spec.ts'
import type { Options } from './options.ts'
import { nouns } from './nouns.ts'
import { createOutput, type Output } from './output/output.ts'
import { showError } from './output/show-error.ts'
import { createSession } from './session.ts'
import { usageError } from './usage-error.ts'
import type { World } from './world.ts'

/** Runs one command line; what goes wrong is said to the person. Settles with the exit code, never rejects. */
export async function runCli(world: World): Promise<number> {
  const output = createOutput(world)
  let isStream = false
  try {
    const { noun, args, isHelp } = await readFirstWord(world.args)
    if (noun === null) return await showHelp(output, isHelp)
    const spec = await noun.load()
    return await runCommand(world, output, spec, isHelp ? ['--help'] : args, () => (isStream = true))
  } catch (error) {
    return await showError(output, error, { isJson: wantsJson(world.args), isStream })
  }
}

async function runCommand(
  world: World,
  output: Output,
  spec: CommandSpec,
  args: string[],
  onStream: () => void,
): Promise<number> {
  let exitCode = 0
  const run = async (chosen: CommandSpec, args: string[], options: Options) => {
    const session = createSession({ world, output, args, options, onStream })
    exitCode = (await chosen.run?.(session)) ?? 0
  }
  const help = { write: (text: string) => output.data(text), columns: world.stdout.columns ?? 80 }
  const program = new Command('rack').addCommand(buildCommand(spec, run, help))
  try {
    await program.parseAsync([spec.name, ...markPassThrough(spec, args)], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return 0
    throw usageError(error, spec, args)
  }
  return exitCode
}

interface FirstWord {
  noun: (typeof nouns)[number] | null
  args: string[]
  isHelp: boolean
}

/** Options before the first word go behind it: `rack --rack demo ps` is `rack ps --rack demo`. */
async function readFirstWord(args: string[]): Promise<FirstWord> {
  const before: string[] = []
  let at = 0
  while (at < args.length && args[at]!.startsWith('-')) {
    const arg = args[at++]!
    if (arg === '-h' || arg === '--help') return { noun: null, args: [], isHelp: true }
    before.push(arg)
    if (['--rack', '--app', '-a'].includes(arg) && at < args.length) before.push(args[at++]!)
  }
  const [word, ...rest] = args.slice(at)
  if (word === undefined) return { noun: null, args: [], isHelp: false }
  if (word === 'help') {
    return rest[0] === undefined
      ? { noun: null, args: [], isHelp: true }
      : { noun: await findNoun(rest[0]), args: [], isHelp: true }
  }
  return { noun: await findNoun(word), args: [...before, ...rest], isHelp: false }
}

async function findNoun(word: string): Promise<(typeof nouns)[number]> {
  const found = nouns.find(({ name }) => name === word)
  if (found) return found
  throw new RackError('usage', `there is no command "rack ${word}"`, { hint: await suggestion(word) })
}

/** A verb without its noun, else what is spelled nearly so. */
async function suggestion(word: string): Promise<string> {
  const shown = nouns.filter(({ isHidden }) => !isHidden)
  const specs = await Promise.all(shown.map(({ load }) => load()))
  const withVerb = specs.filter(({ commands }) => commands?.some(({ name }) => name === word))
  const near = nearest(
    word,
    shown.map(({ name }) => name),
  )
  const meant = withVerb.length > 0 ? withVerb.map(({ name }) => `${name} ${word}`) : near ? [near] : []
  if (meant.length === 0) return 'rack help'
  return `Did you mean ${meant.map((command) => `"rack ${command}"`).join(' or ')}? rack help lists all.`
}

async function showHelp(output: Output, isAsked: boolean): Promise<number> {
  const { overview } = await import('./output/overview.ts')
  if (isAsked) output.data(overview())
  else output.say(overview().trimEnd())
  return isAsked ? 0 : errorCodes.usage.exit
}

function wantsJson(args: string[]): boolean {
  const end = args.indexOf('--')
  return (end === -1 ? args : args.slice(0, end)).includes('--json')
}
