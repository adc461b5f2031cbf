import { readFile } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { formatCidr, type Cidr } from '../lib/cidr.ts'

/** What a machine has. */
export interface MachineFacts {
  cpuUnits: number
  memoryBytes: number
  /** Networks that the machine reaches other than by its default route. */
  routes: Cidr[]
}

/** Asks the machine. A limit on this process's memory counts as what the machine has. */
export async function readMachineFacts(): Promise<MachineFacts> {
  const limit = process.constrainedMemory()
  const memoryBytes = limit > 0 && limit < totalmem() ? limit : totalmem()
  return { cpuUnits: availableParallelism() * 1024, memoryBytes, routes: await readRoutes() }
}

async function readRoutes(): Promise<Cidr[]> {
  try {
    return parseRoutes(await readFile('/proc/net/route', 'utf8'))
  } catch (error) {
    // No Linux, or no /proc: nothing is known to clash.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The ranges of `/proc/net/route`, each once; its numbers are hexadecimal, lowest byte first. */
export function parseRoutes(text: string): Cidr[] {
  const ranges = new Map<string, Cidr>()
  for (const line of text.trim().split('\n').slice(1)) {
    const fields = line.split(/\s+/)
    const [destination, mask] = [fields[1], fields[7]].map((field) => bigEndian(field ?? ''))
    if (destination === undefined || mask === undefined || mask === 0) continue
    const range = { base: destination, bits: mask.toString(2).replaceAll('0', '').length }
    ranges.set(formatCidr(range), range)
  }
  return [...ranges.values()]
}

function bigEndian(hexadecimal: string): number {
  const bytes = hexadecimal.match(/../g) ?? []
  return bytes.reverse().reduce((sum, byte) => sum * 256 + Number.parseInt(byte, 16), 0)
}
