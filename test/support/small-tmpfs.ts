import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk extends AsyncDisposable {
  path: string
  /** Takes all that is left. */
  fill(): Promise<void>
  take(bytes: number): Promise<void>
  /** Gives back what was taken. */
  free(): Promise<void>
}

/** A disk of a size, in memory, mounted on a folder of its own. */
export async function mountSmallDisk({ mebibytes }: { mebibytes: number }): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'rack-disk-'))
  await run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path)
  const filler = join(path, 'filler')
  const free = () => rm(filler, { force: true })
  return {
    path,
    free,
    take: (bytes) => writeFile(filler, Buffer.alloc(bytes)),
    async fill() {
      await using file = await open(filler, 'a')
      // Others write too: what is left is not known before.
      for (let size = 1024 * 1024; size >= 1; size = Math.floor(size / 16)) {
        while (await takes(file, size));
      }
    },
    async [Symbol.asyncDispose]() {
      await run('umount', '--lazy', path)
      await rm(path, { recursive: true })
    },
  }
}

async function takes(file: FileHandle, bytes: number): Promise<boolean> {
  try {
    await file.appendFile(Buffer.alloc(bytes))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const [code] = (await once(spawn(command, args, { stdio: 'inherit' }), 'exit')) as [number | null]
  assert.equal(code, 0, `${command} ${args.join(' ')}`)
}
