import { readdir, readFile, readlink } from 'node:fs/promises'

/** A program that listens. */
export interface PortHolder {
  pid: number
  /** Its name, as `ps` shows it. */
  program: string
}

const listening = '0A'

/** Who listens on a TCP port of this machine (Linux); null when nobody does, or it belongs to a user not to be asked. */
export async function findPortHolder(port: number): Promise<PortHolder | null> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readIfThere(`/proc/net/${name}`)))
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table ?? '', port)))
  if (inodes.size === 0) return null
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || !(await hasSocket(name, inodes))) continue
    const program = await readIfThere(`/proc/${name}/comm`)
    if (program !== null) return { pid: Number(name), program: program.trim() }
  }
  return null
}

/** @see proc(5), /proc/net/tcp: the local address and port in hexadecimal, the state, and as tenth field the inode */
export function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    return fields[3] === listening && fields[1]?.endsWith(suffix) && fields[9] ? [fields[9]] : []
  })
}

async function hasSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  const files = (await unlessHidden(readdir(folder))) ?? []
  for (const file of files) {
    const inode = /^socket:\[(\d+)\]$/.exec((await unlessHidden(readlink(`${folder}/${file}`))) ?? '')?.[1]
    if (inode !== undefined && inodes.has(inode)) return true
  }
  return false
}

const readIfThere = (path: string): Promise<string | null> => unlessHidden(readFile(path, 'utf8'))

/** Processes end while they are looked at, and those of other users are not shown. */
async function unlessHidden<T>(look: Promise<T>): Promise<T | null> {
  try {
    return await look
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null
    throw error
  }
}
