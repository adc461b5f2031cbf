import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../../test/support/compose.ts'
import type { PlaceKind } from '../../../domain/manifest.ts'
import { strictPolicy } from '../../../domain/policy.ts'
import { filesOf } from '../../files.ts'

const fileOf = (options: string, mount = 'pages:/www') =>
  `services:\n  web: { image: x, volumes: [${mount}] }\nvolumes:\n  pages:\n    driver: local\n    driver_opts: ${options}\n`

function read(options: string, holds: Record<string, PlaceKind> = {}, mount?: string) {
  const places = Object.fromEntries(Object.entries(holds).map(([path, kind]) => [path, { holds: kind }]))
  const policy = { ...strictPolicy, binds: ['/srv/media'] }
  const { processes, problems } = readCompose(fileOf(options, mount), {}, { places, policy })
  return { mount: processes[0]?.mounts[0], problems }
}

test('a volume that is a path is what the path itself would be', () => {
  const relative = '{ type: none, o: bind, device: ./html }'
  const release = read(relative, { html: 'folder' })
  assert.deepEqual(release.mount, {
    kind: 'release',
    source: 'html',
    path: '/www',
    holds: 'folder',
    readOnly: false,
  })
  const data = read(relative).mount
  assert.deepEqual(data?.kind === 'volume' && 'source' in data && [data.volume, data.source], [
    'html',
    'html',
  ])
  const long = read(
    '{ o: "bind,ro", device: html }',
    { html: 'folder' },
    '{ type: volume, source: pages, target: /w }',
  )
  assert.deepEqual([long.mount?.kind, long.mount?.path, long.mount?.readOnly], ['release', '/w', true])
  assert.deepEqual(long.problems, [])
  const host = read('{ type: none, o: bind, device: /srv/media/film }', {}, '"pages:/film:ro"')
  assert.deepEqual(host, {
    mount: { kind: 'bind', source: '/srv/media/film', path: '/film', readOnly: true },
    problems: [],
  })
})

test('its path is sent as that of a bind mount is', () => {
  const text = fileOf('{ type: none, o: bind, device: ./html }')
  const { binds } = filesOf({ files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }, {})
  assert.deepEqual(binds, ['html'])
})

test('what the policy refuses, and any other driver, is refused where it is written', () => {
  const refused = (options: string) => read(options).problems.join('\n')
  assert.match(
    refused('{ type: none, o: bind, device: /srv/other }'),
    /^6:\d+: error: .*policy does not allow it/,
  )
  assert.match(
    refused('{ type: none, o: bind, device: /var/run/docker.sock }'),
    /no access to the rack's engine/,
  )
  for (const options of [
    '{ type: nfs, o: "addr=10.0.0.1,rw", device: ":/share" }',
    '{ type: none, o: "bind,rslave", device: ./html }',
    '{ type: none, o: bind }',
    '{ type: none, device: ./html }',
    '{ type: none, o: bind, device: ./html, size: 5g }',
    '{ mountpoint: /x }',
  ])
    assert.match(
      refused(options),
      /^6:5: error: volumes\.pages\.driver_opts: "driver_opts" is refused/,
      options,
    )
  assert.deepEqual(read('{}').problems, [])
})
