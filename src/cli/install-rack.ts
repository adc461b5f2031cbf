import { RackError } from '../domain/error.ts'
import { startDaemon, stopDaemon } from '../host/daemon.ts'
import { removeFirewall } from '../host/firewall.ts'
import { isOnMachine, type Installation } from '../host/installation.ts'
import { daemonEnvironment } from '../host/make-installation.ts'
import { stopRouter } from '../host/router.ts'
import { enableUnits, hasSystemd, removeUnits, withUnit } from '../host/start-at-boot.ts'
import { machineControl } from './machine-control.ts'
import { apiUrl } from './machine-status.ts'
import { changeRacks, readRacks, withoutRack, withRack } from './racks-file.ts'
import type { Session } from './session.ts'

/** Puts a new rack on the list of those that are known here, as the current one; `undo` takes it off. */
export async function keepRack(
  { world }: Session,
  installation: Installation,
  token: string,
  undo: AsyncDisposableStack,
): Promise<void> {
  const { name, directory } = installation
  const { current } = readRacks(world.env)
  await changeRacks(world.env, (known) =>
    withRack(known, { name, url: apiUrl(installation), token, directory }),
  )
  undo.defer(() => changeRacks(world.env, (known) => ({ ...withoutRack(known, name), current })))
}

/** Starts a rack whose directory is there; `undo` ends all of it. @throws what the daemon cannot start for */
export async function startInstalled(
  { world }: Session,
  installation: Installation,
  undo: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const { name, directory } = installation
  // What undoes it must not end with what was interrupted.
  const control = machineControl()
  undo.defer(async () => {
    await removeUnits(name)
    await stopDaemon(directory, control)
    if (!isOnMachine(installation)) return
    await stopRouter(directory, control)
    // The daemon may have made its table already.
    await removeFirewall(installation, control)
  })
  if (await hasSystemd()) {
    await enableUnits(installation, world.program)
    await withUnit(name, 'start')
  }
  const environment = await daemonEnvironment(directory, world.env)
  const starting = startDaemon(installation, world.program, environment, machineControl(signal))
  await starting.catch((error: unknown) => {
    if (!(error instanceof RackError) || signal.aborted) throw error
    const { code, message, details } = error
    // Its own hint names the log, which goes with the directory.
    throw new RackError(code, message, {
      hint: 'Nothing of it was left. What this machine lacks: rack doctor',
      details,
      cause: error,
    })
  })
}
