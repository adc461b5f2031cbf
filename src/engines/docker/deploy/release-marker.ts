import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '../../../lib/atomic-file.ts'

/** Remembers whose release commands have run, so that a repeated deploy of the same release does not run them again. */
export interface ReleaseMarkers {
  has(app: string, release: string): Promise<boolean>
  set(app: string, release: string): Promise<void>
  remove(app: string): Promise<void>
}

/** One small file per app. */
export function openReleaseMarkers(directory: string): ReleaseMarkers {
  const path = (app: string) => join(directory, `${app}.release`)
  return {
    async has(app, release) {
      try {
        return (await readFile(path(app), 'utf8')).trim() === release
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
        throw error
      }
    },
    async set(app, release) {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeFileAtomically(path(app), `${release}\n`, { mode: 0o600 })
    },
    async remove(app) {
      await rm(path(app), { force: true })
    },
  }
}
