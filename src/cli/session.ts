import type { Client } from '../client/client-types.ts'
import type { Options } from './options.ts'
import type { Output } from './output/output.ts'
import { selectApp, type SelectedApp } from './select-app.ts'
import { selectRack } from './select-rack.ts'
import type { KnownRack } from './racks-file.ts'
import type { World } from './world.ts'

/** What a command works with. */
export interface Session {
  world: World
  output: Output
  args: string[]
  options: Options
  isJson: boolean
  /** The rack of the command. */
  rack: () => KnownRack
  /** Calls that rack. */
  connect: () => Promise<Client>
  /** The app of the command; `directory` is where it is looked for, the current one unless given. */
  app: (from?: { positional?: string | undefined; directory?: string }) => SelectedApp
  /** Says that the reply is NDJSON, so that an error becomes its last line. */
  beginStream: () => void
}

export interface SessionParts {
  world: World
  output: Output
  args: string[]
  options: Options
  onStream: () => void
}

/** Joins what a command was given with where it came from. */
export function createSession({ world, output, args, options, onStream }: SessionParts): Session {
  const rack = () => selectRack(options.text('rack'), world.env)
  let connecting: Promise<Client> | null = null
  return {
    world,
    output,
    args,
    options,
    isJson: options.flag('json'),
    rack,
    async connect() {
      const { connectRack } = await import('./connect-rack.ts')
      return await (connecting ??= connectRack(rack(), world))
    },
    app: ({ positional, directory = world.cwd } = {}) =>
      selectApp({ positional, option: options.text('app'), env: world.env, directory }),
    beginStream: onStream,
  }
}
