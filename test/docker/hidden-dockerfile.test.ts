import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { pack } from 'tar-stream'
import type { BuildRequest } from '../../src/domain/engine.ts'
import type { BuildSpec } from '../../src/domain/manifest.ts'
import { RackError } from '../../src/domain/error.ts'
import { connectDocker, type DockerClient } from '../../src/engines/docker/client.ts'
import { createImageBuilder } from '../../src/engines/docker/images/image-builder.ts'
import { sweepImages } from '../../src/engines/docker/images/images.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { buildSpec } from '../support/build-spec.ts'
import { packTar, unpackTar, type TarEntry } from '../support/tar.ts'

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const rack = `test-hidden-${process.pid}`
const control = () => ({ signal: AbortSignal.timeout(120_000), report: () => undefined })
const withoutBuildKit: DockerClient = {
  ...docker,
  upgrade: async () => await Promise.reject(new RackError('not-found', 'Docker Engine: page not found')),
}
const builders = { BuildKit: docker, 'the classic builder': withoutBuildKit }

after(async () => {
  await sweepImages(docker, { rack, keep: new Set() }, control())
})

let builds = 0

function requestOf(source: BuildRequest['source'], spec: Partial<BuildSpec> = {}): BuildRequest {
  return {
    app: 'shop',
    build: `BHIDDEN${'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[builds++]}AAA`,
    images: [{ processes: ['web'], build: buildSpec(spec), image: null }],
    source,
    environment: {},
    noCache: true,
    deadlineMs: 120_000,
  }
}

/** What lies in the image at /src: name and content. */
async function contentOf(engine: DockerClient, files: TarEntry[], spec: Partial<BuildSpec> = {}) {
  return await builtContent(
    engine,
    requestOf(() => packTar(files), spec),
  )
}

async function builtContent(engine: DockerClient, request: BuildRequest) {
  const { web } = await createImageBuilder({ docker: engine, rack }).build(request, control())
  const body = { Image: web!.reference, Cmd: ['true'] }
  const { Id } = await docker.json<{ Id: string }>(
    { method: 'POST', path: '/containers/create', body },
    control(),
  )
  try {
    const archive = await docker.stream(
      { path: `/containers/${Id}/archive`, query: { path: '/src' } },
      control(),
    )
    const found = await unpackTar(archive)
    return Object.fromEntries(
      found.filter(({ type }) => type !== 'directory').map(({ name, content }) => [name, content]),
    )
  } finally {
    await docker.json({ method: 'DELETE', path: `/containers/${Id}`, query: { force: 1 } }, control())
  }
}

const text = 'FROM busybox:1\nCOPY . /src/\nRUN true\n'
const file = (name: string, content: string): TarEntry => ({ name, content })
const app = file('app.js', 'serve()\n')

for (const [name, engine] of Object.entries(builders)) {
  test(`${name}: a Dockerfile and rules that the rules leave out are in no image`, async () => {
    const files = [file('Dockerfile', text), file('.dockerignore', 'Dockerfile\n.dockerignore\nlogs\n'), app]
    assert.deepEqual(await contentOf(engine, [...files, file('logs/1', 'x')]), { 'src/app.js': 'serve()\n' })
  })

  test(`${name}: rules that leave out the Dockerfile alone are in the image as they were written`, async () => {
    const rules = '# mine\nDockerfile\n'
    const found = await contentOf(engine, [file('Dockerfile', text), file('.dockerignore', rules), app])
    assert.deepEqual(found, { 'src/app.js': 'serve()\n', 'src/.dockerignore': rules })
  })

  test(`${name}: a Dockerfile that nothing leaves out is in the image`, async () => {
    const found = await contentOf(engine, [file('Dockerfile', text), app])
    assert.deepEqual(found, { 'src/app.js': 'serve()\n', 'src/Dockerfile': text })
  })

  test(`${name}: one of another folder, one of the compose file, and rules of its own`, async () => {
    const inside = file('web/app.js', 'serve()\n')
    const outside = [file('ops/web.Dockerfile', text), inside]
    const spec = { context: 'web', dockerfile: '../ops/web.Dockerfile' }
    assert.deepEqual(await contentOf(engine, outside, spec), { 'src/app.js': 'serve()\n' })
    assert.deepEqual(await contentOf(engine, [app], { inline: text }), { 'src/app.js': 'serve()\n' })
    const own = [
      file('ops/web.Dockerfile', text),
      file('ops/web.Dockerfile.dockerignore', 'ops\n.dockerignore\n'),
      file('.dockerignore', 'app.js\n'),
      app,
    ]
    assert.deepEqual(await contentOf(engine, own, { dockerfile: 'ops/web.Dockerfile' }), {
      'src/app.js': 'serve()\n',
    })
  })
}

