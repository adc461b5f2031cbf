import type { ContainerOptions, FileMount, Mount } from './container.ts'

/** What lies over a part of the image's file system when the process runs. */
interface Cover {
  path: string
  kind: 'volume' | 'tmpfs' | 'host' | 'read-only volume' | 'kernel'
}

/** File systems that every container gets anew at its start. */
const kernelPaths = ['/dev', '/proc', '/sys']

/** Files of every container that are written anew at its start, over whatever is there. */
const writtenAnew = new Set(['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'])

/** Where the files of a type go. */
export interface FilePlaces {
  /**
   * Directories that need a volume of their own, or the files would not be there: nothing is put into a read-only file
   * system except into a volume, and what lies below a directory in memory is hidden when that is mounted at the start.
   */
  volumes: string[]
  /** Files that can be put nowhere, and why. */
  refused: { file: FileMount; reason: string }[]
}

interface Surroundings {
  files: FileMount[]
  mounts: Mount[]
  container: Pick<ContainerOptions, 'readOnly'>
}

/** Finds the places of the files of a type among its mounts. */
export function filePlaces({ files, mounts, container }: Surroundings): FilePlaces {
  const covers = [...kernelPaths.map((path): Cover => ({ path, kind: 'kernel' })), ...mounts.map(coverOf)]
  const places: FilePlaces = { volumes: [], refused: [] }
  // The shortest first: a volume serves all directories below it too.
  for (const file of files.toSorted((a, b) => a.path.length - b.path.length)) {
    const directory = file.path.slice(0, file.path.lastIndexOf('/')) || '/'
    const cover = deepest(covers, file.path)
    if (writtenAnew.has(file.path)) {
      places.refused.push({ file, reason: 'the rack writes that file itself' })
      continue
    }
    const isHidden = cover ? cover.kind !== 'volume' : container.readOnly
    if (!isHidden) continue
    const canHold = !cover || (cover.kind === 'tmpfs' && cover.path !== directory)
    if (!canHold || directory === '/') {
      places.refused.push({
        file,
        reason: cover ? why[cover.kind](cover.path) : 'the root directory is read-only',
      })
      continue
    }
    places.volumes.push(directory)
    covers.push({ path: directory, kind: 'volume' })
  }
  return places
}

/** Where such a file can always be put. */
export function placeOfItsOwn({ kind, name }: FileMount): string {
  return `/run/${kind}s/${name}`
}

function coverOf(mount: Mount): Cover {
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
