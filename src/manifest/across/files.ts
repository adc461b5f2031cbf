import { filePlaces, placeOfItsOwn } from '../../domain/file-places.ts'
import type { PlacedProcess } from '../keys/process.ts'
import type { Problems } from '../problems.ts'
import type { Across } from './across.ts'
import { bytesOfBase64 } from '../keys/files/declared-files.ts'

const largestBytes = 2 * 1024 * 1024

/** The contents of all configs and secrets go with every release, so their sum is bounded; mounts keep their paths. */
export function checkFiles({ processes, problems }: Across): void {
  const counted = new Set<string>()
  let total = 0
  for (const { type, files } of processes) {
    checkPlaces({ type, files }, problems)
    for (const { value, at } of files) {
      const { kind, name, content } = value
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

/** What an engine could put nowhere is told here, with its line. */
function checkPlaces({ type, files }: Pick<PlacedProcess, 'type' | 'files'>, problems: Problems): void {
  const paths = new Set(type.mounts.map(({ path }) => path))
  const refused = new Map(filePlaces(type).refused.map(({ file, reason }) => [file, reason]))
  for (const { value, at } of files) {
    const { kind, name, path } = value
    const reason = refused.get(value)
    if (paths.has(path)) problems.error(at, `the ${kind} "${name}" lies where a volume is mounted`)
    else if (reason !== undefined)
      problems.error(
        at,
        `the ${kind} "${name}" cannot be put at ${JSON.stringify(path)}: ${reason}`,
        `give it a place of its own: { source: ${name}, target: ${placeOfItsOwn(value)} }`,
      )
  }
}
