import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../lib/missing.ts'
import { installationPaths } from './installation.ts'

/** How full the disk of a rack's directory is, and how much of it its own database takes, in bytes; null where that is elsewhere. */
export async function diskUse(
  directory: string,
): Promise<{ totalBytes: number; freeBytes: number; storeBytes: number | null }> {
  const { bsize, blocks, bavail } = await statfs(directory)
  return {
    totalBytes: bsize * blocks,
    freeBytes: bsize * bavail,
    storeBytes: await sizeOf(join(installationPaths(directory).store, 'store.sqlite')),
  }
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
