import tab, { script, type Command } from '@bomb.sh/tab'
import { RackError } from '../../domain/error.ts'
import { optionsOf } from '../build-command.ts'
import type { CommandSpec } from '../command-spec.ts'
import { nouns } from '../nouns.ts'
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

/** `rack complete -- WORDS`, which the scripts call. */
export const complete: CommandSpec = {
  name: 'complete',
  arguments: '[words...]',
  summary: 'what may follow the words, for the scripts of rack completion',
  examples: ['complete -- apps in'],
  needs: 'nothing',
  async run(session) {
    const words = session.args
    const apps = ['--app', '-a'].includes(words.at(-2) ?? '') ? await appNames(session) : []
    const values = { app: apps, rack: readRacks(session.world.env).racks.map(({ name }) => name) }
    for (const { name, summary, isHidden, load } of nouns) {
      if (isHidden) continue
      // Only the words of the noun that is being typed are needed.
      if (words[0] === name && words.length > 1) describe(await load(), name, values)
      else tab.command(name, summary)
    }
    tab.parse(words)
  },
}

type Values = Record<string, string[]>

function describe(spec: CommandSpec, path: string, values: Values): void {
  const command = tab.command(path, spec.summary)
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
    return list.map(({ name }) => name)
  } catch (error) {
    if (error instanceof RackError || (error as Error).name === 'TimeoutError') return []
    throw error
  }
}
