import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const program = join(import.meta.dirname, 'modules-are-current.mjs')
const wanted = {
  '': { version: '1.0.0' },
  'node_modules/a': { version: '1.0.0' },
  'node_modules/for-another-system': { version: '2.0.0', optional: true },
}

const cases: { name: string; installed: Record<string, unknown> | null; isCurrent: boolean }[] = [
  { name: 'nothing is installed', installed: null, isCurrent: false },
  { name: 'all is installed', installed: { 'node_modules/a': { version: '1.0.0' } }, isCurrent: true },
  { name: 'a package is old', installed: { 'node_modules/a': { version: '0.9.0' } }, isCurrent: false },
  { name: 'a package is missing', installed: {}, isCurrent: false },
]

for (const { name, installed, isCurrent } of cases) {
  test(`when ${name}, npm ci is ${isCurrent ? 'not ' : ''}due`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rack-modules-'))
    try {
      await mkdir(join(folder, 'node_modules'))
      await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }))
      const hidden = join(folder, 'node_modules/.package-lock.json')
      if (installed) await writeFile(hidden, JSON.stringify({ packages: installed }))
      const { status } = spawnSync(process.execPath, [program], { cwd: folder })
      assert.equal(status, isCurrent ? 0 : 1)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
