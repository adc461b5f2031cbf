import { stringify } from 'yaml'
import type { FileMount } from '../domain/container.ts'
import type { Manifest } from '../domain/manifest.ts'
import { canonicalProcess } from './print/canonical-process.ts'
import { lean, type Value } from './print/values.ts'

/**
 * A manifest as one compose file in its longest, plainest form: nothing is inherited, included or left to a variable.
 * Read with the same further texts it gives the same manifest again.
 */
export function printManifest(manifest: Manifest): string {
  const { processes, volumes, networks = [] } = manifest
  const files = processes.flatMap(({ files: mounted, build }) => [
    ...mounted,
    ...(build?.secrets ?? []).map((secret) => ({ kind: 'secret' as const, ...secret })),
  ])
  const file = lean({
    services: Object.fromEntries(processes.map((type) => [type.name, canonicalProcess(type)])),
    volumes: { ...Object.fromEntries(volumes.map((name) => [name, {}])), ...externalVolumes(manifest) },
    networks: Object.fromEntries(
      networks.map(({ name, isInternal }) => [name, isInternal ? { internal: true } : {}]),
    ),
    configs: originsOf(files, 'config'),
    secrets: originsOf(files, 'secret'),
  })
  // Words that older readers take for numbers or truths are quoted.
  return stringify(escaped(file ?? {}), { lineWidth: 0, compat: 'yaml-1.1', nullStr: '' })
}

function externalVolumes({ processes }: Manifest): Record<string, Value> {
  const mounts = processes.flatMap((type) => type.mounts)
  return Object.fromEntries(
    mounts.flatMap((mount) =>
      mount.kind === 'volume' && mount.external
        ? [[mount.volume, { external: true, name: mount.external }]]
        : [],
    ),
  )
}

type DeclaredFile = Pick<FileMount, 'kind' | 'name' | 'origin' | 'content'>

function originsOf(files: DeclaredFile[], kind: FileMount['kind']): Value {
  const own = files.filter((file) => file.kind === kind)
  return Object.fromEntries(own.map((file) => [file.name, originOf(file)]))
}

function originOf({ origin, content }: DeclaredFile): Value {
  if (origin === 'content') return { content: textOf(content) }
  return 'file' in origin ? { file: `./${origin.file}` } : { environment: origin.environment }
}

function textOf(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)))
}

/** A dollar is meant as such: every variable has its value already. */
function escaped(value: Value): Value {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$')
  if (Array.isArray(value)) return value.map(escaped)
  if (value === null || value === undefined || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, escaped(inner)]))
}
