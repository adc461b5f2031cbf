import { mountsToMake } from '../../domain/binds.ts'
import { placeFiles } from '../../domain/file-places.ts'
import type { Across } from './across.ts'
import { bytesOfBase64 } from '../keys/files/declared-files.ts'

const largestBytes = 2 * 1024 * 1024

/** The contents of all configs and secrets go with every release, so their sum is bounded; mounts keep their paths. */
export function checkFiles({ processes, problems }: Across): void {
  const counted = new Set<string>()
  let total = 0
  for (const { type, files } of processes) {
    const paths = new Set(type.mounts.map(({ path }) => path))
    const covers = { ...type, mounts: mountsToMake(type.mounts) }
    const faults = new Map(placeFiles(covers).faults.map((fault) => [fault.file, fault]))
    for (const { value, at } of files) {
      const { kind, name, path, content } = value
      const fault = faults.get(value)
      if (paths.has(path)) problems.error(at, `the ${kind} "${name}" lies where a volume is mounted`)
      else if (fault)
        problems.error(at, `the ${kind} "${name}" cannot be put at its path: ${fault.reason}`, fault.hint)
      if (counted.has(`${kind} ${name}`)) continue
      counted.add(`${kind} ${name}`)
      total += bytesOfBase64(content)
      if (total <= largestBytes) continue
      problems.error(
        at,
        `the configs and secrets of the app are larger than ${largestBytes / 1024} KiB together`,
        'COPY large ones in the Dockerfile, or put them on a volume',
      )
      return
    }
  }
}
