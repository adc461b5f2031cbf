import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileMount } from '../../test/support/plans.ts'
import { plainContainer, type Mount } from './container.ts'
import { placeFiles } from './file-places.ts'

const tmpfs = (path: string): Mount => ({
  kind: 'tmpfs',
  path,
  readOnly: false,
  sizeBytes: null,
  mode: null,
  options: [],
})
const volume = (path: string, readOnly = false): Mount => ({
  kind: 'volume',
  volume: 'data',
  path,
  readOnly,
  noCopy: false,
})
const bind = (path: string): Mount => ({ kind: 'bind', source: '/srv', path, readOnly: false })

const placesFor = (paths: string[], mounts: Mount[], readOnly = false) =>
  placeFiles({
    files: paths.map((path) => fileMount(path, '')),
    mounts,
    container: { ...plainContainer, readOnly },
  })
const volumesFor = (...given: Parameters<typeof placesFor>) => placesFor(...given).volumes

const discarded = (path: string, readOnly = false): Mount => ({ kind: 'discarded', path, readOnly })

test('a file of a plain container needs no volume, nor one in a volume that goes with its copy', () => {
  const nothing = { volumes: [], faults: [] }
  assert.deepEqual(placesFor(['/run/secrets/key', '/key'], []), nothing)
  assert.deepEqual(placesFor(['/cache/key'], [discarded('/cache')], true), nothing)
})

test('no named volume gets a file: it would stay there, for others too', () => {
  const reason = /a named volume is mounted there, which would show it to other processes and keep it/
  for (const isReadOnly of [false, true]) {
    const { volumes, faults } = placesFor(['/data/key', '/data/sub/key'], [volume('/data')], isReadOnly)
    assert.deepEqual(volumes, [])
    assert.equal(faults.length, 2)
    for (const fault of faults) assert.match(fault.reason, reason)
  }
})

test('no file lies below another', () => {
  for (const isReadOnly of [false, true]) {
    const { faults } = placesFor(['/etc/app/key/sub', '/etc/app/key', '/etc/app/keys'], [], isReadOnly)
    assert.deepEqual(
      faults.map(({ file, reason }) => [file.path, reason]),
      [['/etc/app/key/sub', 'another config or secret is a file there']],
    )
  }
})

test('a read-only file system: one volume for each directory, and none below another', () => {
  const paths = ['/etc/app/sub/a', '/etc/app/b', '/etc/app/c', '/run/secrets/key']
  assert.deepEqual(volumesFor(paths, [], true), ['/etc/app', '/run/secrets'])
  assert.deepEqual(volumesFor(['/etc/app2/a', '/etc/app/b'], [], true), ['/etc/app', '/etc/app2'])
})

test('below a directory in memory the file has a volume, unless a volume is nearer', () => {
  assert.deepEqual(volumesFor(['/run/secrets/key'], [tmpfs('/run')]), ['/run/secrets'])
  assert.deepEqual(volumesFor(['/running/key'], [tmpfs('/run')]), [])
  assert.deepEqual(volumesFor(['/run/data/key'], [tmpfs('/run'), discarded('/run/data')]), [])
})

test('where no file can be put, the place and the reason are said', () => {
  const cases: [path: string, mounts: Mount[], readOnly: boolean, reason: RegExp][] = [
    ['/run/key', [tmpfs('/run')], false, /a directory in memory is mounted there/],
    ['/shop/etc/key', [bind('/shop')], false, /a directory of the host is mounted there/],
    ['/data/key', [volume('/data', true)], false, /a read-only volume is mounted there/],
    ['/cache/key', [discarded('/cache', true)], false, /a read-only volume is mounted there/],
    ['/dev/shm/key', [], false, /the kernel fills that directory/],
    ['/etc/hosts', [], false, /the rack writes that file itself/],
    ['/etc/resolv.conf', [volume('/etc')], false, /the rack writes that file itself/],
    ['/key', [], true, /the root directory is read-only/],
  ]
  for (const [path, mounts, readOnly, reason] of cases) {
    const { volumes, faults } = placesFor([path], mounts, readOnly)
    assert.deepEqual(volumes, [])
    assert.match(faults[0]?.reason ?? '', reason)
    assert.match(faults[0]?.hint ?? '', /\/run\/secrets\/key/)
  }
})
