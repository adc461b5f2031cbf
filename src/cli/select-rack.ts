import { RackError } from '../domain/error.ts'
import { readRacks, type KnownRack, type KnownRacks } from './racks-file.ts'

type Env = Record<string, string | undefined>

/**
 * The rack of a command: `--rack`, else `RACK_URL` with `RACK_TOKEN`, else `RACK_NAME`, else the current one.
 * @throws not-found with what to type
 */
export function selectRack(named: string | undefined, env: Env): KnownRack {
  const url = env['RACK_URL']
  // As from a file: what is read into a variable may end in an end of line.
  if (named === undefined && url) return { name: url, url, token: (env['RACK_TOKEN'] ?? '').trim() }
  const known = readRacks(env)
  const name = named ?? (env['RACK_NAME'] || currentOf(known))
  if (name === null) throw noCurrent(known)
  const found = known.racks.find((rack) => rack.name === name)
  if (found) return found
  throw new RackError('not-found', `no rack "${name}" is known here`, { hint: knownHint(known) })
}

/** The name of the rack of a command, known or not; null when there is none. */
export function selectRackName(named: string | undefined, env: Env): string | null {
  return named ?? (env['RACK_NAME'] || currentOf(readRacks(env)))
}

function currentOf({ racks, current }: KnownRacks): string | null {
  return current ?? (racks.length === 1 ? racks[0]!.name : null)
}

function noCurrent({ racks }: KnownRacks): RackError {
  if (racks.length === 0) {
    return new RackError('not-found', 'no rack is known here', {
      hint: 'rack install (on this machine) or rack login URL (elsewhere)',
    })
  }
  return new RackError('not-found', 'no rack is the current one', {
    hint: `rack switch NAME, of: ${racks.map(({ name }) => name).join(', ')}`,
  })
}

function knownHint({ racks }: KnownRacks): string {
  if (racks.length === 0) return 'rack install (on this machine) or rack login URL (elsewhere)'
  return `Known: ${racks.map(({ name }) => name).join(', ')}. rack login URL adds one.`
}
