import { join } from 'node:path'
import { toolFile } from '../src/account/tool-image.ts'
import { compileTool } from './bundle/compile-tool.ts'

/** `npm run build:tool`: `src/tool` → `dist/rack-tool-linux-amd64`, which `rack install aws` puts into the account. */
const dist = join(import.meta.dirname, '../dist')

try {
  await compileTool(join(dist, toolFile))
  console.log(`dist/${toolFile} is built`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
