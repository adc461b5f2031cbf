import { coverOf, isFromSource } from '../../domain/binds.ts'
import { shownPart } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** Two paths of the source may not become one volume, and a file may not lie where nothing of the image is seen. */
export function checkBinds({ processes, problems }: Across): void {
  const all = processes.flatMap(({ type, mounts }) =>
    mounts.map(({ value, at }) => ({ mount: value, at, type })),
  )
  const owners = new Map<string, string | null>()
  for (const { mount } of all)
    if (mount.kind === 'volume' && !isFromSource(mount)) owners.set(mount.volume, null)
  for (const { mount, at, type } of all) {
    if (!isFromSource(mount)) continue
    const name = shownPart(at, mount.source)
    if (mount.kind === 'release') {
      if (mount.holds === 'file' && coverOf(mount.path, type.mounts))
        problems.error(
          at,
          `the file ${name} would not be seen: another mount hides what the image has there`,
          'mount its folder, or COPY it to where the process starts',
        )
      continue
    }
    const owner = owners.get(mount.volume)
    owners.set(mount.volume, owner ?? (owner === null ? null : mount.source))
    if (owner !== undefined && owner !== mount.source)
      problems.error(
        at,
        `${name} would be the same volume as ${owner === null ? 'a named one of the file' : 'another path'}`,
        'rename one of them, or use one of them in both places',
      )
  }
}
