import type { Problems } from '../problems.ts'
import { childOf, type MapNode } from '../syntax/tree.ts'
import { declaredFiles, type DeclaredFiles } from './files/declared-files.ts'
import { booleanOf, entriesOf } from './values/values.ts'
import { externalsOf, type External } from './externals.ts'
import { bindVolumesOf, type BindVolume } from './mounts/bind-volumes.ts'
import { declaredVolumes } from './mounts/volumes.ts'

/** What the file declares beside its processes; null where any name will do, as in version 1. */
export interface Declarations {
  volumes: Set<string> | null
  externalVolumes: Map<string, External>
  bindVolumes: Map<string, BindVolume>
  externalNetworks: Map<string, External>
  /** Networks without a way out, by their keys. */
  internalNetworks: Set<string>
  networks: Set<string> | null
  configs: DeclaredFiles
  secrets: DeclaredFiles
}

/** Reads the top-level keys whose names a process may use. */
export function declarationsOf(
  { root, isVersionOne }: { root: MapNode; isVersionOne: boolean },
  problems: Problems,
): Declarations {
  const declared = entriesOf(childOf(root, 'networks'), problems)
  const networks = declared.map(([name]) => name)
  const internal = declared.flatMap(([name, { value }]) =>
    booleanOf(childOf(value, 'internal'), problems) === true ? [name] : [],
  )
  return {
    volumes: isVersionOne ? null : declaredVolumes(childOf(root, 'volumes'), problems),
    bindVolumes: bindVolumesOf(childOf(root, 'volumes'), problems),
    externalVolumes: externalsOf(childOf(root, 'volumes'), problems),
    externalNetworks: externalsOf(childOf(root, 'networks'), problems),
    internalNetworks: new Set(internal),
    networks: isVersionOne ? null : new Set(networks),
    configs: declaredFiles(root, 'config', problems),
    secrets: declaredFiles(root, 'secret', problems),
  }
}
