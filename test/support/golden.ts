import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Compares a text with a file under `test/golden`. A file that is not there yet is written and the test fails, so that
 * a person looks at it; `UPDATE_GOLDEN=1` writes them all again.
 */
export function assertGolden(name: string, text: string): void {
  const path = new URL(`../golden/${name}`, import.meta.url)
  if (process.env.UPDATE_GOLDEN === '1' || !existsSync(path)) {
    mkdirSync(dirname(path.pathname), { recursive: true })
    writeFileSync(path, text)
    if (process.env.UPDATE_GOLDEN !== '1') assert.fail(`${name} was not there: it is written now, read it`)
  }
  assert.equal(text, readFileSync(path, 'utf8'))
}
