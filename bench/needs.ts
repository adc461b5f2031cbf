import { join } from 'node:path'
import { ensureEngine, packagesForEngine } from '../scripts/steps/engine.ts'
import { ensureImages } from '../scripts/steps/images.ts'
import { ensurePackages } from '../scripts/steps/packages.ts'
import { run } from '../scripts/steps/shell.ts'

/** What a benchmark needs of the machine, beside the rack's own programs. */
export interface Needs {
  packages: string[]
  images: string[]
}

/** Sees to it that the programs are built and all of it is there, as the set-up does it: nothing is done twice. */
export async function ensureNeeds({ packages, images }: Needs): Promise<void> {
  await run(process.execPath, [join(import.meta.dirname, '../scripts/build.ts'), '--if-stale'])
  await ensurePackages([...packages, ...(await packagesForEngine())])
  await ensureEngine()
  await ensureImages(images)
}
