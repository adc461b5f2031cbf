import { mkdir } from 'node:fs/promises'
import type { Logger } from 'pino'
import { limitConnections } from '../edge/connection-limits.ts'
import { finishGoingBack } from '../host/hand-over.ts'
import { apiHostOf, installationPaths, isOnMachine, type Installation } from '../host/installation.ts'
import { sweepTemporaryFiles } from '../lib/atomic-file.ts'
import { mostOpenFiles } from '../lib/open-files.ts'
import { unixUrl } from '../lib/unix-url.ts'
import type { ApiPlace, DaemonPlace } from './daemon-place.ts'
import { openRoutersSocket, openSocket } from './open-socket.ts'
import { takeInTokens } from './tokens.ts'

const tokensPeriodMs = 1000

/** A rack's directory on a machine, made whole: what a daemon or a command that was killed has left half written goes. */
export async function openDirectoryPlace(
  installation: Installation,
  databaseUrl: string | null,
  log: Logger,
): Promise<DaemonPlace> {
  const { directory, name } = installation
  await prepareDirectories(directory)
  const paths = installationPaths(directory)
  return {
    installation,
    storeOptions: async () => ({
      directory: paths.store,
      url: databaseUrl ?? undefined,
      keyFile: paths.key,
      rack: name,
      warn: (message, facts) => log.warn(facts, message),
    }),
    leadPatienceMs: 0,
    tokens: { takeIn: (room) => takeInTokens(room, paths.tokens), periodMs: tokensPeriodMs },
    api: apiPlaceOf(installation),
    logFile: paths.log,
  }
}

/** The rack's socket, and TCP where that was asked for. */
function apiPlaceOf(installation: Installation): ApiPlace {
  const { directory, socket, api, domain } = installation
  return {
    limits: limitConnections(mostOpenFiles()),
    ownHost: domain,
    async listen(edge) {
      await openSocket(socket, (path) => edge.listen({ path }))
      const address = api ? await edge.listen(api) : unixUrl(socket.path)
      if (isOnMachine(installation) && apiHostOf(installation) !== null)
        await openRoutersSocket(installationPaths(directory).router, (to) => edge.listen(to))
      return address
    },
  }
}

async function prepareDirectories(directory: string): Promise<void> {
  await finishGoingBack(directory)
  const { store, tokens } = installationPaths(directory)
  await mkdir(store, { recursive: true, mode: 0o700 })
  for (const path of [directory, tokens, store]) await sweepTemporaryFiles(path)
}
