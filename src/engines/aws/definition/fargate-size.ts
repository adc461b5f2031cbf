import { RackError } from '../../../domain/error.ts'
import type { Resources } from '../../../domain/rack.ts'

export const mebibyte = 1024 * 1024

/** What runs beside a process in its copy: the agent of exec lives in its container, and counts against its memory. */
export const besideBytes = 64 * mebibyte

/** Memory that each size of cpu may have, MiB: from, to, in steps (aws.md 1.3). */
const sizes: { cpu: number; memory: number[] }[] = [
  { cpu: 256, memory: [512, 1024, 2048] },
  { cpu: 512, memory: range(1024, 4096, 1024) },
  { cpu: 1024, memory: range(2048, 8192, 1024) },
  { cpu: 2048, memory: range(4096, 16_384, 1024) },
  { cpu: 4096, memory: range(8192, 30_720, 1024) },
  { cpu: 8192, memory: range(16_384, 61_440, 4096) },
  { cpu: 16_384, memory: range(32_768, 122_880, 8192) },
]

/** A size that Fargate has, and bills: cpu units and MiB. */
export interface FargateSize {
  cpu: number
  memory: number
}

/** The smallest size that holds a copy and what runs beside it. @throws capacity where none does */
export function fargateSize({ cpuUnits, memoryBytes }: Resources): FargateSize {
  const needed = (memoryBytes + besideBytes) / mebibyte
  for (const { cpu, memory } of sizes) {
    const fits = memory.find((each) => each >= needed)
    if (cpu >= cpuUnits && fits !== undefined) return { cpu, memory: fits }
  }
  const asked = `${cpuUnits / 1024} cores and ${Math.ceil(memoryBytes / mebibyte)} MiB`
  throw new RackError('capacity', `Fargate has no copy of ${asked}`, {
    hint: 'It has up to 16 cores and 120 GiB: ask for less, and for more copies.',
  })
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: (to - from) / step + 1 }, (_each, index) => from + index * step)
}
