import type { ContainerOptions, FileMount, Mount } from './container.ts'

/** What lies over a part of the image's file system when the process runs. */
interface Cover {
  path: string
  kind: 'own volume' | 'named volume' | 'read-only volume' | 'tmpfs' | 'host' | 'file' | 'kernel'
}

/** File systems that every container gets anew at its start. */
const kernelPaths = ['/dev', '/proc', '/sys']

/** Files of every container that are written anew at its start, over whatever is there. */
const writtenAnew = new Set(['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'])

/** Where the configs and secrets of a process find a place. */
export interface FilePlaces {
  /**
   * Directories that need a volume of their own, or the files would not be there: nothing can be put into a read-only
   * file system but for a volume, and what lies below a directory in memory is hidden once that is mounted. Such a volume
   * has no name, is filled from the image, and goes with its copy.
   */
  volumes: string[]
  /** Files that no copy could hold at their path, and why. */
  faults: { file: FileMount; reason: string; hint: string }[]
}

/** Judges the paths of configs and secrets against what is mounted around them. */
export function placeFiles({
  files,
  mounts,
  container,
}: {
  files: FileMount[]
  mounts: Mount[]
  container: Pick<ContainerOptions, 'readOnly'>
}): FilePlaces {
  const covers = [...kernelPaths.map((path): Cover => ({ path, kind: 'kernel' })), ...mounts.map(coverOf)]
  const places: FilePlaces = { volumes: [], faults: [] }
  // The shortest first: a volume serves all directories below it too.
  for (const file of files.toSorted((a, b) => a.path.length - b.path.length)) {
    const hint = `give it a target in a directory of its own, such as ${placeOfItsOwn(file)}`
    if (writtenAnew.has(file.path)) {
      places.faults.push({ file, reason: 'the rack writes that file itself', hint })
      continue
    }
    const directory = file.path.slice(0, file.path.lastIndexOf('/')) || '/'
    const cover = deepest(covers, file.path)
    const isHidden = cover ? cover.kind !== 'own volume' : container.readOnly
    covers.push({ path: file.path, kind: 'file' })
    if (!isHidden) continue
    const canHold = !cover || (cover.kind === 'tmpfs' && cover.path !== directory)
    if (canHold && directory !== '/') {
      places.volumes.push(directory)
      covers.push({ path: directory, kind: 'own volume' })
    } else {
      const reason =
        cover && cover.kind !== 'own volume' ? why[cover.kind] : 'the root directory is read-only'
      places.faults.push({ file, reason, hint })
    }
  }
  return places
}

/** A path at which any container can hold the file. */
export function placeOfItsOwn({ kind, name }: Pick<FileMount, 'kind' | 'name'>): string {
  return `/run/${kind}s/${name}`
}

function coverOf(mount: Mount): Cover {
  const { kind, path, readOnly } = mount
  if (kind === 'tmpfs') return { path, kind }
  // Not written to: what is there belongs to others than the app.
  if (kind === 'bind') return { path, kind: 'host' }
  if (readOnly) return { path, kind: 'read-only volume' }
  // One without a name goes with its copy, as the file does.
  return { path, kind: kind === 'volume' ? 'named volume' : 'own volume' }
}

function deepest(covers: Cover[], path: string): Cover | undefined {
  const over = covers.filter((cover) => path.startsWith(cover.path === '/' ? '/' : `${cover.path}/`))
  return over.sort((a, b) => b.path.length - a.path.length)[0]
}

const why: Record<Exclude<Cover['kind'], 'own volume'>, string> = {
  'named volume': 'a named volume is mounted there, which would show it to other processes and keep it',
  'read-only volume': 'a read-only volume is mounted there',
  tmpfs: 'a directory in memory is mounted there, empty at each start',
  host: 'a directory of the host is mounted there',
  file: 'another config or secret is a file there',
  kernel: 'the kernel fills that directory',
}
