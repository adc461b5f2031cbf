import { join } from 'node:path'
import { checkImports } from './check.ts'

const { files, imports, problems } = await checkImports(join(import.meta.dirname, '../..'))
for (const problem of problems) console.error(problem)
console.log(`${imports} imports of ${files} files, ${problems.length} broken rules`)
process.exitCode = problems.length > 0 ? 1 : 0
