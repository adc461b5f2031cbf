import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { finishGoingBack } from './hand-over.ts'
import { installationPaths } from './installation.ts'

/** A rack whose store a new version has changed, with what was in it before, and a file that says what is under way. */
async function makeRack(marker: object | null) {
  const made = await mkdtempDisposable(join(tmpdir(), 'rack-hand-over-'))
  const paths = installationPaths(made.path)
  for (const [folder, text] of [
    [paths.store, 'new'],
    [join(paths.beforeUpdate, 'store'), 'old'],
  ] as const) {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'rack.db'), text)
  }
  await writeFile(join(paths.beforeUpdate, 'audit.head'), 'head')
  if (marker) await writeFile(paths.handOver, JSON.stringify(marker))
  const stored = async () => await readFile(join(paths.store, 'rack.db'), 'utf8')
  return { ...paths, directory: made.path, stored, [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() }
}

const from = { node: '/node', script: '/start.mjs' }

test('who was killed while the store was put back is followed by one who does it whole', async () => {
  await using rack = await makeRack({ from, isCopied: true, isGoingBack: true })
  // Half of it had come.
  await mkdir(`${rack.store}.fresh`)
  await finishGoingBack(rack.directory)
  assert.equal(await rack.stored(), 'old')
  assert.equal(await readFile(rack.auditHead, 'utf8'), 'head')
  assert.deepEqual((await readdir(rack.directory)).toSorted(), ['audit.head', 'before-update', 'store'])
})

test('a store that was whole and not in its place yet gets there', async () => {
  await using rack = await makeRack({ from, isCopied: true, isGoingBack: true })
  await rename(join(rack.beforeUpdate, 'store'), `${rack.store}.whole`)
  await mkdir(join(rack.beforeUpdate, 'store'))
  await writeFile(join(rack.beforeUpdate, 'store/rack.db'), 'old')
  await finishGoingBack(rack.directory)
  assert.equal(await rack.stored(), 'old')
})

test('one that goes forward, or none, leaves the store alone', async () => {
  for (const marker of [{ from, isCopied: true, isGoingBack: false }, null]) {
    await using rack = await makeRack(marker)
    await finishGoingBack(rack.directory)
    assert.equal(await rack.stored(), 'new')
  }
})
