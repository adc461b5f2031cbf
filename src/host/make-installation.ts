import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { installationPaths, writeInstallation, type Installation } from './installation.ts'

/** Environment variables that belong to a rack rather than to whoever starts it. */
const keptVariables = ['RACK_DATABASE_URL']

/**
 * Writes a rack's directory (0700): its file, the hash of a new token, and variables with secrets.
 * @returns the token, which is kept nowhere else
 * @throws exists when a rack is there; conflict when something else is
 */
export async function makeInstallation(
  installation: Installation,
  environment: Record<string, string | undefined>,
): Promise<string> {
  const { directory } = installation
  await checkDirectory(directory)
  const paths = installationPaths(directory)
  try {
    await mkdir(paths.tokens, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new RackError('host-failed', `${directory} cannot be made: ${(cause as Error).message}`, {
      hint: 'Be root, or choose another: --dir DIRECTORY',
      cause,
    })
  }
  const token = await addToken(directory, 'install')
  await writeFileAtomically(paths.environment, environmentText(environment), { mode: 0o600 })
  await writeInstallation(installation)
  return token
}

/** Makes a token that the daemon takes in at its next start; only its hash is kept. */
export async function addToken(directory: string, name: string): Promise<string> {
  const token = `rack_${randomBytes(32).toString('base64url')}`
  const sha256 = createHash('sha256').update(token).digest('hex')
  await writeFileAtomically(join(installationPaths(directory).tokens, `${name}.sha256`), `${sha256}\n`, {
    mode: 0o600,
  })
  return token
}

/** The environment of the rack's daemon: the caller's, and what the rack keeps. */
export async function daemonEnvironment(
  directory: string,
  environment: Record<string, string | undefined>,
): Promise<Record<string, string | undefined>> {
  const text = await readFile(installationPaths(directory).environment, 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    },
  )
  const kept = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=')
    return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 2, -1)] as const]
  })
  // A value of the caller's shell must not lead an existing rack to another database.
  const own = Object.fromEntries(keptVariables.map((name) => [name, undefined]))
  return { ...environment, ...own, ...Object.fromEntries(kept) }
}

/** Removes a rack's directory with all that is in it. */
export async function removeInstallation(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}

async function checkDirectory(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new RackError('host-failed', `${directory} cannot be used: ${error.message}`, {
      hint: 'Choose another: --dir DIRECTORY',
      cause: error,
    })
  })
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
function environmentText(environment: Record<string, string | undefined>): string {
  return keptVariables
    .flatMap((name) => (environment[name] ? [`${name}="${environment[name]}"\n`] : []))
    .join('')
}
