import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../../src/lib/atomic-file.ts'
import { isMissing } from '../../src/lib/missing.ts'

/** What `dist/` holds, beside it in `dist/stamp.json`. */
export interface Stamp {
  sources: string
  files: string[]
}

const emptyStamp: Stamp = { sources: '', files: [] }

/** The stamp of the last build that ended well; an empty one when there is none. */
export function readStamp(dist: string): Stamp {
  try {
    return {
      ...emptyStamp,
      ...(JSON.parse(readFileSync(join(dist, 'stamp.json'), 'utf8')) as Partial<Stamp>),
    }
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return emptyStamp
    throw error
  }
}

/** Written last: a build that was interrupted stays stale. */
export async function writeStamp(dist: string, stamp: Stamp): Promise<void> {
  await writeFileAtomically(join(dist, 'stamp.json'), `${JSON.stringify(stamp)}\n`)
}
