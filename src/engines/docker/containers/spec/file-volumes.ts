import { posix } from 'node:path'
import type { FileMount } from '../../../../domain/container.ts'
import { RackError } from '../../../../domain/error.ts'
import type { ProcessPlan } from '../../../../domain/plan.ts'

/** What lies over a part of the image's file system when the process runs. */
interface Cover {
  path: string
  kind: 'volume' | 'tmpfs' | 'host' | 'read-only volume' | 'kernel'
}

/** File systems that every container gets anew at its start. */
const kernelPaths = ['/dev', '/proc', '/sys']

/**
 * Directories that need a volume of their own, or the files that the rack puts into them would not be there: Docker
 * takes no file into a read-only file system except in a volume, and what lies below a directory in memory is hidden
 * when that is mounted at the start. Such a volume has no name: Docker fills it from the image, and it goes with its
 * container.
 *
 * @throws unsupported for a place where no file can be put
 */
export function fileVolumes({
  files,
  mounts,
  container,
}: Pick<ProcessPlan, 'files' | 'mounts' | 'container'>) {
  const covers = [...kernelPaths.map((path): Cover => ({ path, kind: 'kernel' })), ...mounts.map(coverOf)]
  const volumes: string[] = []
  // The shortest first: a volume serves all directories below it too.
  for (const file of files.toSorted((a, b) => a.path.length - b.path.length)) {
    const directory = posix.dirname(file.path)
    const cover = deepest(covers, file.path)
    const isHidden = cover ? cover.kind !== 'volume' : container.readOnly
    if (!isHidden) continue
    const canHold = !cover || (cover.kind === 'tmpfs' && cover.path !== directory)
    if (!canHold || directory === '/') throw noPlace(file, cover)
    volumes.push(directory)
    covers.push({ path: directory, kind: 'volume' })
  }
  return volumes
}

function coverOf(mount: ProcessPlan['mounts'][number]): Cover {
  const { kind, path, readOnly } = mount
  if (kind === 'tmpfs') return { path, kind }
  // Not written to: what is there belongs to others than the app.
  if (kind === 'bind') return { path, kind: 'host' }
  return { path, kind: readOnly ? 'read-only volume' : 'volume' }
}

function deepest(covers: Cover[], path: string): Cover | undefined {
  const over = covers.filter((cover) => path.startsWith(cover.path === '/' ? '/' : `${cover.path}/`))
  return over.sort((a, b) => b.path.length - a.path.length)[0]
}

const why: Record<Cover['kind'], (path: string) => string> = {
  volume: (path) => `a volume is mounted at ${path}`,
  tmpfs: (path) => `${path} is a directory in memory, empty at each start`,
  host: (path) => `a directory of the host is mounted at ${path}`,
  'read-only volume': (path) => `a read-only volume is mounted at ${path}`,
  kernel: (path) => `the kernel fills ${path}`,
}

function noPlace({ kind, name, path }: FileMount, cover: Cover | undefined): RackError {
  const reason = cover ? why[cover.kind](cover.path) : 'the root directory is read-only'
  return new RackError('unsupported', `the ${kind} ${name} cannot be put at ${path}: ${reason}`, {
    hint: `Give it a target in a directory of its own, such as /run/${kind}s/${name}.`,
  })
}
