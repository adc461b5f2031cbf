import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ManifestSource } from '../domain/manifest.ts'
import { assertGolden } from '../../test/support/golden.ts'
import { describeManifest } from './describe.ts'
import { readManifest } from './read-manifest.ts'
import { countProblems, formatProblems } from './report.ts'

const folder = new URL('../../test/golden/manifest/', import.meta.url)

for (const name of readdirSync(folder).filter((file) => file.endsWith('.yml'))) {
  test(`${name} is read as before`, () => {
    const text = readFileSync(new URL(name, folder), 'utf8')
    const source: ManifestSource = {
      files: [{ path: name, text }],
      dotenv: 'DB_PASSWORD=secret\n',
      texts: {},
      contents: {},
    }
    const report = describeManifest(source, { environment: {} })
    const { manifest } = readManifest(source, { environment: {} })
    const verdicts = report.verdicts.map(({ path, verdict }) => `${path}: ${verdict}`)
    const result = { counts: report.counts, verdicts, processes: report.processes, manifest }
    const stem = `manifest/${name.replace(/\.yml$/, '')}`
    assertGolden(
      `${stem}.txt`,
      `${formatProblems(report.problems, source)}\n${countProblems(report.problems)}\n`,
    )
    assertGolden(`${stem}.json`, `${JSON.stringify(result, null, 2)}\n`)
  })
}
