import { chmod, chown, lstat, mkdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { Installation } from '../host/installation.ts'
import { apiSocketName } from '../router/api-route.ts'
import { serviceAccount } from '../router/service-account.ts'

/**
 * Listens on the socket of a rack: one that a dead daemon has left is removed, and the new one is for this user alone, or
 * for the members of its group too. Only the daemon of the rack may call it.
 * @throws host-failed when others may change its directory, or a link of theirs leads to it
 */
export async function openSocket(
  { path, group }: Installation['socket'],
  listen: (path: string) => Promise<unknown>,
): Promise<void> {
  const folder = dirname(path)
  const uid = process.getuid?.() ?? 0
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // The name may be a link, which somebody else has put there before, as in /tmp.
  const [named, { uid: owner, mode }] = await Promise.all([lstat(folder), stat(folder)])
  if (![0, uid].includes(named.uid) || owner !== uid || (mode & 0o022) !== 0) {
    throw new RackError('host-failed', `${folder} is not this user's alone: its socket could be exchanged`, {
      hint: `chown and chmod 700 ${folder}, or remove it; then: rack start`,
    })
  }
  await rm(path, { force: true })
  await listen(path)
  if (group === null) return await chmod(path, 0o600)
  await chown(path, uid, group.id)
  await chmod(path, 0o660)
  // Its members pass through, and list nothing.
  await chown(folder, uid, group.id)
  await chmod(folder, 0o710)
}

/**
 * Listens where the router alone connects: in its directory, for the account that serves there. Whoever comes in by it is
 * whom the router says.
 */
export async function openRoutersSocket(
  directory: string,
  listen: (address: { path: string; front: 'router' }) => Promise<unknown>,
): Promise<void> {
  const path = join(directory, apiSocketName)
  await rm(path, { force: true })
  await listen({ path, front: 'router' })
  await chmod(path, 0o600)
  const account = await serviceAccount()
  if (account) await chown(path, account.userId, account.groupId)
}
