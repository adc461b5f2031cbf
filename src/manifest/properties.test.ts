import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ManifestSource } from '../domain/manifest.ts'
import { describeManifest } from './describe.ts'
import { filesOf } from './files.ts'
import { formatProblems } from './report.ts'
import { interpolate } from './syntax/interpolate.ts'

/** Generous for a busy machine; what it guards against takes minutes. */
const longestMs = 3000

const cases = new URL('../../test/golden/manifest/cases/', import.meta.url)
const seeds = globSync('*/{docker-,}{compose,stack}*.{yml,yaml}', { cwd: cases })
  .sort()
  .map((name) => readFileSync(new URL(name, cases), 'utf8'))

const fragments = [
  '${',
  '}',
  '$',
  '${A:-',
  '*a',
  '&a ',
  '<<: ',
  '- ',
  '? ',
  '\t',
  '\n',
  '  ',
  '[',
  ']',
  '{',
  '"',
  "'",
  ': ',
  '|\n',
  '#',
  '!reset ',
  'null',
  '0x10',
  '-1',
  '99999',
  '\0',
  '😀',
  '__proto__: 1\n',
  'services:\n',
]

/** A real file with some cuts, insertions and copies. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(fc.nat(), fc.nat(40), fc.oneof(fc.constantFrom(...fragments), fc.string({ maxLength: 8 }))),
      { maxLength: 6 },
    ),
  )
  .map(([seed, edits]) =>
    edits.reduce((text, [at, cut, added]) => {
      const from = at % (text.length + 1)
      return text.slice(0, from) + added + text.slice(from + (cut % 9))
    }, seed),
  )

function checkTotal(text: string, dotenv: string | null): void {
  const source: ManifestSource = {
    files: [{ path: 'c.yml', text }],
    dotenv,
    texts: { '.env': text },
    contents: {},
  }
  const before = performance.now()
  const report = describeManifest(source, { environment: { A: '${A}' } })
  assert.equal(
    report.isValid,
    report.problems.every(({ severity }) => severity !== 'error'),
  )
  formatProblems(report.problems, source)
  filesOf(source, {})
  if (dotenv !== null) {
    const files = [source.files[0]!, { path: 'd.yml', text: dotenv }]
    describeManifest({ ...source, files }, { environment: {}, lenientVariables: true })
  }
  const places = report.problems.map(({ position }) => position)
  for (const { line, column } of places) assert.ok(line >= 1 && column >= 1)
  assert.ok(performance.now() - before < longestMs, 'it took too long')
}

test('any text is read or refused, quickly and without throwing', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), checkTotal), {
    numRuns: 500,
  })
})

test('any mutation of a real file is read or refused, quickly and without throwing', () => {
  fc.assert(fc.property(mutated, fc.option(mutated), checkTotal), { numRuns: 300 })
})

test('the same text gives the same answer', () => {
  fc.assert(
    fc.property(mutated, (text) => {
      const read = () =>
        JSON.stringify(
          describeManifest(
            { files: [{ path: 'c', text }], dotenv: null, texts: {}, contents: {} },
            { environment: {} },
          ),
        )
      assert.equal(read(), read())
    }),
    { numRuns: 100 },
  )
})

test('interpolation is total, and the identity without a dollar', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { text: result, fault } = interpolate(text, () => 'x')
      if (!text.includes('$')) assert.equal(result, text)
      if (fault !== null) assert.equal(result, text)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) =>
      assert.equal(interpolate(text.replaceAll('$', '$$$$'), () => 'x').text, text),
    ),
  )
})

const big = 32 * 1024
const hostile: Record<string, string> = {
  'open brackets': '['.repeat(big),
  'open mappings': '{'.repeat(big),
  dashes: '- '.repeat(big / 2),
  anchors: '&a '.repeat(big / 3),
  quotes: '"'.repeat(big),
  'duplicate keys': 'k: 1\n'.repeat(big / 5),
  documents: '---\na: 1\n'.repeat(big / 10),
  'unknown keys': `services:\n  web:\n    image: x\n${Array.from({ length: big / 16 }, (_, index) => `    enviromen${index}: 1\n`).join('')}`,
  'nested variables': `services: { web: { image: "${'${A:-'.repeat(big / 5)}" } }`,
  'many variables': `services: { web: { image: "${'$A'.repeat(big / 2)}" } }`,
  'growing variables': `services: { web: { image: x, command: [${'"$A", '.repeat(big / 6)}] } }`,
  colons: `services: { web: { image: x, extra_hosts: ["a:${':'.repeat(big)}g"], ports: ["${':'.repeat(big)}"] } }`,
  slashes: `services: { web: { image: x, volumes: ["a:${'/'.repeat(big)}x"], working_dir: "${'/'.repeat(big)}" } }`,
  durations: `services: { web: { image: x, stop_grace_period: ${'1s'.repeat(big / 2)}x } }`,
  names: `services: { web: { image: "${'a-'.repeat(big / 2)}!" } }`,
  ranges: `services: { web: { image: x, ports: [${'"1-65535:1-65535",'.repeat(big / 20)}] } }`,
}

test('hostile files of 32 KiB are refused or read in time', () => {
  for (const [name, text] of Object.entries(hostile)) {
    const before = performance.now()
    const source = {
      files: [{ path: 'c.yml', text }],
      dotenv: `A=${'x'.repeat(big)}`,
      texts: {},
      contents: {},
    }
    describeManifest(source, { environment: {} })
    assert.ok(performance.now() - before < longestMs, name)
  }
})
