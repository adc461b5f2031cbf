import assert from 'node:assert/strict'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { AppProcess } from '../../domain/process.ts'
import { copyFiles, type MemoryFile } from '../../../test/support/memory-files.ts'
import { packTar, unpackTar } from '../../../test/support/tar.ts'
import { typeCommand, type TypeOptions } from '../../../test/support/type-command.ts'

let home = ''
let count = 0
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'rack-cp-'))
})
after(async () => await rm(home, { recursive: true }))

async function makeDirectory(): Promise<string> {
  const directory = join(home, String(count++))
  await mkdir(directory)
  return directory
}

const copy = (id: string, started: string) =>
  ({
    id,
    app: 'guestbook',
    type: 'web',
    kind: 'process',
    status: 'running',
    started,
    ended: null,
    detail: null,
    release: 'R',
    command: [],
    address: null,
    exitCode: null,
    restarts: 0,
    outOfMemory: 0,
    cpuUnits: 1,
    memoryBytes: 1,
    cpuPercent: null,
    memoryPercent: null,
  }) satisfies AppProcess

/** A process with `/srv/box` (a file, a folder, a link) and `/srv/note`. */
function insideFiles(): Map<string, MemoryFile> {
  const empty = Buffer.alloc(0)
  const modified = new Date('2024-01-02T03:04:05Z')
  return new Map<string, MemoryFile>([
    ['/srv', { bytes: empty, mode: 0o755, type: 'directory' }],
    ['/srv/box', { bytes: empty, mode: 0o750, type: 'directory', modified }],
    ['/srv/box/one', { bytes: Buffer.from('1'), mode: 0o640, modified }],
    ['/srv/box/link', { bytes: empty, mode: 0o777, type: 'symlink', linkname: 'one', modified }],
    ['/srv/note', { bytes: Buffer.from('noted'), mode: 0o600, modified }],
  ])
}

async function type(
  args: string[],
  options: Omit<TypeOptions, 'rack'> & { files?: Map<string, MemoryFile> } = {},
) {
  const { files = insideFiles(), ...rest } = options
  const asked: string[] = []
  const typed = await typeCommand(['cp', ...args], {
    env: { RACK_APP: 'guestbook' },
    ...rest,
    rack: {
      async listProcesses(_app, { type }) {
        const copies = [
          copy('PAAAAAAAAAA', '2026-01-01T00:00:00Z'),
          copy('PBBBBBBBBBB', '2026-01-02T00:00:00Z'),
        ]
        return type === 'web' ? copies : type === 'worker' ? copies.slice(0, 1) : []
      },
      getProcess: async (_app, id) => copy(id, ''),
      async copyFiles(_app, { process: processId, path, archive }) {
        asked.push(processId)
        await copyFiles(files, path, archive)
      },
    },
  })
  return { ...typed, files, asked }
}

