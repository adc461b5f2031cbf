import { readdir } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hashSources } from './bundle/sources.ts'
import { readStamp, writeStamp } from './bundle/stamp.ts'

/** `npm run build [-- --if-stale]`: `src` → `dist`; with `--if-stale` only when the sources have changed. */
const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const started = performance.now()

const sources = hashSources(root)
const previous = readStamp(dist)
const isFresh = previous.sources === sources && previous.files.every((file) => existsSync(join(dist, file)))
if (!(isFresh && process.argv.includes('--if-stale'))) await make()

async function make(): Promise<void> {
  // Imported late: a build that has nothing to do need not load esbuild.
  const { bundle, removeOld } = await import('./bundle/bundle.ts')
  const { describe } = await import('./bundle/describe.ts')
  try {
    const files = [...(await bundle(root, dist)), await describe(dist)]
    await writeStamp(dist, { sources, files })
    await removeOld(dist, [...files, ...previous.files], await readdir(dist))
    const code = files.filter((name) => name.endsWith('.js'))
    console.log(`dist/ has ${code.length} files, built in ${Math.round(performance.now() - started)} ms`)
  } catch (error) {
    // esbuild has already printed each error with its place.
    const isPrinted = error instanceof Error && 'errors' in error
    if (!isPrinted) console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
