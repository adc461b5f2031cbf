import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { strictPolicy } from '../../domain/policy.ts'
import { readManifestSource } from '../../operations/source-upload.ts'
import type { Operations } from '../../operations/operations.ts'
import { exampleResult, logLine } from '../../../test/support/scripted-operations.ts'
import { startMemoryRack } from '../../../test/support/memory-rack.ts'
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

/** A rack that has no app yet, builds and promotes at once; it notes what it was asked. */
function makeRack(asked: string[]): Partial<Operations> {
  return {
    getPolicy: async () => strictPolicy,
    getKeptSource: async (app) => {
      throw new RackError('not-found', `there is no app "${app}"`)
    },
    buildApp: async (app, { content, description, noCache, create }, control) => {
      const { files } = await readManifestSource(content)
      if (create) control.report(logLine(`the app ${app} is new; it is created`))
      asked.push(`build ${app} of ${files.map(({ path }) => path).join()} ${description} ${noCache}`)
      control.report({ type: 'phase', phase: 'build', state: 'started', detail: 'BAAAAAAAAAA', time })
      control.report(logLine('step 1'))
      return { build: 'BAAAAAAAAAA', release: 'RAAAAAAAAAA' }
    },
    promoteRelease: async (app, release, { releaseCommand }) => {
      asked.push(`promote ${release} of ${app}${releaseCommand ? '' : ' without its release command'}`)
      return { ...exampleResult, app, release }
    },
  }
}

test('a deploy is build and promote, the app is made when it is new; the addresses are data', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  const { code, stdout, stderr } = await typeCommand(['deploy', '-m', 'hello', '--no-cache'], {
    rack: makeRack(asked),
    cwd: source.directory,
  })
  assert.deepEqual(asked, [
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

test('the release command is left out when that is asked for', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  await typeCommand(['deploy', '--no-release-command'], { rack: makeRack(asked), cwd: source.directory })
  assert.equal(asked.at(-1), 'promote RAAAAAAAAAA of guestbook without its release command')
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
    ['log', 'phase', 'log', 'result'],
  )
  assert.deepEqual(lines.at(-1)!.result, { ...exampleResult, build: 'BAAAAAAAAAA' })
})

test('a build alone ends with its release, and says how it becomes live', async () => {
  await using source = await makeSource()
  const asked: string[] = []
  const { stdout, stderr } = await typeCommand(['build'], { rack: makeRack(asked), cwd: source.directory })
  assert.equal(stdout, 'RAAAAAAAAAA\n')
  assert.match(stderr, /rack releases promote RAAAAAAAAAA --app guestbook/)
  assert.equal(asked.length, 1)
})

test('a file with problems is refused with all of them before the rack is asked', async () => {
  await using source = await makeSource('services:\n  web:\n    imgae: busybox\n    ports: ["0:1"]\n')
  const asked: string[] = []
  const { code, stdout, stderr, requests } = await typeCommand(['deploy'], {
    rack: makeRack(asked),
    cwd: source.directory,
  })
  assert.deepEqual([code, stdout, asked], [1, '', []])
  // What its policy refuses is told with the rest.
  assert.deepEqual(requests, ['GET /v1/rack/policy'])
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
  assert.deepEqual(asked, [])
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

const kept = 'GET /v1/apps/:app/source'
const build = 'POST /v1/apps/:app/builds'
const promote = 'POST /v1/apps/:app/releases/:release/promote'

test('a deploy is two requests, of a new app and of one that is there; a build is one', async () => {
  await using rack = await startMemoryRack()
  await using source = await makeSource(
    'services:\n  web:\n    image: shop\n    ports: ["80:3000"]\n    command: serve\n',
  )
  const type = (command: string) =>
    typeCommand([command], { door: rack.room.operations, cwd: source.directory })
  const first = await type('deploy')
  assert.deepEqual([first.code, first.requests], [0, [build, promote]])
  assert.match(first.stderr, /^the app guestbook is new; it is created\n/)
  const second = await type('deploy')
  assert.deepEqual([second.code, second.requests], [0, [build, promote]])
  assert.doesNotMatch(second.stderr, /is new/)
  assert.deepEqual((await type('build')).requests, [build])
})

test('what the rack keeps of the source is asked for where something is built, and need not be there any more', async () => {
  await using rack = await startMemoryRack()
  await using source = await makeSource('services:\n  web:\n    build: .\n    ports: ["80:3000"]\n')
  await writeFile(join(source.directory, 'Dockerfile'), 'FROM scratch\n')
  const type = (rackParts?: Partial<Operations>) =>
    typeCommand(['build'], {
      ...(rackParts ? { rack: rackParts } : { door: rack.room.operations }),
      cwd: source.directory,
    })
  const first = await type()
  assert.deepEqual([first.code, first.requests], [0, [kept, build]], first.stderr)
  const second = await type()
  assert.deepEqual([second.code, second.requests], [0, [kept, build]])
  assert.match(second.stderr, /2 files of the source were here already/)
  const bases: (string | undefined)[] = []
  const forgetful = await type({
    ...makeRack([]),
    getKeptSource: async () => ({ id: 'was', files: [] }),
    buildApp: async (app, upload, control) => {
      bases.push(upload.base)
      if (upload.base !== undefined) throw new RackError('gone', 'no kept source of that name any more')
      return await makeRack([]).buildApp!(app, upload, control)
    },
  })
  assert.deepEqual([forgetful.code, bases], [0, ['was', undefined]], forgetful.stderr)
})

test('what only the policy refuses is said by the build, in the one request', async () => {
  await using rack = await startMemoryRack()
  await using source = await makeSource('services:\n  web:\n    image: shop\n    privileged: true\n')
  const typed = await typeCommand(['deploy'], { door: rack.room.operations, cwd: source.directory })
  assert.deepEqual([typed.code, typed.requests], [1, [build]])
  assert.match(typed.stderr, /docker-compose\.yml:4:\d+: .*privileged/)
  assert.match(typed.stderr, /→ .*rack policy/)
})
