import { parseArgs } from 'node:util'
import type { Logger } from 'pino'
import { RackError } from '../domain/error.ts'
import { installationPaths, readInstallation } from '../host/installation.ts'
import { createLog } from './log.ts'
import type { DaemonPlace } from './daemon-place.ts'
import { openDirectoryPlace } from './directory-place.ts'
import { claimPidFile } from './pid-file.ts'
import { startRack } from './start-rack.ts'

/**
 * The daemon: `rackd --dir DIRECTORY`, or `rackd --account` as a task of the rack's own account. Ends well at SIGTERM and
 * SIGINT; apps and router go on without it.
 */
async function main(): Promise<void> {
  const log = createLog()
  try {
    await using undo = new AsyncDisposableStack()
    const starting = hearAsFirstProcess()
    const place = await openPlace(undo, log)
    await using rack = await startRack(place, log)
    starting[Symbol.dispose]()
    log.info({ rack: place.installation.name, api: rack.address }, 'the rack is up')
    log.info({ signal: await terminationSignal() }, 'the daemon stops')
  } catch (error) {
    log.fatal({ err: error }, 'the daemon cannot run')
    process.exitCode = 1
  }
  log.flush()
}

async function openPlace(undo: AsyncDisposableStack, log: Logger): Promise<DaemonPlace> {
  const { values } = parseArgs({ options: { dir: { type: 'string' }, account: { type: 'boolean' } } })
  if (values.account) {
    const { openAccountPlace } = await import('./account-place.ts')
    return undo.use(await openAccountPlace(process.env, log))
  }
  if (!values.dir) throw new RackError('usage', 'rackd needs --dir DIRECTORY, or --account')
  const installation = await readInstallation(values.dir)
  undo.use(await claimPidFile(installationPaths(values.dir).pid))
  return await openDirectoryPlace(installation, process.env.RACK_DATABASE_URL ?? null, log)
}

/** What is process 1 of a container ends by no signal that it does not listen for; until it is up, by any at once. */
function hearAsFirstProcess(): Disposable {
  const end = () => process.exit(endedBySigterm)
  if (process.pid === 1) endings.forEach((name) => process.on(name, end))
  return { [Symbol.dispose]: () => endings.forEach((name) => process.off(name, end)) }
}

/** As a shell says it. */
const endedBySigterm = 128 + 15
const endings = ['SIGTERM', 'SIGINT'] as const

function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of endings) process.once(name, resolve)
  })
}

process.on('SIGHUP', () => undefined)
await main()
// What is left open (idle connections of clients) must not keep an ended daemon.
process.exit()
