import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose, readWeb } from '../../../../test/support/compose.ts'
import type { PlaceKind, SourcePlace } from '../../../domain/manifest.ts'
import { filesOf } from '../../files.ts'

const placesOf = (holds: Record<string, PlaceKind>): Record<string, SourcePlace> =>
  Object.fromEntries(Object.entries(holds).map(([path, kind]) => [path, { holds: kind }]))

/** Each mount as `release SOURCE PATH` or `NAME SOURCE PATH`, and what is said. */
function read(keys: string, holds: Record<string, PlaceKind> = {}) {
  const { web, problems } = readWeb(keys, {}, { places: placesOf(holds) })
  const mounts = (web?.mounts ?? []).map((mount) => {
    const source = 'source' in mount ? mount.source : '–'
    return `${mount.kind === 'volume' ? mount.volume : mount.kind} ${source} ${mount.path}`
  })
  return { mounts, problems, web }
}

test('what is in the source is part of the release, what is not there or empty is data', () => {
  const table: [mount: string, holds: PlaceKind, becomes: string][] = [
    ['./nginx.conf:/etc/nginx/nginx.conf', 'file', 'release nginx.conf /etc/nginx/nginx.conf'],
    ['./html:/html:ro', 'folder', 'release html /html'],
    ['html/:/html/:ro', 'folder', 'release html /html'],
    ['.:/app:ro', 'folder', 'release . /app'],
    ['{ type: bind, source: html, target: /html, read_only: true }', 'folder', 'release html /html'],
    ['./data:/data', 'empty', 'data data /data'],
    ['./data:/data', 'nothing', 'data data /data'],
    ['./docker/db/.data:/data', 'nothing', 'docker-db-.data docker/db/.data /data'],
    ['../files/x:/x', 'nothing', 'files-x ../files/x /x'],
    ['./a b/ü:/x', 'nothing', 'a-b-- a b/ü /x'],
  ]
  for (const [mount, holds, becomes] of table) {
    const source = becomes.replace(/^\S+ (.*) \S+$/, '$1')
    const text = mount.startsWith('{') ? mount : JSON.stringify(mount)
    assert.deepEqual(
      (({ mounts, problems }) => ({ mounts, problems }))(read(`volumes: [${text}]`, { [source]: holds })),
      { mounts: [becomes], problems: [] },
      mount,
    )
  }
})

test('a label chooses, and says what was meant', () => {
  const chosen = (choice: string, holds: PlaceKind) =>
    read(`volumes: ["./data:/data/"]\nlabels: ["rack.mount./data=${choice}"]`, { data: holds })
  assert.deepEqual(chosen('volume', 'folder').mounts, ['data data /data'])
  assert.deepEqual(chosen('volume', 'folder').problems, [])
  assert.deepEqual(chosen('release', 'folder').problems, [])
  assert.deepEqual(chosen('release', 'empty').mounts, ['release data /data'])
  assert.match(chosen('release', 'nothing').problems[0] ?? '', /error: .*is not in the source directory/)
  assert.match(chosen('release', 'ignored').problems[0] ?? '', /error: .*`.dockerignore` leaves out all/)
  assert.match(chosen('volume', 'file').problems[0] ?? '', /error: .*is a file, and a volume is a folder/)
  assert.match(chosen('both', 'folder').problems.join('\n'), /error: .*must be release or volume/)
  assert.match(
    read('labels: ["rack.mount./other=volume"]').problems[0] ?? '',
    /error: .*no path from the compose file is mounted at "\/other"/,
  )
})

test('the first fill of a volume that a label asks for is what the source has', () => {
  const fills = (holds: PlaceKind) => {
    const { web } = read('volumes: ["./data:/data"]\nlabels: ["rack.mount./data=volume"]', { data: holds })
    const [mount] = web.mounts
    return mount?.kind === 'volume' && 'source' in mount && mount.isFilled
  }
  assert.deepEqual([fills('folder'), fills('empty'), fills('nothing')], [true, false, false])
})

test('what may be meant otherwise is said', () => {
  const said = (mount: string, holds: Record<string, PlaceKind>) =>
    read(`volumes: ["${mount}"]`, holds).problems.join('\n')
  assert.match(said('./src:/app', { src: 'folder' }), /^\d+:\d+: warning: .*goes with the copy; write ":ro"/)
  assert.equal(said('./src:/app:ro', { src: 'folder' }), '')
  assert.match(
    said('./x.conf:/etc/x.conf:ro', {}),
    /warning: .*is not in the source directory, so its place in the container becomes a folder/,
  )
  assert.match(said('./Caddyfile:/etc/caddy/Caddyfile', {}), /warning: .*becomes a folder/)
  assert.equal(said('./conf.d:/etc/nginx/conf.d', {}), '')
  assert.match(
    said('./data:/data', { data: 'ignored' }),
    /warning: .*becomes a volume: .*name it there with a "!"/,
  )
  assert.match(said('./data:/data', { data: 'unreadable' }), /warning: .*cannot be read here/)
})

