import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** One hash over all that the bundle is made from: the sources without their tests, the lock file, this program. */
export function hashSources(root: string): string {
  const isSource = (file: string) => /\.(ts|tsx|json|css|html)$/.test(file) && !file.endsWith('.test.ts')
  const files = ['src', 'scripts/bundle'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && isSource(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  )
  const hash = createHash('sha256')
  for (const file of [...files, 'package-lock.json', 'package.json', 'tsconfig.json'].toSorted()) {
    hash.update(`${file}\0`)
    hash.update(readFileSync(join(root, file)))
    hash.update('\0')
  }
  return hash.digest('hex')
}
