import { readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Store } from '../domain/store.ts'

/**
 * Takes the hashes that an installation left (`<name>.sha256`) into the store. A file goes only when its token is
 * kept, so a crash in between repeats it.
 */
export async function takeInTokens(store: Store, directory: string): Promise<void> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const file of files.filter((name) => name.endsWith('.sha256'))) {
    const path = join(directory, file)
    const sha256 = (await readFile(path, 'utf8')).trim()
    await store.tokens.add(basename(file, '.sha256'), sha256, 'write')
    await rm(path)
  }
}
