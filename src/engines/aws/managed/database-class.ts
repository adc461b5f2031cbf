import { RackError } from '../../../domain/error.ts'
import type { ManagedService } from '../../../domain/service.ts'

const gibibyte = 2 ** 30

/** D: "Hardware specifications for DB instance classes", smallest first. */
const classes = [
  { name: 'db.t4g.micro', cores: 2, memoryBytes: gibibyte },
  { name: 'db.t4g.small', cores: 2, memoryBytes: 2 * gibibyte },
  { name: 'db.t4g.medium', cores: 2, memoryBytes: 4 * gibibyte },
  { name: 'db.t4g.large', cores: 2, memoryBytes: 8 * gibibyte },
  { name: 'db.t4g.xlarge', cores: 4, memoryBytes: 16 * gibibyte },
  { name: 'db.t4g.2xlarge', cores: 8, memoryBytes: 32 * gibibyte },
]

/** The smallest machine of RDS that holds what is asked for. @throws invalid for more than the largest has */
export function databaseClass({
  name,
  cpuUnits,
  memoryBytes,
}: Pick<ManagedService, 'name' | 'cpuUnits' | 'memoryBytes'>): string {
  const found = classes.find((each) => each.cores * 1024 >= cpuUnits && each.memoryBytes >= memoryBytes)
  if (found) return found.name
  const largest = classes.at(-1)!
  throw new RackError(
    'invalid',
    `${name} asks for more than ${largest.name} has: ${largest.cores} cores and ${largest.memoryBytes / gibibyte} GiB`,
    { hint: 'Ask for less, or make the database yourself and give its URL: rack services create url' },
  )
}
