import assert from 'node:assert/strict'
import { describeManifest } from '../../../src/manifest/describe.ts'
import { filesOf } from '../../../src/manifest/files.ts'
import { printManifest } from '../../../src/manifest/print-manifest.ts'
import { readManifest } from '../../../src/manifest/read-manifest.ts'
import { formatProblems } from '../../../src/manifest/report.ts'
import type { HostileInput } from './hostile-input.ts'

/** What came of an input. */
export interface HostileReading {
  isValid: boolean
  /** The time on a processor of the longest of the readings; what else a shared machine does is not in it. */
  ms: number
}

/** Reads an input in every way in which the product reads one, and throws when an answer contradicts itself. */
export function checkTotal({ source, options }: HostileInput): HostileReading {
  const [report, reportMs] = timed(() => describeManifest(source, options))
  const { problems, isValid } = report
  const hasErrors = problems.some(({ severity }) => severity === 'error')
  assert.notEqual(isValid, hasErrors, 'a file is valid exactly when no problem is an error')
  for (const { position, message } of problems) {
    assert.ok(position.line >= 1 && position.column >= 1, 'a problem has a place')
    assert.notEqual(message, '', 'a problem says something')
  }
  formatProblems(problems, source)
  const [{ texts, contexts }, filesMs] = timed(() => filesOf(source, options.environment))
  for (const path of [...texts, ...contexts.map(({ context }) => context)]) {
    assert.ok(isInside(path), `${path} leaves the source directory`)
  }
  if (isValid) checkFixedPoint({ source, options })
  return { isValid, ms: Math.max(reportMs, filesMs) }
}

/** What is printed in its canonical form is read as the same. */
function checkFixedPoint({ source, options }: HostileInput): void {
  const { manifest } = readManifest(source, options)
  if (!manifest) return assert.fail('the report and the reader agree')
  const path = source.files[0]?.path ?? ''
  const printed = printManifest(manifest)
  const again = readManifest({ ...source, files: [{ path, text: printed }] }, options)
  const errors = again.problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  assert.deepEqual(errors, [], 'a canonical file has no errors')
  assert.deepEqual(again.manifest, manifest, 'a canonical file is read as what was printed')
  assert.equal(printManifest(manifest), printed)
}

function timed<T>(read: () => T): [T, number] {
  const before = process.threadCpuUsage()
  const result = read()
  const { user, system } = process.threadCpuUsage(before)
  return [result, (user + system) / 1000]
}

function isInside(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..')
}
