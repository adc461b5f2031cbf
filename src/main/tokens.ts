import { readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { listIfThere } from '../lib/files.ts'
import type { OperationsRoom } from '../operations/create-operations.ts'

/**
 * Takes the hashes that somebody on the machine left (`<name>.sha256`) into the store. A file goes only when its token
 * is kept, so a crash in between repeats it.
 */
export async function takeInTokens(
  { takeInToken }: Pick<OperationsRoom, 'takeInToken'>,
  directory: string,
): Promise<void> {
  const files = await listIfThere(directory)
  for (const file of files.filter((name) => name.endsWith('.sha256'))) {
    const path = join(directory, file)
    const sha256 = (await readFile(path, 'utf8')).trim()
    await takeInToken(basename(file, '.sha256'), sha256)
    await rm(path)
  }
}
