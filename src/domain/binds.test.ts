import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bindsOf, coverOf, isLaidOver, mountsToMake } from './binds.ts'
import type { ReleaseMount, TypeMount } from './container.ts'

const data = {
  kind: 'volume',
  volume: 'data',
  source: 'data',
  path: '/data',
  readOnly: false,
  noCopy: false,
  isFilled: false,
} as const
const content = (path: string): ReleaseMount => ({
  kind: 'release',
  source: 'html',
  path,
  readOnly: true,
  holds: 'folder',
})

test('what is in the image is not mounted, but where another mount would hide it', () => {
  const mounts: TypeMount[] = [data, content('/html'), content('/data/html'), content('/data/html/deep')]
  const { source: _source, isFilled: _isFilled, ...volume } = data
  assert.deepEqual(mountsToMake(mounts), [volume, { kind: 'discarded', path: '/data/html', readOnly: false }])
})

test('content is hidden by the deepest mount above it, unless that is filled from the image', () => {
  const tmpfs: TypeMount = {
    kind: 'tmpfs',
    path: '/data/tmp',
    readOnly: false,
    sizeBytes: null,
    mode: null,
    options: [],
  }
  const unnamed: TypeMount = { kind: 'discarded', path: '/data/own', readOnly: false }
  const mounts = [data, tmpfs, unnamed]
  assert.equal(coverOf('/data/file', mounts), data)
  assert.equal(coverOf('/data/tmp/file', mounts), tmpfs)
  assert.equal(coverOf('/data/own/file', mounts), undefined)
  assert.equal(coverOf('/database', mounts), undefined)
})

test('a folder that is, or holds, the build context is laid over what the build left', () => {
  const over = (source: string, context: string) => isLaidOver(source, { context })
  assert.deepEqual(
    [over('.', '.'), over('.', 'web'), over('web', 'web'), over('web', 'web/app')],
    [true, true, true, true],
  )
  assert.deepEqual([over('html', '.'), over('web', 'website'), isLaidOver('.', null)], [false, false, false])
})

test('a build notes each mount of the source by its path', () => {
  assert.deepEqual(bindsOf([content('/z'), data, { kind: 'discarded', path: '/a', readOnly: false }]), [
    { path: '/data', source: 'data', as: 'volume' },
    { path: '/z', source: 'html', as: 'release' },
  ])
})
