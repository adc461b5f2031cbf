import { join } from 'node:path'
import { writeFileAtomically } from '../src/lib/atomic-file.ts'
import { pages } from './docs/pages.ts'

/** `npm run docs`: writes the generated pages anew; a unit test compares them with the code. */
const root = join(import.meta.dirname, '..')
for (const [path, render] of Object.entries(pages)) {
  await writeFileAtomically(join(root, path), render())
  console.log(path)
}
