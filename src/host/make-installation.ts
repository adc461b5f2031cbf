import { mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RackError } from '../domain/error.ts'
import { tokenPrefix } from '../domain/token.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { formatDotenv, parseDotenv } from '../lib/dotenv.ts'
import { readTextIfThere } from '../lib/files.ts'
import { freshSecret } from '../lib/fresh-secret.ts'
import { ownSocketDirectory } from './api-socket.ts'
import { installationPaths, isOnMachine, writeInstallation, type Installation } from './installation.ts'

/** Environment variables that belong to a rack rather than to whoever starts it. */
const keptVariables = ['RACK_DATABASE_URL']

/**
 * Where the account of a rack is, and as whom it is called, unless whoever starts the rack says otherwise. Keys themselves
 * are no part of a rack: a profile or a role outlives who started it.
 */
const accountVariables = [
  'AWS_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ENDPOINT_URL',
  'RACK_AWS_CLOCK',
]

/**
 * Writes a rack's directory (0700): its file, the hash of a new token, and variables with secrets. One that is marked as
 * unfinished is no rack before the mark is taken away.
 * @returns the token, which is kept nowhere else
 * @throws exists when a rack is there; conflict when something else is
 */
export async function makeInstallation(
  installation: Installation,
  environment: Record<string, string | undefined>,
  { tokenName = 'install', mark }: { tokenName?: string; mark?: (directory: string) => Promise<void> } = {},
): Promise<string> {
  const { directory } = installation
  await checkDirectory(directory)
  const paths = installationPaths(directory)
  try {
    // What is made above it others may pass: members of the socket's group get no further than to that.
    await mkdir(dirname(directory), { recursive: true, mode: 0o711 })
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await mark?.(directory)
    await mkdir(paths.tokens, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new RackError('host-failed', `${directory} cannot be made: ${(cause as Error).message}`, {
      hint: 'Be root, or choose another: --dir DIRECTORY',
      cause,
    })
  }
  const token = await addToken(directory, tokenName)
  const variables = isOnMachine(installation) ? keptVariables : [...keptVariables, ...accountVariables]
  await writeFileAtomically(paths.environment, environmentText(environment, variables), { mode: 0o600 })
  await writeInstallation(installation)
  return token
}

/** Makes a token that the daemon takes in, within a second where it runs; only its hash is kept. */
export async function addToken(directory: string, name: string): Promise<string> {
  const { text: token, sha256 } = freshSecret(tokenPrefix)
  await writeFileAtomically(hashPath(directory, name), `${sha256}\n`, { mode: 0o600 })
  return token
}

/** Whether the daemon knows a token that was made so. */
export async function isTakenIn(directory: string, name: string): Promise<boolean> {
  return (await readTextIfThere(hashPath(directory, name))) === null
}

function hashPath(directory: string, name: string): string {
  return join(installationPaths(directory).tokens, `${name}.sha256`)
}

/** The environment of the rack's daemon: the caller's, and what the rack keeps. */
export async function daemonEnvironment(
  directory: string,
  environment: Record<string, string | undefined>,
): Promise<Record<string, string | undefined>> {
  const text = (await readTextIfThere(installationPaths(directory).environment)) ?? ''
  // A value of the caller's shell must not lead an existing rack to another database.
  const own = Object.fromEntries(keptVariables.map((name) => [name, undefined]))
  const kept = [...parseDotenv(text).values].filter(([name]) => !isSaidAnew(name, environment))
  return { ...environment, ...own, ...Object.fromEntries(kept) }
}

/** Keys take the place of a profile, which the SDK would look at first. */
function isSaidAnew(name: string, environment: Record<string, string | undefined>): boolean {
  if (!accountVariables.includes(name)) return false
  if (name === 'AWS_PROFILE' && environment['AWS_ACCESS_KEY_ID'] !== undefined) return true
  return environment[name] !== undefined
}

/** Removes a rack's directory with all that is in it, and that of its socket. */
export async function removeInstallation(installation: Installation): Promise<void> {
  await rm(installation.directory, { recursive: true, force: true })
  const socketDirectory = ownSocketDirectory(installation)
  if (socketDirectory !== null) await rm(socketDirectory, { recursive: true, force: true })
}

/** Whether a rack can be made there. @throws exists when a rack is there; conflict when something else is; host-failed */
export async function checkDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new RackError('host-failed', `${directory} cannot be used: ${error.message}`, {
      hint: 'Choose another: --dir DIRECTORY',
      cause: error,
    })
  })
  if (names.includes('unfinished')) {
    throw new RackError('conflict', `${directory} has half of a rack, of a restore that was ended`, {
      hint: `Begin it anew: rack restore FILE --dir ${directory}; or remove it: rm -r ${directory}`,
    })
  }
  if (names.includes('rack.json')) {
    throw new RackError('exists', `there is a rack in ${directory} already`, {
      hint: 'rack start starts it; rack uninstall removes it; another goes beside it: --name NAME',
    })
  }
  if (names.length > 0) {
    throw new RackError('conflict', `${directory} is not empty`, { hint: 'Choose another: --dir DIRECTORY' })
  }
}

/** In systemd's form, which also this file reads. */
function environmentText(environment: Record<string, string | undefined>, variables: string[]): string {
  const given = variables.flatMap((name) => (environment[name] ? [[name, environment[name]]] : []))
  return formatDotenv(Object.fromEntries(given) as Record<string, string>)
}
