import { readdir } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import type { Cidr } from '../lib/cidr.ts'
import { readRoutes } from '../lib/routes.ts'

/** What a machine has. */
export interface MachineFacts {
  cpuUnits: number
  memoryBytes: number
  /** Networks that the machine reaches other than by its default route. */
  routes: Cidr[]
}

/** How many graphics processors this machine has that Docker can give to containers: NVIDIA's, by their device files. */
export async function countGpus(): Promise<number> {
  const devices = await readdir('/dev')
  return devices.filter((name) => /^nvidia\d+$/.test(name)).length
}

/** Asks the machine. A limit on this process's memory counts as what the machine has. */
export async function readMachineFacts(): Promise<MachineFacts> {
  const limit = process.constrainedMemory()
  const memoryBytes = limit > 0 && limit < totalmem() ? limit : totalmem()
  return { cpuUnits: availableParallelism() * 1024, memoryBytes, routes: await readRoutes() }
}