test('what can be neither is refused with what to do', () => {
  const said = (mount: string, holds: Record<string, PlaceKind>) =>
    read(`volumes: ["${mount}"]`, holds).problems.join('\n')
  assert.match(
    said('../shared:/x', { '../shared': 'outside' }),
    /error: .*outside of the source directory.*copy it/,
  )
  assert.match(
    said('./.env:/app/.env', { '.env': 'withheld' }),
    /error: .*no image may have; name it under `env_file:`/,
  )
  assert.match(said('./app.sock:/x', { 'app.sock': 'special' }), /error: .*is no file and no folder/)
})

test('what was data stays data, and both ways out are said', () => {
  const places = { data: { holds: 'folder' as const, isVolume: true } }
  const asked = (labels: string) => readWeb(`volumes: ["./data:/data"]${labels}`, {}, { places })
  assert.match(
    asked('').problems[0] ?? '',
    /warning: .*stays the volume.*=release makes it a part.*=volume keeps/,
  )
  assert.equal(asked('').web.mounts[0]?.kind, 'volume')
  assert.equal(asked('\nlabels: [rack.mount./data=release]').web.mounts[0]?.kind, 'release')
})

test('a volume that the file itself names was never what a path of that name held', () => {
  const places = { metrics: { holds: 'folder' as const, isVolume: true } }
  const file =
    'services:\n  a: { image: x, volumes: ["./metrics:/etc/metrics:ro", "metrics:/data"] }\nvolumes: { metrics: }\n'
  const { problems, processes } = readCompose(file, {}, { places })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes[0]?.mounts.map(({ kind }) => kind),
    ['release', 'volume'],
  )
})

test('two paths are two volumes, and a path is no declared volume', () => {
  const clash = readCompose(
    'services:\n  a: { image: x, volumes: ["./a-b:/x", "./a/b:/y"] }\n  b: { image: x, volumes: ["data:/d", "./data:/e"] }\nvolumes: { data: }\n',
  )
  assert.deepEqual(
    clash.problems.map((problem) => /"[^"]*" would be.*?;/.exec(problem)?.[0]),
    [
      '"a/b" would be the same volume as another path;',
      '"data" would be the same volume as a named one of the file;',
    ],
  )
  const shared = readCompose(
    'services:\n  a: { image: x, volumes: ["./data:/x"] }\n  b: { image: x, volumes: ["./data:/y"] }\n',
  )
  assert.deepEqual([shared.problems, shared.volumes], [[], ['data']])
})

test('a file of the release below a volume is refused: the volume hides it', () => {
  const { problems } = read('volumes: ["./data:/data", "./x.ini:/data/x.ini:ro"]', { 'x.ini': 'file' })
  assert.match(problems.join('\n'), /error: .*the file "x.ini" would not be seen: another mount hides/)
})

test('paths that a file names are those of its own folder, once their variables have a value', () => {
  const text =
    'services:\n  web:\n    image: x\n    volumes: ["./a:/a", "${DIR:-b}/c:/b", "./${NONE}/d:/d", "v:/v", "/srv:/s", "~/x:/x", "../up:/u", { type: bind, source: e, target: /e }]\n'
  const source = { files: [{ path: 'deploy/c.yml', text }], dotenv: null, texts: {}, contents: {} }
  assert.deepEqual(filesOf(source, {}).binds, ['deploy/a', 'deploy/b/c', 'up', 'deploy/e'])
  assert.deepEqual(filesOf(source, { DIR: './z', NONE: 'n' }).binds, [
    'deploy/a',
    'deploy/z/c',
    'deploy/n/d',
    'up',
    'deploy/e',
  ])
})

test('a file of variables or a secret that is named itself is put into each copy, and into no image', () => {
  const places = placesOf({ '.env': 'withheld', 'config/app.env': 'withheld' })
  const contents = { '.env': 'QT0x', 'config/app.env': '' }
  const { web, problems } = readWeb(
    'volumes: ["./.env:/app/.env:ro", "./config/app.env:/app.env"]',
    {},
    { places, contents },
  )
  assert.deepEqual([problems, web.mounts], [[], []])
  const readable = { mode: 0o444, uid: 0, gid: 0 }
  assert.deepEqual(web.files, [
    {
      kind: 'secret',
      name: 'env',
      path: '/app/.env',
      content: 'QT0x',
      origin: { file: '.env' },
      ...readable,
    },
    {
      kind: 'secret',
      name: 'config-app.env',
      path: '/app.env',
      content: '',
      origin: { file: 'config/app.env' },
      ...readable,
    },
  ])
})
