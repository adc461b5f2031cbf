import { randomBytes } from 'node:crypto'
import { RackError } from '../../domain/error.ts'
import type { RackBackupContents } from '../../domain/rack-backup.ts'
import { findDaemon } from '../../host/daemon.ts'
import type { MachineInstallation } from '../../host/installation.ts'
import { makeInstallation } from '../../host/make-installation.ts'
import {
  markFinished,
  markForRemoval,
  markUnfinished,
  removeMarked,
  removeUnfinished,
} from '../../host/unfinished.ts'
import { until } from '../../lib/poll.ts'
import type { CommandSpec } from '../command-spec.ts'
import { leaveOnInterrupt } from '../files/backup-files.ts'
import { openSealedFile, rackBackupFile, secretOptions } from '../files/sealed-file.ts'
import { keepRack, startInstalled } from '../install-rack.ts'
import { machineControl } from '../machine-control.ts'
import { connectTo, readStatus, waitUntilReady } from '../machine-status.ts'
import { planRestored } from '../plan-restored.ts'
import type { Session } from '../session.ts'
import type { RackRestorer } from '../world.ts'

/** What a large volume may take; how far it is, is told. */
const takenInMs = 24 * 60 * 60_000

/** `rack restore`. */
export const restore: CommandSpec = {
  name: 'restore',
  arguments: '<file>',
  summary: 'put a whole rack back on this machine, from a file of rack backup',
  description: [
    'On a machine that has no rack of that name: apps, releases, environments, links, domains, certificates and tokens are what',
    'they were, volumes and services get the data that the file holds, and each live release is brought about again.',
    'The whole file is read and checked before anything is changed. What fails before the data is there, and Ctrl-C, leave',
    'nothing behind. Ports, addresses and sizes are those that the rack had, unless they are given here.',
    'A rack of that name that still runs elsewhere goes on: stop it first, or both run the same timers.',
  ].join('\n'),
  examples: [
    'restore rack.backup',
    'restore rack.backup --passphrase-file /root/backup.pass',
    'restore rack.backup --key-file key --http-port 8080 --https-port 8443 --pool 10.220.0.0/16',
  ],
  options: [
    ...secretOptions,
    { flags: '--dir <directory>', meaning: 'where all of it lies' },
    { flags: '--http-port <port>', meaning: 'where apps are reached' },
    { flags: '--http-bind <address>', meaning: 'the address for it' },
    { flags: '--https-port <port>', meaning: 'where they are reached by TLS, or none' },
    { flags: '--tcp-bind <address>', meaning: 'the address for external tcp ports' },
    { flags: '--pool <cidr>', meaning: "addresses for the apps' networks" },
    { flags: '--cpu <units>', meaning: 'what apps may have in total; 1024 units are a core' },
    { flags: '--memory <size>', meaning: 'what apps may have in total, such as 4g' },
    { flags: '--socket <path>', meaning: "Docker Engine's socket" },
  ],
  needs: 'nothing',
  async run(session) {
    const file = session.args[0]!
    if (file === '-') {
      throw new RackError('usage', 'a restore reads its file twice: first all of it, to check it', {
        hint: 'Write it to a file first: cat > rack.backup; rack restore rack.backup',
      })
    }
    await tellRestored(session, await putBackOrNothing(session, file))
  },
}

interface Restored {
  installation: MachineInstallation
  contents: RackBackupContents
  token: string
  /** What the rack calls it. */
  tokenName: string
}

/** An interrupt ends it, and says so whatever it was at; what could not be undone says so itself. */
async function putBackOrNothing(session: Session, file: string): Promise<Restored> {
  using leaving = leaveOnInterrupt(session, 'the restore was interrupted: nothing of it was left')
  const { signal } = leaving
  try {
    return await putBack(session, file, signal)
  } catch (error) {
    throw signal.aborted && !(error instanceof SuppressedError) ? signal.reason : error
  }
}

