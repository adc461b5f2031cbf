import { isFromSource, isLaidOver } from '../domain/binds.ts'
import type { ImageRequest, LaidContent } from '../domain/engine.ts'
import { buildsByType } from '../domain/image-name.ts'
import type { BuildSpec, Manifest, ProcessType } from '../domain/manifest.ts'
import type { SourceContent } from './source-content.ts'

/** The images of an app, each once: processes share one that is made the same way and holds the same content. */
export function imageRequests(
  { processes }: Pick<Manifest, 'processes'>,
  content: SourceContent,
): ImageRequest[] {
  const builds = buildsByType(processes)
  const requests = new Map<string, ImageRequest>()
  for (const type of processes) {
    const build = builds.get(type.name) ?? null
    const image = build ? null : type.image
    const laid = laidInto(type, build, content)
    const pull = image === null ? null : type.pullPolicy
    const key = JSON.stringify([build ?? image, pull, laid])
    const before = requests.get(key)
    const folders = [...(before?.folders ?? []), ...foldersOf(type)]
    requests.set(key, {
      processes: [...(before?.processes ?? []), type.name],
      build,
      image,
      ...(pull && { pull }),
      ...(laid.length > 0 && { laid }),
      ...(folders.length > 0 && { folders }),
    })
  }
  return [...requests.values()]
}

/** What lies deeper is laid later. */
function laidInto({ mounts }: ProcessType, build: BuildSpec | null, content: SourceContent): LaidContent[] {
  const laid = mounts.filter(isFromSource).flatMap((mount): LaidContent[] => {
    const { path, source } = mount
    const isFilling = mount.kind === 'volume'
    if (isFilling && !mount.isFilled) return []
    const holds = isFilling ? 'folder' : mount.holds
    const isOver = holds === 'folder' && !isFilling && isLaidOver(source, build)
    return [{ path, source, holds, isOver, isFilling, ...content.take(source, path) }]
  })
  return laid.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The volumes of paths of which the source has nothing. */
function foldersOf({ mounts }: ProcessType): NonNullable<ImageRequest['folders']> {
  return mounts.flatMap((mount) =>
    mount.kind === 'volume' && isFromSource(mount) && !mount.isFilled
      ? [{ path: mount.path, source: mount.source }]
      : [],
  )
}
