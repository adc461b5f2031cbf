import { resolve } from 'node:path'
import { RackError } from '../domain/error.ts'
import {
  isOnMachine,
  readInstallation,
  type Installation,
  type MachineInstallation,
} from '../host/installation.ts'
import { readRacks } from './racks-file.ts'
import { selectRackName } from './select-rack.ts'
import type { Session } from './session.ts'

export const defaultRackName = 'rack'

/** Where a rack of that name lies when nobody says: under `/var/lib` for root, else the XDG data folder. */
export function defaultDirectory(name: string, env: Record<string, string | undefined>): string {
  if (process.getuid?.() === 0) return `/var/lib/rack/${name}`
  return `${env['XDG_DATA_HOME'] || `${env['HOME'] ?? '/tmp'}/.local/share`}/rack/${name}`
}

/**
 * The installation that a command of this machine means: of `--dir`, else of the rack that is selected.
 * @throws not-found; unsupported for a rack of another machine
 */
export async function findInstallation({ options, world }: Session): Promise<Installation> {
  const named = options.text('dir')
  if (named !== undefined) return await readInstallation(resolve(world.cwd, named))
  const name = selectRackName(options.text('rack'), world.env) ?? defaultRackName
  const known = readRacks(world.env).racks.find((rack) => rack.name === name)
  if (known && known.directory === undefined) {
    throw new RackError('unsupported', `${name} is not on this machine: it is reached at ${known.url}`, {
      hint: 'Type it on its own machine, or name a directory: --dir DIRECTORY',
    })
  }
  return await readInstallation(known?.directory ?? defaultDirectory(name, world.env))
}

/** The installations on this machine that this command line knows; damaged or removed ones are left out. */
export async function knownInstallations(env: Record<string, string | undefined>): Promise<Installation[]> {
  const found = await Promise.all(
    readRacks(env).racks.map(async ({ directory }) => {
      if (directory === undefined) return null
      return await readInstallation(directory).catch((error: unknown) => {
        if (error instanceof RackError) return null
        throw error
      })
    }),
  )
  return found.filter((installation) => installation !== null)
}

/** Those of them whose processes run on this machine, and so have ports and addresses of it. */
export async function knownOnMachine(
  env: Record<string, string | undefined>,
): Promise<MachineInstallation[]> {
  return (await knownInstallations(env)).filter(isOnMachine)
}
