import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBegun, parseLoaded, planShownChanges } from './shown-changes.ts'

const fileOf = (name: string) => `/rack/router/certificates/${name}.pem`
const [old, own, fallback] = [fileOf('old'), fileOf('own'), fileOf('default')]
const plan = (loaded: string[], entries = [{ path: old, line: 1, host: 'shop.localhost' }]) =>
  planShownChanges(new Map([['shop.localhost', own]]), { entries, loaded }, fallback)

test('what is new comes, what it takes the place of leaves, and the default stays', () => {
  assert.deepEqual(plan([fallback, old]), {
    load: [{ path: own, isNew: true }],
    add: [`${own} shop.localhost`],
    remove: [`${old}:1`],
    unload: [old],
  })
  const shown = [{ path: own, line: 1, host: 'shop.localhost' }]
  assert.deepEqual(plan([fallback, own], shown), { load: [], add: [], remove: [], unload: [] })
})

test('certificates that HAProxy has for something else than to show them stay', () => {
  assert.deepEqual(plan(['/rack/router/share-0123456789abcdef.pem', fallback, old]).unload, [old])
})

test('one that is half told is told again', () => {
  assert.deepEqual(plan([fallback, own], []).load, [{ path: own, isNew: false }])
})

test('the change that was begun and not made is told by a star, and is no file that is in memory', () => {
  const text = `# transaction\n*${own}\n# filename\n${fallback}\n${own}\n\n`
  assert.deepEqual([parseBegun(text), parseLoaded(text)], [own, [fallback, own]])
  assert.equal(parseBegun(`# filename\n${fallback}\n`), null)
})
