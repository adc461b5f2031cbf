import { parseArgs } from 'node:util'
import { RackError } from '../domain/error.ts'
import { installationPaths, readInstallation } from '../host/installation.ts'
import { createLog } from './log.ts'
import { claimPidFile } from './pid-file.ts'
import { startRack } from './start-rack.ts'

/** The daemon: `rackd --dir DIRECTORY`. Ends well at SIGTERM and SIGINT; apps and router go on without it. */
async function main(): Promise<void> {
  const log = createLog()
  try {
    const { values } = parseArgs({ options: { dir: { type: 'string' } } })
    if (!values.dir) throw new RackError('usage', 'rackd needs --dir DIRECTORY')
    const installation = await readInstallation(values.dir)
    await using _pidFile = await claimPidFile(installationPaths(values.dir).pid)
    await using rack = await startRack(installation, process.env.RACK_DATABASE_URL ?? null, log)
    log.info({ rack: installation.name, api: rack.address }, 'the rack is up')
    log.info({ signal: await terminationSignal() }, 'the daemon stops')
  } catch (error) {
    log.fatal({ err: error }, 'the daemon cannot run')
    process.exitCode = 1
  }
  log.flush()
}

function terminationSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

process.on('SIGHUP', () => undefined)
await main()
// What is left open (idle connections of clients) must not keep an ended daemon.
process.exit()
