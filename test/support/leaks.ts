import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { readProcess } from '../../src/lib/files.ts'
import { controlFor } from './docker-rack.ts'

/** What is looked for, by a name that a failing test may print. */
export type Needles = Record<string, string | Uint8Array>

/** The names of those that bytes or a text hold, in clear or in base64. */
export function needlesIn(hay: string | Uint8Array, needles: Needles): string[] {
  const bytes = Buffer.from(hay)
  return Object.entries(needles).flatMap(([name, needle]) => {
    const plain = Buffer.from(needle)
    return bytes.includes(plain) || bytes.includes(plain.toString('base64')) ? [name] : []
  })
}

/** `FILE: NEEDLE` for each that a file below a directory holds. */
export async function needlesBelow(directory: string, needles: Needles): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const found: string[] = []
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name)
    const held = needlesIn(await readFile(path), needles)
    found.push(...held.map((name) => `${path}: ${name}`))
  }
  return found
}

/** Those in the archive of an image: its configuration and all its layers, as `docker save` gives them. */
export async function needlesInImage(
  docker: DockerClient,
  image: string,
  needles: Needles,
): Promise<string[]> {
  const archive = await docker.stream({ path: `/images/${image}/get` }, controlFor(30_000))
  return needlesIn(Buffer.concat(await Array.fromAsync(archive)), needles)
}

/** Those in the command line of any process of the machine. */
export async function needlesInCommandLines(needles: Needles): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = processes.map(async (id) => {
    return needlesIn(Buffer.from((await readProcess(id, 'cmdline')) ?? ''), needles)
  })
  return (await Promise.all(found)).flat()
}
