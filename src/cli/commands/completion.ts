import tab, { script, type Command } from '@bomb.sh/tab'
import { engineNames } from '../../domain/engine-features.ts'
import { RackError } from '../../domain/error.ts'
import { optionsOf } from '../build-command.ts'
import type { CommandSpec } from '../command-spec.ts'
import type { Noun } from '../noun.ts'
import { readRacks } from '../racks-file.ts'
import type { Session } from '../session.ts'

const shells = ['bash', 'zsh', 'fish', 'powershell']
/** A person waits for the tab key. */
const appsDeadlineMs = 1000

/** `rack completion`. */
export const completion: CommandSpec = {
  name: 'completion',
  arguments: '<shell>',
  summary: `a script that completes commands: for ${shells.join(', ')}`,
  examples: [
    'completion bash > /etc/bash_completion.d/rack',
    'completion zsh > "${fpath[1]}/_rack"',
    'completion fish > ~/.config/fish/completions/rack.fish',
  ],
  needs: 'nothing',
  async run({ args }) {
    const shell = args[0]!
    if (!shells.includes(shell)) {
      throw new RackError('usage', `there is no completion for "${shell}"`, {
        hint: `One of: ${shells.join(', ')}`,
      })
    }
    script(shell, 'rack', 'rack')
  },
}

/** `rack complete -- WORDS`, which the scripts call; the nouns come from the table that names this one too. */
export function completeOf(nouns: readonly Noun[]): CommandSpec {
  return {
    name: 'complete',
    arguments: '[words...]',
    summary: 'what may follow the words, for the scripts of rack completion',
    examples: ['complete -- apps in'],
    needs: 'nothing',
    run: (session) => completeWords(nouns, session),
  }
}

async function completeWords(nouns: readonly Noun[], session: Session): Promise<void> {
  const words = session.args
  const noun = words.length > 1 ? nouns.find(({ name }) => name === words[0]) : undefined
  // Only the words of the noun that is being typed are needed.
  const spec = noun === undefined ? null : await noun.load()
  const values = {
    app: wantsApp(spec, words) ? await appNames(session) : [],
    rack: readRacks(session.world.env).racks.map(({ name }) => name),
    shell: shells,
    for: engineNames,
  }
  for (const { name, summary, isHidden } of nouns) {
    if (name === noun?.name && spec) describe(spec, name, values)
    else if (!isHidden) tab.command(name, summary)
  }
  tab.parse(words)
}

/** Whether the last word may be the name of an app: then the rack is asked. */
function wantsApp(spec: CommandSpec | null, words: string[]): boolean {
  if (['--app', '-a'].includes(words.at(-2) ?? '')) return true
  if (spec === null || words.at(-1)?.startsWith('-')) return false
  return [spec, ...(spec.commands ?? [])].some((one) => firstArgument(one) === 'app')
}

/** `app` of `[app]`, `shell` of `<shell>`. */
function firstArgument(spec: CommandSpec): string | null {
  return /^[[<](\w+)/.exec(spec.arguments ?? '')?.[1] ?? null
}

type Values = Record<string, string[]>

function describe(spec: CommandSpec, path: string, values: Values): void {
  const command = tab.command(path, spec.summary)
  const argument = firstArgument(spec)
  if (argument !== null)
    command.argument(argument, (add) => values[argument]?.forEach((name) => add(name, '')))
  for (const { flags, meaning } of optionsOf(spec)) describeOption(command, flags, meaning, values)
  for (const verb of spec.commands ?? []) describe(verb, `${path} ${verb.name}`, values)
}

function describeOption(command: Command, flags: string, meaning: string, values: Values): void {
  const [, short, long = '', value] = /^(?:-(\w), )?--([\w-]+)(?: <(.+)>)?$/.exec(flags) ?? []
  if (value === undefined) command.option(long, meaning, short)
  else command.option(long, meaning, (add) => values[long]?.forEach((name) => add(name, '')), short)
}

/** Empty when the rack does not answer at once: completion says nothing of errors. */
async function appNames({ connect }: Session): Promise<string[]> {
  try {
    const client = await connect()
    const list = await client.listApps(undefined, { signal: AbortSignal.timeout(appsDeadlineMs) })
    // A shell shows them, and types the one that is chosen.
    return list.map(({ name }) => name).filter((name) => /^[\w-]+$/.test(name))
  } catch (error) {
    if (error instanceof RackError || (error as Error).name === 'TimeoutError') return []
    throw error
  }
}
