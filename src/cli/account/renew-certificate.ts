import { renewApiCertificate } from '../../account/api-certificate.ts'
import { readDaemonState } from '../../account/daemon-service.ts'
import { RackError } from '../../domain/error.ts'
import { confirm } from '../confirm.ts'
import { connectRack } from '../connect-rack.ts'
import type { InsideRack } from '../inside-rack.ts'
import { changeRacks, withAccess } from '../racks-file.ts'
import type { Session } from '../session.ts'
import { knownInAccount, untilAnswers } from './account-access.ts'
import { inAccountOf } from './inside.ts'

/** Until its load balancer shows it: minutes, as those of AWS do (J). */
const shownDeadlineMs = 600_000

/**
 * Gives the API of a rack inside its account another certificate, and believes it here from then on; whoever is logged in
 * elsewhere has to ask the account for it. Safe to repeat: each time makes another one.
 * @throws conflict where its daemon does not run; cancelled; timeout where the new one is not shown in time
 */
export async function renewCertificate(session: Session, known: InsideRack): Promise<void> {
  const { output, world, isJson } = session
  const { name, url, token } = known
  const again = `rack login ${url}`
  const left = new RackError('cancelled', `which certificate ${name} shows now is not known here`, {
    hint: `Have its account asked: ${again}`,
  })
  await inAccountOf(session, known, left, async ({ account, access, control }) => {
    const { rack, certificateArn: arn } = access
    const state = await readDaemonState(account.clients.ecs, access, control)
    if (!state?.running) {
      throw new RackError(
        'conflict',
        `the daemon of ${name} does not run: nobody could say whether it is shown`,
        {
          hint: `rack start --rack ${name}`,
        },
      )
    }
    output.say(`the certificate of its API now: ${access.fingerprint}`)
    await confirm(
      session,
      `Give the API of ${name} another certificate? Who is logged in elsewhere types then: ${again}.`,
      name,
    )
    const made = await renewApiCertificate(account, { rack, arn }, control)
    // Not as ACM tells it: it may still tell the one before.
    const shown = { ...access, certificate: made.toString(), fingerprint: made.fingerprint256 }
    const renewed = knownInAccount(shown, { name, token })
    await changeRacks(world.env, (racks) => withAccess(racks, renewed))
    const client = await connectRack(renewed, world)
    await untilAnswers(client, { rack, deadlineMs: shownDeadlineMs, signal: control.signal, isRenewed: true })
    const { fingerprint } = renewed.pin!
    if (isJson) return output.json({ name, fingerprint })
    output.say(output.colors.say.green(`the API of ${name} shows another certificate: ${fingerprint}`))
    output.say(`who is logged in elsewhere types: ${again}`)
  })
}
