import { stat } from 'node:fs/promises'
import { RackError } from '../domain/error.ts'
import { findDaemon } from '../host/daemon.ts'
import { addToken, isTakenIn } from '../host/make-installation.ts'
import { until } from '../lib/poll.ts'
import { findInstallation } from './find-installation.ts'
import { apiUrl } from './machine-status.ts'
import { changeRacks, withRack } from './racks-file.ts'
import type { Session } from './session.ts'

const takenInMs = 60_000

export interface RecoveredToken {
  name: string
  token: string
  rack: string
}

/**
 * Makes a token that may do all, by the right of whoever may write the rack's directory, and makes it that of this
 * command line. A daemon that runs knows it when this settles, one that is down from its next start on.
 * @throws forbidden for a rack of another user; timeout
 */
export async function recoverToken(session: Session): Promise<RecoveredToken> {
  const { world } = session
  const installation = await findInstallation(session)
  const { directory, name: rack } = installation
  await checkOwner(directory)
  const name = `recovered-${Date.now()}`
  const token = await addToken(directory, name)
  if ((await findDaemon(directory)) !== null) {
    const isKept = () => isTakenIn(directory, name)
    await until(isKept, { deadlineMs: takenInMs, what: 'the rack to take the token in' })
  }
  await changeRacks(world.env, (known) => {
    const { racks } = withRack(known, { name: rack, url: apiUrl(installation), token, directory })
    return { racks, current: known.current ?? rack }
  })
  return { name, token, rack }
}

/** What another user would write there, root too, the daemon could not read. */
async function checkOwner(directory: string): Promise<void> {
  const { uid } = await stat(directory)
  if (uid === process.geteuid?.()) return
  throw new RackError('forbidden', `the rack in ${directory} is another user's`, {
    hint: uid === 0 ? 'sudo rack tokens recover' : `sudo -u '#${uid}' rack tokens recover --dir ${directory}`,
  })
}
