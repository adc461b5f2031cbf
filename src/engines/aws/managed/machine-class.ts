import { RackError } from '../../../domain/error.ts'
import type { ManagedService } from '../../../domain/service.ts'

const gibibyte = 2 ** 30

interface MachineClass {
  name: string
  cores: number
  memoryBytes: number
}

/** D: "Hardware specifications for DB instance classes", smallest first. */
const databases: MachineClass[] = [
  { name: 'db.t4g.micro', cores: 2, memoryBytes: gibibyte },
  { name: 'db.t4g.small', cores: 2, memoryBytes: 2 * gibibyte },
  { name: 'db.t4g.medium', cores: 2, memoryBytes: 4 * gibibyte },
  { name: 'db.t4g.large', cores: 2, memoryBytes: 8 * gibibyte },
  { name: 'db.t4g.xlarge', cores: 4, memoryBytes: 16 * gibibyte },
  { name: 'db.t4g.2xlarge', cores: 8, memoryBytes: 32 * gibibyte },
]

/** D: "Supported node types" of ElastiCache, smallest first. */
const caches: MachineClass[] = [
  { name: 'cache.t4g.micro', cores: 2, memoryBytes: 0.5 * gibibyte },
  { name: 'cache.t4g.small', cores: 2, memoryBytes: 1.37 * gibibyte },
  { name: 'cache.t4g.medium', cores: 2, memoryBytes: 3.09 * gibibyte },
  { name: 'cache.m7g.large', cores: 2, memoryBytes: 6.38 * gibibyte },
  { name: 'cache.m7g.xlarge', cores: 4, memoryBytes: 12.93 * gibibyte },
  { name: 'cache.m7g.2xlarge', cores: 8, memoryBytes: 26.04 * gibibyte },
]

type Asked = Pick<ManagedService, 'name' | 'cpuUnits' | 'memoryBytes'>

/** The smallest machine of RDS that holds what is asked for. @throws invalid for more than the largest has */
export const databaseClass = (asked: Asked): string => smallestOf(databases, asked)

/** The same of ElastiCache. */
export const cacheClass = (asked: Asked): string => smallestOf(caches, asked)

function smallestOf(classes: MachineClass[], { name, cpuUnits, memoryBytes }: Asked): string {
  const found = classes.find((each) => each.cores * 1024 >= cpuUnits && each.memoryBytes >= memoryBytes)
  if (found) return found.name
  const largest = classes.at(-1)!
  throw new RackError(
    'invalid',
    `${name} asks for more than ${largest.name} has: ${largest.cores} cores and ${largest.memoryBytes / gibibyte} GiB`,
    { hint: 'Ask for less, or make one yourself and give its URL: rack services create url' },
  )
}
