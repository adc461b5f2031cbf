import type { PinnedCertificate } from '../client/look-at-certificate.ts'
import { RackError } from '../domain/error.ts'
import { apiSocketPath } from '../host/api-socket.ts'
import { isMissing } from '../lib/missing.ts'
import { unixPath, unixUrl } from '../lib/unix-url.ts'

/** A rack that this command line can reach. The token is a secret. */
export interface KnownRack {
  name: string
  /** `https://rack.example.com`; `unix:/…` for one on this machine, `aws://REGION/NAME` for one in an account. */
  url: string
  token: string
  /** Who alone is believed at an address of https, where no known authority vouches for it. */
  pin?: PinnedCertificate
  /** Where it is installed, when it is on this machine. */
  directory?: string
  /** Where it is, when its daemon runs in an AWS account; `pin` is then the certificate of its API. */
  account?: AccountWay
}

/** How a rack in an account is found there, and called. */
export interface AccountWay {
  id: string
  region: string
  /** Its name there; here it may be called otherwise. */
  rack: string
  /** By which name its API is asked for. */
  apiHost: string
  /** The address of the load balancer that leads there. */
  balancer: string
}

/** The content of `rack/racks.json` in the configuration folder. */
export interface KnownRacks {
  racks: KnownRack[]
  current: string | null
}

type Env = Record<string, string | undefined>

/** Where the file is: `$XDG_CONFIG_HOME/rack/racks.json`, else under `~/.config`. */
function racksFilePath(env: Env): string {
  const home = env['XDG_CONFIG_HOME'] || `${env['HOME'] ?? '/root'}/.config`
  return `${home}/rack/racks.json`
}

/** @throws invalid when the file is damaged, or forbidden to this user */
export function readRacks(env: Env): KnownRacks {
  const path = racksFilePath(env)
  try {
    // Read at once: every command waits for it, and the promised form costs more than the read.
    const text = process.getBuiltinModule('node:fs').readFileSync(path, 'utf8')
    const { racks, current } = JSON.parse(text) as Partial<KnownRacks>
    if (!Array.isArray(racks)) throw new SyntaxError('it holds no list of racks')
    return { racks: racks.map(bySocket), current: current ?? null }
  } catch (error) {
    if (isMissing(error)) return { racks: [], current: null }
    const reason = error instanceof Error ? error.message : String(error)
    throw new RackError('invalid', `${path} cannot be read: ${reason}`, {
      hint: 'Mend it, or remove it and type: rack login URL',
      cause: error,
    })
  }
}

/** One whose directory is known is reached by its socket alone, also when an earlier version noted its port. */
function bySocket(rack: KnownRack): KnownRack {
  if (rack.directory === undefined || unixPath(rack.url) !== null) return rack
  return { ...rack, url: unixUrl(apiSocketPath(rack.directory)) }
}

/** Changes the file in one step; only its owner can read it. */
export async function changeRacks(env: Env, change: (racks: KnownRacks) => KnownRacks): Promise<void> {
  const { mkdir } = process.getBuiltinModule('node:fs/promises')
  const { sweepTemporaryFiles, writeFileAtomically } = await import('../lib/atomic-file.ts')
  const path = racksFilePath(env)
  await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o700 })
  await sweepTemporaryFiles(path.slice(0, path.lastIndexOf('/')))
  const changed = change(readRacks(env))
  await writeFileAtomically(path, `${JSON.stringify(changed, null, 2)}\n`, { mode: 0o600 })
}

/** Adds a rack or replaces the one of its name, and makes it the current one. */
export function withRack({ racks }: KnownRacks, rack: KnownRack): KnownRacks {
  const others = racks.filter(({ name }) => name !== rack.name)
  return { racks: [...others, rack].sort((a, b) => (a.name < b.name ? -1 : 1)), current: rack.name }
}

/** Has all that stand for a rack in an account here, however they are called and with whatever token, find and believe it so. Pure. */
export function withAccess(
  known: KnownRacks,
  { pin, account }: Pick<KnownRack, 'pin' | 'account'>,
): KnownRacks {
  if (!account || !pin) return known
  const { id, region, rack } = account
  const isSame = (way?: AccountWay) => way?.id === id && way.region === region && way.rack === rack
  const racks = known.racks.map((each) => (isSame(each.account) ? { ...each, pin, account } : each))
  return { ...known, racks }
}

/** Takes a rack out; the current one is then another, if there is just one. */
export function withoutRack({ racks, current }: KnownRacks, name: string): KnownRacks {
  const left = racks.filter((rack) => rack.name !== name)
  if (current !== name) return { racks: left, current }
  return { racks: left, current: left.length === 1 ? left[0]!.name : null }
}
