import { readTextIfThere } from '../lib/files.ts'

/** The account that serves when root starts HAProxy. */
export interface ServiceAccount {
  user: string
  group: string
  userId: number
  groupId: number
}

/** Debian's; undefined where this is not root, or the system has none. */
export async function serviceAccount(): Promise<ServiceAccount | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const idIn = async (path: string) => {
    const found = /^haproxy:[^:]*:(\d+):/m.exec((await readTextIfThere(path)) ?? '')
    return found ? Number(found[1]) : undefined
  }
  const [userId, groupId] = [await idIn('/etc/passwd'), await idIn('/etc/group')]
  if (userId === undefined || groupId === undefined) return undefined
  return { user: 'haproxy', group: 'haproxy', userId, groupId }
}
