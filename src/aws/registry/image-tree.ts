import { posix } from 'node:path'

/** What of an entry of a layer is read. */
export interface TreeEntry {
  type: 'directory' | 'symlink' | 'other'
  mode: number
  uid: number
  gid: number
  modified: Date
  /** Where a symlink points. */
  target: string
}

/** The directories and links of an image, as its layers make them one after the other. */
export interface ImageTree {
  /** One more entry of the layer that is read, by its name in the tar. */
  add(name: string, entry: TreeEntry): void
  /** What is there; null for nothing, and for a file that was not asked for. */
  at(path: string): TreeEntry | null
}

const whiteout = '.wh.'
const opaque = '.wh..wh..opq'

/**
 * @param asked paths of which files are wanted too; of an image with many files no other is kept
 * @see https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
 */
export function createImageTree(asked: ReadonlySet<string>): ImageTree {
  const found = new Map<string, TreeEntry>()
  const dropBelow = (path: string) => {
    const prefix = path === '/' ? '/' : `${path}/`
    for (const known of found.keys()) if (known.startsWith(prefix)) found.delete(known)
  }
  return {
    add(name, entry) {
      const path = posix.resolve('/', name)
      const [directory, base] = [posix.dirname(path), posix.basename(path)]
      if (base === opaque) return dropBelow(directory)
      if (base.startsWith(whiteout)) {
        const gone = posix.join(directory, base.slice(whiteout.length))
        found.delete(gone)
        return dropBelow(gone)
      }
      const before = found.get(path)
      if (before?.type === 'directory' && entry.type !== 'directory') dropBelow(path)
      if (entry.type !== 'other' || asked.has(path)) found.set(path, entry)
      else found.delete(path)
    },
    at: (path) => found.get(path) ?? null,
  }
}

/** As many as Linux follows. */
const mostLinks = 40

/** A path of an image that leads nowhere a file could lie. */
export class PathInTheWay extends Error {
  readonly path: string
  constructor(path: string, why: string) {
    super(why)
    this.name = 'PathInTheWay'
    this.path = path
  }
}

/** Where a directory is in truth, links followed. What is missing is as it is written. @throws PathInTheWay */
export function realDirectory(tree: ImageTree, directory: string): string {
  let followed = 0
  let real = '/'
  const rest = directory.split('/').filter((part) => part !== '')
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '.') continue
    const next = posix.join(real, part)
    const entry = tree.at(next)
    if (entry?.type === 'other') throw new PathInTheWay(directory, `${next} is a file of the image`)
    if (entry?.type !== 'symlink') {
      real = next
      continue
    }
    if (++followed > mostLinks) throw new PathInTheWay(directory, `${next} is a link that leads to itself`)
    rest.unshift(...entry.target.split('/').filter((each) => each !== ''))
    if (entry.target.startsWith('/')) real = '/'
  }
  return real
}
