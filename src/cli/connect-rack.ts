import type { Client } from '../client/client-types.ts'
import { createClient } from '../client/client.ts'
import { isSshUrl } from '../client/ssh/ssh-url.ts'
import { isAccountUrl, serverOf } from './account-way.ts'
import type { KnownRack } from './racks-file.ts'
import type { World } from './world.ts'

/** Calls a rack by its address; by ssh once ssh is through, so that nothing waits for somebody who types a password. */
export async function connectRack(
  { url, token, pin, account }: Omit<KnownRack, 'name'>,
  world: World,
): Promise<Client> {
  const access = { url, token: token === '' ? undefined : token }
  if (isAccountUrl(url)) return createClient({ ...access, server: serverOf({ url, pin, account }) })
  if (!isSshUrl(url)) return createClient({ ...access, pinned: pin?.certificate })
  const { openSsh } = await import('../client/ssh/open-ssh.ts')
  const { version, env } = world
  const onEnd = (listener: () => void) => world.onEnd(listener)
  return createClient({ ...access, tunnel: await openSsh({ url, version, env, onEnd }) })
}