async function putBack(session: Session, file: string, signal: AbortSignal): Promise<Restored> {
  const { output, world } = session
  const control = machineControl(signal)
  const sealed = await openSealedFile(session, file, rackBackupFile)
  const restorer = await world.restorer()
  output.say(`reading ${file} before anything is touched`)
  const { contents, installation: before } = await restorer.check(sealed, control)
  const installation = await planRestored(session, before)
  const keptVolumes = await refuseLeftOvers(restorer, installation, contents)

  if (await removeUnfinished(installation))
    output.say(`half of a rack, which an earlier restore has left in ${installation.directory}, is removed`)

  await using undo = new AsyncDisposableStack()
  // One of its own, so that what is on a machine that was lost can be revoked alone.
  const tokenName = `restore-${randomBytes(4).toString('hex')}`
  const token = await makeInstallation(installation, {}, { tokenName, mark: markUnfinished })
  undo.defer(() => removeMarked(installation))
  // What undoes it must not end with what was interrupted; it comes when the daemon has ended.
  const { name: rack, socketPath, directory } = installation
  undo.defer(() => restorer.removeObjects(socketPath, { rack, keptVolumes }, machineControl()))
  // Before any of it goes: a rack that lacks data must not be started.
  undo.defer(() => markForRemoval(directory))
  output.say(`restoring ${rack} of ${contents.created} in ${directory}`)
  await restorer.unpack(sealed, directory, control)
  await markFinished(directory)
  await keepRack(session, installation, token, undo)
  await startInstalled(session, installation, undo, signal)
  await untilTakenIn(session, installation, token, signal)
  signal.throwIfAborted()
  undo.move()
  return { installation, contents, token, tokenName }
}

async function tellRestored(session: Session, restored: Restored): Promise<void> {
  const { installation, contents, token, tokenName } = restored
  const { output, isJson } = session
  const isReady = await waitUntilReady(session, installation, { token })
  const status = await readStatus(session, installation)
  if (isJson) return output.json({ ...status, restored: contents })
  for (const lack of contents.lacks) output.say(`it did not hold: ${lack}`)
  if (isReady) output.say(output.colors.say.green(`${installation.name} is back (${status.apps ?? 0} apps)`))
  output.say(
    `its token here is ${tokenName}; those of a machine that was lost: rack tokens; rack tokens revoke NAME`,
  )
  for (const app of status.degraded) output.say(`${app} lacks copies: rack ps --app ${app}`)
}

/**
 * What an uninstall has left of a rack of that name: volumes stay what they are, unless the backup holds data for them.
 * @returns Docker's names of the volumes that were there before
 * @throws conflict
 */
async function refuseLeftOvers(
  restorer: RackRestorer,
  { name, socketPath }: MachineInstallation,
  { volumes, services }: RackBackupContents,
): Promise<ReadonlySet<string>> {
  const found = await restorer.objectsOf(socketPath, name, machineControl())
  if (found.containers.length > 0) {
    throw new RackError(
      'conflict',
      `this machine runs containers of a rack "${name}", and nothing was changed`,
      {
        hint: `See them with: docker ps --all --filter label=com.rack.name=${name}`,
      },
    )
  }
  const holdsData = volumes.length + services.length > 0
  if (holdsData && found.volumes.length > 0) {
    const [first] = found.volumes
    throw new RackError(
      'conflict',
      `this machine has ${found.volumes.length} volumes of a rack "${name}", such as ${first}, and nothing was changed`,
      {
        hint: `The backup has data of its own. If theirs is not wanted: docker volume rm $(docker volume ls -q --filter label=com.rack.name=${name})`,
      },
    )
  }
  return new Set(found.volumes)
}

/** Settles when images, volumes and services have what the backup held for them. @throws what keeps them from it */
async function untilTakenIn(
  { output }: Session,
  installation: MachineInstallation,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const client = await connectTo(installation, token)
  let told = ''
  const isTakenIn = async () => {
    // While Docker Engine is busy the rack may not say how it is.
    const rack = await client.getRack().catch((error: unknown) => {
      if (error instanceof RackError) return null
      throw error
    })
    if (!rack) {
      if ((await findDaemon(installation.directory)) !== null) return false
      throw new RackError('host-failed', 'the daemon ended while it took in the backup, and nothing was left')
    }
    if (!rack.restoring) return true
    const { left, failed } = rack.restoring
    if (failed !== null) {
      throw new RackError('host-failed', `the backup could not be taken in, and nothing was left: ${failed}`)
    }
    const [now = ''] = left
    if (now !== told) output.say(`taking in ${now} (${left.length} left)`)
    told = now
    return false
  }
  await until(isTakenIn, {
    deadlineMs: takenInMs,
    intervalMs: 300,
    what: 'the backup to be taken in',
    signal,
  })
}
