import { Command, Option } from 'commander'
import type { CommandSpec, OptionSpec } from './command-spec.ts'
import { Options } from './options.ts'

/** Runs the command that was chosen. */
export type Runner = (spec: CommandSpec, args: string[], options: Options) => Promise<void>

/** Where help goes; errors of the command line are thrown as commander's own. */
export interface HelpOutput {
  write(text: string): void
  columns: number
}

const jsonOption: OptionSpec = { flags: '--json', meaning: 'print what the rack replied, as JSON' }
const rackOption: OptionSpec = {
  flags: '--rack <name>',
  meaning: 'the rack; else RACK_NAME, else the current one',
}
const appOption: OptionSpec = {
  flags: '-a, --app <name>',
  meaning: "the app; else RACK_APP, else .rack/app, else the directory's name",
}

/** Makes commander's command of a spec and its verbs. */
export function buildCommand(spec: CommandSpec, run: Runner, help: HelpOutput): Command {
  const command = new Command(spec.name)
    .summary(spec.summary)
    .description(spec.description ? `${spec.summary}\n\n${spec.description}` : spec.summary)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => help.write(text),
      writeErr: () => undefined,
      outputError: () => undefined,
      getOutHelpWidth: () => help.columns,
    })
    .addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  $ ${asTyped(line)}`).join('\n')}\n`)
  if (spec.arguments) command.arguments(spec.arguments)
  for (const option of optionsOf(spec)) command.addOption(buildOption(option))
  const { run: action } = spec
  if (action) {
    command.action(async () => run(spec, command.args, new Options(command.optsWithGlobals())))
  }
  for (const verb of spec.commands ?? []) command.addCommand(buildCommand(verb, run, help))
  return command
}

/** An example begins with the command's words, unless something stands before `rack`: a pipe, a variable. */
function asTyped(example: string): string {
  return / rack /.test(example) ? example : `rack ${example}`
}

/** A command's own options and the shared ones. */
export function optionsOf({ options = [], needs }: CommandSpec): OptionSpec[] {
  const shared = { app: [appOption, rackOption], rack: [rackOption], nothing: [] }[needs]
  return [...options, ...shared, jsonOption]
}

function buildOption({ flags, meaning, multiple }: OptionSpec): Option {
  const option = new Option(flags, meaning)
  if (!multiple) return option
  return option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
}

/**
 * Puts a `--` before the command that a pass-through command runs, so that its options stay its own:
 * `run web sh -c x` is `run web -- sh -c x`.
 */
export function markPassThrough(spec: CommandSpec, args: string[]): string[] {
  if (!spec.isPassThrough) return args
  let operands = 0
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (arg === '--') return args
    if (arg.startsWith('-') && arg !== '-') {
      if (takesValue(spec, arg)) at++
    } else if (++operands === 2) return [...args.slice(0, at), '--', ...args.slice(at)]
  }
  return args
}

/** The words of a command line that are neither options nor values of options, as far as the spec itself knows them. */
export function operandsOf(spec: CommandSpec, args: string[]): string[] {
  const operands: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (!arg.startsWith('-')) operands.push(arg)
    else if (takesValue(spec, arg)) at++
  }
  return operands
}

function takesValue(spec: CommandSpec, arg: string): boolean {
  if (arg.includes('=')) return false
  return optionsOf(spec).some(({ flags }) => {
    const [names = '', value] = flags.split(/\s+(?=[<[])/)
    return value !== undefined && names.split(/,\s*/).includes(arg)
  })
}
