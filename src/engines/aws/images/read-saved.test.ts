import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf } from '../../../domain/error.ts'
import { digestOf } from '../../../aws/registry/manifests.ts'
import { packTar, type TarEntry } from '../../../../test/support/tar.ts'
import { readSaved } from './read-saved.ts'

const diffId = `sha256:${'a'.repeat(64)}`
const configOf = (architecture: string) =>
  JSON.stringify({ os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: [diffId, diffId] } })
const config = configOf('amd64')
const digest = digestOf(config)
const sum = digest.slice('sha256:'.length)
const listOf = (...images: object[]): TarEntry => ({ name: 'manifest.json', content: JSON.stringify(images) })

const read = async (entries: TarEntry[], wanted = digest) =>
  (await readSaved(packTar(entries), new Set([wanted]))).get(wanted)!

test('an image is found as older and as newer engines save it', async () => {
  const [first, second] = ['1', '2'].map((letter) => letter.repeat(64)) as [string, string]
  const older = await read([
    { name: `${sum}.json`, content: config },
    { name: `${first}/layer.tar`, content: 'a tar' },
    { name: `${second}/layer.tar`, linkname: `../${first}/layer.tar` },
    listOf({ Config: `${sum}.json`, Layers: [`${first}/layer.tar`, `${second}/layer.tar`] }),
  ])
  const shared = { path: `${first}/layer.tar`, diffId }
  assert.deepEqual(older.layers, [shared, shared])
  const blob = `blobs/sha256/${first}`
  const newer = await read([
    listOf(
      { Config: 'blobs/sha256/of-another', RepoTags: null, Layers: [] },
      { Config: `blobs/sha256/${sum}`, RepoTags: ['x:1'], Layers: [blob, blob] },
    ),
    { name: `./blobs/sha256/${sum}`, content: config },
  ])
  assert.deepEqual(newer.layers, [
    { path: blob, diffId },
    { path: blob, diffId },
  ])
  assert.equal(String(newer.config), config)
})

test('what is no archive of the image, or of another machine, is refused with its reason', async () => {
  const listed = listOf({ Config: `${sum}.json`, Layers: ['l', 'l'] })
  const whole = { name: `${sum}.json`, content: config }
  const refused = async (entries: TarEntry[], reason: RegExp, code = 'invalid', wanted = digest) =>
    await assert.rejects(read(entries, wanted), (error: Error) => {
      assert.match(error.message, reason)
      assert.equal(codeOf(error), code)
      return true
    })
  await refused([], /manifest\.json is not among them/)
  await refused([whole, { name: 'manifest.json', content: '{' }], /manifest\.json cannot be read/)
  await refused([whole, { name: 'manifest.json', content: '{}' }], /does not list them/)
  await refused([whole, listOf({ Config: 1, Layers: [] })], /does not say what they are/)
  await refused([listed], new RegExp(`${digest} is not among them`))
  await refused([whole, listOf()], new RegExp(`${digest} is not among them`))
  await refused([{ ...whole, content: '{}' }, listed], /is something else/)
  await refused([whole, listOf({ Config: `${sum}.json`, Layers: ['l'] })], /has other layers than it says/)
  await refused([{ ...whole, content: ' '.repeat(5 * 2 ** 20) }, listed], /is larger than 4 MiB/)
  const arm = digestOf(configOf('arm64'))
  const armSum = arm.slice('sha256:'.length)
  const armImage = [
    { name: `${armSum}.json`, content: configOf('arm64') },
    listOf({ Config: `${armSum}.json`, Layers: ['l', 'l'] }),
  ]
  await refused(armImage, /is for linux\/arm64, and this rack runs linux\/amd64/, 'unsupported', arm)
})