test('a file comes out under its name, under another, and over a file', async () => {
  const cwd = await makeDirectory()
  const { code, stderr } = await type(['worker:/srv/note', '.'], { cwd })
  assert.equal(code, 0, stderr)
  assert.match(stderr, /copied to .*note \(1 file, /)
  const { mode, mtime } = await stat(join(cwd, 'note'))
  assert.deepEqual([mode & 0o777, mtime], [0o600, new Date('2024-01-02T03:04:05Z')])
  await writeFile(join(cwd, 'other'), 'old')
  assert.equal((await type(['worker:/srv/note', 'other'], { cwd })).code, 0)
  assert.equal(await readFile(join(cwd, 'other'), 'utf8'), 'noted')
  assert.deepEqual((await readdir(cwd)).toSorted(), ['note', 'other'])
})

test('a directory goes into one that is there, or becomes one that is not', async () => {
  const cwd = await makeDirectory()
  assert.equal((await type(['worker:/srv/box', '.'], { cwd })).code, 0)
  assert.equal((await type(['worker:/srv/box/', 'fresh'], { cwd })).code, 0)
  assert.equal((await type(['worker:/srv/box/.', 'contents'], { cwd })).code, 0)
  assert.equal((await type(['worker:/srv/box/.', 'fresh'], { cwd })).code, 0)
  for (const name of ['box', 'fresh', 'contents']) {
    assert.deepEqual((await readdir(join(cwd, name))).toSorted(), ['link', 'one'])
    assert.equal(await readlink(join(cwd, name, 'link')), 'one')
    assert.equal((await stat(join(cwd, name))).mode & 0o777, 0o750)
  }
})

test('where nothing can go is told', async () => {
  const cwd = await makeDirectory()
  await writeFile(join(cwd, 'file'), 'kept')
  for (const [args, said] of [
    [['worker:/srv/box', 'file'], /is a file, and \/srv\/box a directory/],
    [['worker:/srv/note', 'none/'], /none\/ is no directory[^]*mkdir -p/],
    [['worker:/srv/note', 'no/where'], /no is no directory/],
    [['worker:/nowhere', '.'], /no \/nowhere in the process/],
    [['none:/srv/note', '.'], /guestbook runs no process "none"/],
    [['file', 'worker:/nowhere/at/all'], /no \/nowhere\/at in the process/],
    [['missing', 'worker:/srv'], /there is no .*missing here/],
    [['.', 'worker:/srv/note'], /is a file, and .* a directory/],
    [['file', 'worker:/none/'], /\/none\/ of the process is no directory/],
  ] as const) {
    const { code, stderr } = await type([...args], { cwd })
    assert.equal(code, 1, stderr)
    assert.match(stderr, said)
  }
  assert.deepEqual(await readdir(cwd), ['file'])
})

test('what is mistyped is a mistake of usage', async () => {
  for (const args of [
    ['a', 'b'],
    ['web:/a', 'worker:/b'],
    ['web:a', '.'],
    ['-', '-'],
    ['web:/srv/note', '-', '--json'],
    ['web:/srv/note'],
  ]) {
    assert.equal((await type(args)).code, 2, args.join(' '))
  }
})

test('a file and a directory go in as they came out', async () => {
  const cwd = await makeDirectory()
  await mkdir(join(cwd, 'tree/deep'), { recursive: true })
  await writeFile(join(cwd, 'tree/deep/run'), '#!')
  await chmod(join(cwd, 'tree/deep/run'), 0o750)
  await symlink('deep/run', join(cwd, 'tree/link'))
  await writeFile(join(cwd, 'seed.sql'), 'select')
  for (const [from, to, there] of [
    ['seed.sql', '/srv', '/srv/seed.sql'],
    ['seed.sql', '/srv/box/', '/srv/box/seed.sql'],
    ['seed.sql', '/srv/fresh.sql', '/srv/fresh.sql'],
    ['seed.sql', '/srv/note', '/srv/note'],
    ['tree', '/srv', '/srv/tree/deep/run'],
    ['tree', '/srv/fresh', '/srv/fresh/deep/run'],
    ['tree/.', '/srv', '/srv/deep/run'],
    ['./tree/', '/', '/tree/deep/run'],
  ] as const) {
    const { code, stderr, files } = await type([from, `worker:${to}`], { cwd })
    assert.equal(code, 0, `${from} ${to}: ${stderr}`)
    const found = files.get(there)
    assert.ok(found, `${from} → ${to} is not at ${there} but ${[...files.keys()].join(' ')}`)
    assert.equal(Buffer.from(found.bytes).toString(), from.startsWith('seed') ? 'select' : '#!')
    if (from.startsWith('tree')) assert.equal(found.mode & 0o777, 0o750)
  }
  const { files } = await type(['tree', 'worker:/srv'], { cwd })
  assert.deepEqual(
    [files.get('/srv/tree/link')?.type, files.get('/srv/tree/link')?.linkname],
    ['symlink', 'deep/run'],
  )
})

test('a tar goes through standard input and output', async () => {
  const archive = Buffer.concat(await Array.fromAsync(packTar([{ name: 'a/b', content: 'piped' }])))
  const { code, files, stderr } = await type(['-', 'worker:/srv'], { input: [archive] })
  assert.equal(code, 0, stderr)
  assert.equal(Buffer.from(files.get('/srv/a/b')!.bytes).toString(), 'piped')
  const out = await type(['worker:/srv/note', '-'])
  assert.deepEqual([out.code, out.stderr], [0, ''])
  async function* said() {
    yield Buffer.from(out.stdout, 'latin1')
  }
  assert.deepEqual(
    (await unpackTar(said())).map(({ name, content }) => [name, content]),
    [['note', 'noted']],
  )
})

test('a type with several copies is its newest, which is said; an id is itself', async () => {
  const cwd = await makeDirectory()
  const { asked, stderr } = await type(['web:/srv/note', '.'], { cwd })
  assert.deepEqual(asked, ['PBBBBBBBBBB'])
  assert.match(stderr, /web has 2 copies; this is PBBBBBBBBBB, the newest/)
  assert.deepEqual((await type(['PCCCCCCCCCC:/srv/note', '.'], { cwd })).asked, ['PCCCCCCCCCC'])
})

test('as JSON, what was copied and where', async () => {
  const cwd = await makeDirectory()
  const { stdout } = await type(['--json', 'worker:/srv/box', '.'], { cwd })
  const { place, files, bytes, ...rest } = JSON.parse(stdout) as Record<string, unknown>
  assert.deepEqual([place, files], [join(cwd, 'box'), 2])
  assert.ok(Number(bytes) >= 2048)
  assert.deepEqual(rest, { app: 'guestbook', process: 'PAAAAAAAAAA', from: 'worker:/srv/box', to: '.' })
})

test('what the rack says against it is said', async () => {
  const cwd = await makeDirectory()
  await writeFile(join(cwd, 'file'), 'x')
  const { code, stderr } = await typeCommand(['cp', 'file', 'PAAAAAAAAAA:/srv'], {
    env: { RACK_APP: 'guestbook' },
    cwd,
    rack: {
      getProcess: async (_app, id) => copy(id, ''),
      async copyFiles(_app, { archive }) {
        if ('out' in archive) throw new RackError('not-found', 'not there')
        throw new RackError('conflict', '/srv is on a read-only file system', { hint: 'a volume' })
      },
    },
  })
  assert.equal(code, 1)
  assert.match(stderr, /read-only file system[^]*a volume/)
})
