import { readApiAccess, type ApiAccess } from '../../account/api-access.ts'
import { checkRegion, readCaller } from '../../account/caller.ts'
import { readDaemonState, startDaemonService } from '../../account/daemon-service.ts'
import { openAccount } from '../../account/open-account.ts'
import { RackError } from '../../domain/error.ts'
import { readAccountUrl } from '../account-way.ts'
import { checkFingerprint } from '../pin-certificate.ts'
import type { KnownRack } from '../racks-file.ts'
import type { Session } from '../session.ts'
import { knownInAccount, makeAccountToken } from './account-access.ts'

/** What is said beside the address. */
interface SaidOfRack {
  /** Is taken instead of a new one. */
  token?: string | null
  /** Of the one certificate that is to be believed. */
  fingerprint?: string | undefined
  /** Whether a daemon that is stopped is started: it alone takes a new token. */
  start?: boolean
}

/**
 * What leads to a rack in an account, as whom the SDK finds in the environment: whoever may write into the rack's bucket
 * is an administrator of it, and has a new token of it; a token that was given is taken instead.
 * @throws unauthorized; untrusted; not-found; conflict where its daemon runs elsewhere or is stopped; timeout where it
 * takes no token
 */
export async function loginToAccount(
  { world, output }: Pick<Session, 'world' | 'output'>,
  url: string,
  { token = null, fingerprint, start = false }: SaidOfRack,
): Promise<KnownRack> {
  const { region, rack } = readAccountUrl(url)
  const account = openAccount(checkRegion(region), world.env)
  using closing = new DisposableStack()
  closing.defer(() => account.close())
  const interrupt = new AbortController()
  const left = new RackError('cancelled', 'the login was interrupted')
  closing.defer(world.onLeave(() => interrupt.abort(left)))
  const caller = await readCaller(account.clients.identity, region, interrupt)
  output.say(`account ${caller.account} as ${caller.name}, in ${region}`)
  const access: ApiAccess = await readApiAccess(account, rack, interrupt)
  output.say(`the certificate of its API: ${access.fingerprint}`)
  if (fingerprint !== undefined) {
    const right = `aws acm get-certificate of the output ApiCertificate of the stack rack-${rack}`
    checkFingerprint(fingerprint, { of: url, found: access.fingerprint, right })
  }
  if (token !== null) return knownInAccount(access, { name: rack, token })
  if (start && (await readDaemonState(account.clients.ecs, access, interrupt))?.desired === 0) {
    output.say(output.colors.say.yellow(`${rack} is stopped, and is started for this`))
    await startDaemonService(account.clients.ecs, access, interrupt)
  }
  return knownInAccount(access, {
    name: rack,
    token: await makeAccountToken(account, access, world, interrupt),
  })
}
