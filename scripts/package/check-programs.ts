import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '../steps/progress.ts'
import type { Architecture } from './node-program.ts'

/** By the number that an ELF header has for it. */
const machines: Record<number, Architecture> = { 0x3e: 'x64', 0xb7: 'arm64' }

/**
 * The programs and their native parts in a folder, by path.
 * @throws SetupError for one that is made for another machine than the folder
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
 */
export async function checkPrograms(folder: string, arch: Architecture): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const machine = await machineOf(path)
    if (machine === null) continue
    if (machines[machine] !== arch) {
      const other = machines[machine] ?? `machine ${machine}`
      throw new SetupError(`${path} is made for ${other}, and the package is for ${arch}`, 'npm ci')
    }
    found.push(path)
  }
  return found
}

/** Null for what is no program. */
async function machineOf(path: string): Promise<number | null> {
  await using file = await open(path)
  const { bytesRead, buffer } = await file.read(Buffer.alloc(20), 0, 20, 0)
  if (bytesRead < 20 || buffer.toString('latin1', 0, 4) !== '\u007fELF') return null
  return buffer.readUInt16LE(18)
}
