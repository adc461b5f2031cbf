import { lstatSync } from 'node:fs'
import { RackError } from '../domain/error.ts'
import { apiSocketPath } from '../host/api-socket.ts'
import { unixPath } from '../lib/unix-url.ts'
import { defaultDirectory, defaultRackName } from './find-installation.ts'
import { readRacks } from './racks-file.ts'

type Env = Record<string, string | undefined>

/**
 * The socket of the rack that this user of this machine means: the current one of those that they know here, their only one,
 * or the one that lies where a rack lies when nobody says.
 * @throws not-found; conflict where there are several
 */
export function findSocket(env: Env): string {
  const { racks, current } = readRacks(env)
  const known = racks.flatMap(({ name, url }) => {
    const path = unixPath(url)
    return path === null ? [] : [{ name, path }]
  })
  const chosen = known.find(({ name }) => name === (env['RACK_NAME'] || current)) ?? known[0]
  if (chosen && (known.length === 1 || chosen.name === (env['RACK_NAME'] || current))) return chosen.path
  if (known.length > 1) {
    throw new RackError('conflict', `there are ${known.length} racks, and none is the current one`, {
      hint: `Name its socket: rack login ssh://USER@HOST${known[0]!.path}`,
    })
  }
  const usual = [`/var/lib/rack/${defaultRackName}`, defaultDirectory(defaultRackName, env)].map(
    apiSocketPath,
  )
  const found = usual.find(isThere)
  if (found !== undefined) return found
  throw new RackError('not-found', 'this user knows no rack there, and none lies where racks lie', {
    hint: 'Be a user who may use its socket (rack install --api-group), or name it: rack login ssh://USER@HOST/DIRECTORY/api.sock',
  })
}

/** Also where this user may not look: the connection says so. */
function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}