test('modes, links, odd names and empty folders reach the image when BuildKit asks for them', async () => {
  const files: TarEntry[] = [
    file('Dockerfile', `${text}RUN ls -ld /src/run /src/deep/empty /src/link > /src/seen\n`),
    file('.dockerignore', 'Dockerfile\n'),
    { name: 'run', content: '#!/bin/sh\n', mode: 0o755 },
    { name: 'link', linkname: 'run' },
    { name: `${'far/'.repeat(40)}ünïcödé 漢字 `, content: 'odd' },
    { name: 'deep/empty/.keep', content: '' },
    { name: 'large', content: 'x'.repeat(3 * 2 ** 20) },
  ]
  const found = await contentOf(docker, files)
  assert.match(found['src/seen'] ?? '', /^-rwxr-xr-x .*\/src\/run$/m)
  assert.match(found['src/seen'] ?? '', /^lrwxrwxrwx .*\/src\/link -> run$/m)
  assert.equal(found[`src/${'far/'.repeat(40)}ünïcödé 漢字 `], 'odd')
  assert.equal(found['src/large']?.length, 3 * 2 ** 20)
})

test('a file of another build, of the same name, size and time, is not taken for one of this', async () => {
  const source = (key: string) => () => {
    const tar = pack()
    const files = { Dockerfile: text, '.dockerignore': 'Dockerfile\n.dockerignore\n', key }
    for (const [name, content] of Object.entries(files)) tar.entry({ name, mtime: new Date(0) }, content)
    tar.finalize()
    return tar as AsyncIterable<Uint8Array>
  }
  for (const key of ['one', 'two'])
    assert.deepEqual(await builtContent(docker, requestOf(source(key))), { 'src/key': key })
})

test('a source that breaks off ends the build with its own reason, and what a step says is told by its line', async () => {
  let passes = 0
  const files = [file('Dockerfile', text), file('.dockerignore', 'Dockerfile\n'), app]
  const broken = requestOf(async function* () {
    if (passes++ > 0) throw new RackError('disk-full', 'the source breaks off')
    yield* packTar(files)
  })
  const builder = createImageBuilder({ docker, rack })
  await assert.rejects(builder.build(broken, control()), { message: 'the source breaks off' })
  const failing = [file('Dockerfile', 'FROM busybox:1\nRUN exit 3\n'), files[1]!, app]
  const outcome = builder.build(
    requestOf(() => packTar(failing)),
    control(),
  )
  await assert.rejects(outcome, (error) => {
    assert.ok(error instanceof RackError)
    assert.match(error.message, /RUN exit 3 failed: exit code 3/)
    assert.equal((error.details as { line: number }).line, 2)
    return true
  })
})

test('who ends the build ends what BuildKit asks for too', async () => {
  const ending = new AbortController()
  const files = [file('Dockerfile', `${text}RUN sleep 60\n`), file('.dockerignore', 'Dockerfile\n'), app]
  const report = (progress: { type: string; text?: string }) => {
    if (/RUN sleep/.test(progress.text ?? '')) ending.abort(new RackError('cancelled', 'enough'))
  }
  const building = createImageBuilder({ docker, rack }).build(
    requestOf(() => packTar(files)),
    { signal: ending.signal, report },
  )
  await assert.rejects(building, { code: 'cancelled' })
})
