import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { strictPolicy } from '../../domain/policy.ts'
import { readManifestSource } from '../../operations/source-upload.ts'
import type { Operations } from '../../operations/operations.ts'
import { exampleApp, exampleResult, logLine } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const compose = 'services:\n  web:\n    image: busybox:1\n    ports: ["80:3000"]\n'
const time = '2026-11-23T04:00:00.000Z'

async function makeSource(text: string | null = compose) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'deploy-'))
  const directory = join(folder.path, 'guestbook')
  await mkdir(directory)
  if (text !== null) await writeFile(join(directory, 'docker-compose.yml'), text)
  return Object.assign(folder, { directory })
}

/** A rack that has no app yet, builds at once and promotes at once; it notes what it was asked. */
function makeRack(asked: string[]): Partial<Operations> {
  return {
    getPolicy: async () => strictPolicy,
    getApp: async (app) => {
      throw new RackError('not-found', `there is no app "${app}"`)
    },
    createApp: async (name) => {
      asked.push(`create ${name}`)
      return { ...exampleApp, name }
    },
    buildApp: async (app, { content, description, noCache }, _actor, control) => {
      const { files } = await readManifestSource(content)
      asked.push(`build ${app} of ${files.map(({ path }) => path).join()} ${description} ${noCache}`)
      control.report({ type: 'phase', phase: 'build', state: 'started', detail: 'BAAAAAAAAAA', time })
      control.report(logLine('step 1'))
      return { build: 'BAAAAAAAAAA', release: 'RAAAAAAAAAA' }
    },
    promoteRelease: async (app, release) => {
      asked.push(`promote ${release} of ${app}`)
      return { ...exampleResult, app, release }
    },
  }
}

test('a deploy is create, build and promote; the addresses are data', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  const { code, stdout, stderr } = await typeCommand(['deploy', '-m', 'hello', '--no-cache'], {
    rack: makeRack(asked),
    cwd: source.directory,
  })
  assert.deepEqual(asked, [
    'create guestbook',
    'build guestbook of docker-compose.yml hello true',
    'promote RAAAAAAAAAA of guestbook',
  ])
  assert.deepEqual([code, stdout], [0, 'http://guestbook.localhost\n'])
  assert.match(
    stderr,
    /the app guestbook is new; it is created\nstep 1\nbuild .*BAAAAAAAAAA\nguestbook is live with RAAAAAAAAAA\n/,
  )
  assert.match(stderr, /started redis; replaced web; 12 requests meanwhile, 0 failed/)
})

test('the directory is an argument, and names the app', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  await typeCommand(['deploy', 'guestbook'], { rack: makeRack(asked), cwd: source.path })
  await typeCommand(['deploy', source.directory, '--app', 'shop'], { rack: makeRack(asked) })
  assert.deepEqual(
    asked.filter((line) => line.startsWith('promote')),
    ['promote RAAAAAAAAAA of guestbook', 'promote RAAAAAAAAAA of shop'],
  )
})

test('as NDJSON: every line has a type, the last is one result for both requests', async () => {
  await using source = await makeSource()
  const { stdout } = await typeCommand(['deploy', '--json'], { rack: makeRack([]), cwd: source.directory })
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; result?: unknown })
  assert.deepEqual(
    lines.map(({ type }) => type),
    ['phase', 'log', 'result'],
  )
  assert.deepEqual(lines.at(-1)!.result, { ...exampleResult, build: 'BAAAAAAAAAA' })
})

test('a build alone ends with its release, and says how it becomes live', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  const { stdout, stderr } = await typeCommand(['build'], { rack: makeRack(asked), cwd: source.directory })
  assert.equal(stdout, 'RAAAAAAAAAA\n')
  assert.match(stderr, /rack releases promote RAAAAAAAAAA --app guestbook/)
  assert.equal(asked.length, 2)
})

test('a file with problems is refused with all of them before the rack is asked', async () => {
  await using source = await makeSource('services:\n  web:\n    imgae: busybox\n    ports: ["0:1"]\n')
  const asked: string[] = []
  const { code, stdout, stderr } = await typeCommand(['deploy'], {
    rack: makeRack(asked),
    cwd: source.directory,
  })
  assert.deepEqual([code, stdout, asked], [1, '', []])
  assert.match(stderr, /docker-compose\.yml:3:5: error: .*imgae/)
  assert.match(stderr, /docker-compose\.yml:4:\d+: error: /)
  assert.match(stderr, /→ .*rack manifest check/)
})

test('no compose file, no directory, a file outside', async () => {
  await using source = await makeSource(null)
  const type = (...args: string[]) =>
    typeCommand(['deploy', ...args], { rack: makeRack([]), cwd: source.directory })
  const missing = await type()
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /has no compose file/)
  assert.equal((await type('nowhere')).code, 2)
  assert.match((await type('-f', '../other.yml')).stderr, /not inside/)
})

test('a build that fails ends the deploy with its reason, and promotes nothing', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  const buildApp: Operations['buildApp'] = async (_app, { content }) => {
    await readManifestSource(content)
    throw new RackError('build-failed', 'web: step [2/3] RUN make failed', {
      hint: 'rack builds logs BAAAAAAAAAA',
    })
  }
  const rack = { ...makeRack(asked), buildApp }
  const { code, stderr } = await typeCommand(['deploy'], { rack, cwd: source.directory })
  assert.equal(code, 1)
  assert.match(stderr, /error: web: step \[2\/3\] RUN make failed\n→ rack builds logs BAAAAAAAAAA\n$/)
  assert.deepEqual(asked, ['create guestbook'])
})

test('an upload that is refused in the middle shows the reason', async () => {
  await using source = await makeSource('services:\n  web:\n    build: .\n')
  await writeFile(join(source.directory, 'Dockerfile'), 'FROM scratch\n')
  await writeFile(join(source.directory, 'large'), Buffer.alloc(60_000_000))
  const buildApp: Operations['buildApp'] = async (_app, { content }) => {
    let bytes = 0
    for await (const chunk of content) {
      bytes += chunk.length
      if (bytes > 1_000_000) throw new RackError('too-large', 'the source is larger than 1 MB')
    }
    throw new Error('it was not refused')
  }
  const rack = { ...makeRack([]), buildApp }
  const { code, stderr } = await typeCommand(['deploy'], { rack, cwd: source.directory })
  assert.equal(code, 1)
  assert.match(stderr, /error: the source is larger than 1 MB\n/)
})
