import type { Problems } from '../problems.ts'
import { childOf, type MapNode } from '../syntax/tree.ts'
import { declaredFiles, type DeclaredFiles } from './files/declared-files.ts'
import { entriesOf } from './values/values.ts'
import { declaredVolumes } from './mounts/volumes.ts'

/** What the file declares beside its processes; null where any name will do, as in version 1. */
export interface Declarations {
  volumes: Set<string> | null
  networks: Set<string> | null
  configs: DeclaredFiles
  secrets: DeclaredFiles
}

/** Reads the top-level keys whose names a process may use. */
export function declarationsOf(
  { root, isVersionOne }: { root: MapNode; isVersionOne: boolean },
  problems: Problems,
): Declarations {
  const networks = entriesOf(childOf(root, 'networks'), problems).map(([name]) => name)
  return {
    volumes: isVersionOne ? null : declaredVolumes(childOf(root, 'volumes'), problems),
    networks: isVersionOne ? null : new Set(networks),
    configs: declaredFiles(root, 'config', problems),
    secrets: declaredFiles(root, 'secret', problems),
  }
}
