import { readApiAccess, type ApiAccess } from '../../account/api-access.ts'
import { checkRegion, readCaller } from '../../account/caller.ts'
import { openAccount } from '../../account/open-account.ts'
import { RackError } from '../../domain/error.ts'
import { readAccountUrl } from '../account-way.ts'
import type { KnownRack } from '../racks-file.ts'
import type { Session } from '../session.ts'
import { knownInAccount, makeAccountToken } from './account-access.ts'

/**
 * What leads to a rack in an account, as whom the SDK finds in the environment: whoever may write into the rack's bucket
 * is an administrator of it, and has a new token of it; a token that was given is taken instead.
 * @throws unauthorized; not-found; conflict where its daemon runs elsewhere; timeout where it takes no token
 */
export async function loginToAccount(
  { world, output }: Pick<Session, 'world' | 'output'>,
  url: string,
  given: string | null,
): Promise<KnownRack> {
  const { region, rack } = readAccountUrl(url)
  const account = openAccount(checkRegion(region), world.env)
  using closing = new DisposableStack()
  closing.defer(() => account.close())
  const interrupt = new AbortController()
  const left = new RackError('cancelled', 'the login was interrupted; nothing of it is left')
  closing.defer(world.onLeave(() => interrupt.abort(left)))
  const caller = await readCaller(account.clients.identity, region, interrupt)
  output.say(`account ${caller.account} as ${caller.name}, in ${region}`)
  const access: ApiAccess = await readApiAccess(account, rack, interrupt)
  output.say(`the certificate of its API: ${access.fingerprint}`)
  const token = given ?? (await makeAccountToken(account, access, world, interrupt))
  return knownInAccount(access, { name: rack, token })
}
