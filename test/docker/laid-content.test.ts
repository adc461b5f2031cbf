import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { BuildRequest, ImageRequest, LaidContent } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { createImageBuilder } from '../../src/engines/docker/images/image-builder.ts'
import { connectDocker, type DockerClient } from '../../src/engines/docker/client.ts'
import { findImage, sweepImages } from '../../src/engines/docker/images/images.ts'
import { readSourceContent } from '../../src/operations/source-content.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { buildSpec } from '../support/build-spec.ts'
import { packTar, unpackTar, type TarEntry } from '../support/tar.ts'

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const rack = `test-laid-${process.pid}`
const control = () => ({ signal: AbortSignal.timeout(120_000), report: () => undefined })

after(async () => {
  await sweepImages(docker, { rack, keep: new Set() }, control())
})

/** The classic builder alone, as engines without BuildKit are. */
const classic: DockerClient = {
  ...docker,
  upgrade: async () => {
    throw new RackError('not-found', 'no session here')
  },
}

const source: TarEntry[] = [
  { name: 'html/index.html', content: 'mine', mode: 0o640 },
  { name: 'html/run.sh', content: '#!/bin/sh\n', mode: 0o755 },
  { name: 'html/link', linkname: 'index.html' },
  { name: 'app.conf', content: 'listen 80', mode: 0o600 },
]

/** An image with a web site of its own, as programs bring one. */
const site = buildSpec({
  inline:
    'FROM busybox:1\nRUN mkdir -p /www/old && echo theirs > /www/index.html && echo x > /www/old/page && mkdir -p /etc /home/app/data && echo app:x:700:700::/:/bin/sh > /etc/passwd && chown 700:700 /home/app/data\n',
})
const withUser = buildSpec({ inline: `${site.inline}USER app\n` })
const bare = buildSpec({ inline: 'FROM scratch\nCOPY html/link /placeholder\n' })

type Laid = Pick<LaidContent, 'source' | 'path'> & Partial<LaidContent>

async function requestOf(
  build: ImageRequest['build'],
  laid: Laid[],
  more: Partial<ImageRequest> = {},
): Promise<BuildRequest> {
  const open = () => packTar(source)
  const content = await readSourceContent(open, { contexts: [], withheld: [] }, control().signal)
  const whole = laid.map((one): LaidContent => ({
    holds: one.source === 'app.conf' ? 'file' : 'folder',
    isOver: false,
    isFilling: false,
    ...content.take(one.source, one.path),
    ...one,
  }))
  return {
    app: 'shop',
    build: 'BAAAAAAAAAA',
    images: [{ processes: ['web'], build, image: null, ...(whole.length > 0 && { laid: whole }), ...more }],
    source: open,
    environment: {},
    noCache: false,
    deadlineMs: 120_000,
  }
}

async function filesOf(image: string, directory: string) {
  const { Id } = await docker.json<{ Id: string }>(
    { method: 'POST', path: '/containers/create', body: { Image: image, Cmd: ['true'] } },
    control(),
  )
  try {
    const request = { path: `/containers/${Id}/archive`, query: { path: directory } }
    const found = await unpackTar(await docker.stream(request, control()))
    return found.map(({ name, type, mode, uid, content, linkname }) => {
      const bits = (mode & 0o7777).toString(8)
      return `${name} ${bits} ${uid} ${type === 'symlink' ? `→ ${linkname}` : content.trim()}`.trim()
    })
  } finally {
    await docker.json({ method: 'DELETE', path: `/containers/${Id}`, query: { force: 1 } }, control())
  }
}

for (const [name, engine] of [
  ['BuildKit', docker],
  ['the classic builder', classic],
] as const) {
  const builder = createImageBuilder({ docker: engine, rack })
  const made = async (...args: Parameters<typeof requestOf>) =>
    (await builder.build(await requestOf(...args), control())).web!

  test(`${name}: a folder hides what the image has there; modes and links are kept`, async () => {
    const { reference } = await made(site, [{ source: 'html', path: '/www' }])
    assert.deepEqual((await filesOf(reference, '/www')).sort(), [
      'www/ 755 0',
      'www/index.html 640 0 mine',
      'www/link 777 0 → index.html',
      'www/run.sh 755 0 #!/bin/sh',
    ])
  })

  test(`${name}: content that lies over the results of a build leaves the rest`, async () => {
    const { reference } = await made(site, [{ source: 'html', path: '/www', isOver: true }])
    const names = (await filesOf(reference, '/www')).map((line) => line.split(' ', 1).join(''))
    assert.deepEqual(names.sort(), [
      'www/',
      'www/index.html',
      'www/link',
      'www/old/',
      'www/old/page',
      'www/run.sh',
    ])
  })

  test(`${name}: what an image has for those who build on it (ONBUILD) does not run for what is laid`, async () => {
    const words =
      'ENV WORD=kept\nEXPOSE 8080\nWORKDIR /www\nLABEL own=yes\nENTRYPOINT ["sh", "-c"]\nCMD ["true"]\n'
    const triggers = 'ONBUILD COPY package.json /app/\nONBUILD RUN touch /www/triggered\n'
    const spec = buildSpec({ inline: `${site.inline}${words}${triggers}` })
    const before = await made(spec, [])
    const { reference, digest: _digest, ...after } = await made(spec, [{ source: 'html', path: '/www' }])
    const names = (await filesOf(reference, '/www')).map((line) => line.split(' ', 1).join(''))
    assert.deepEqual(names.sort(), ['www/', 'www/index.html', 'www/link', 'www/run.sh'])
    const { reference: _reference, digest: _own, ...base } = before
    assert.deepEqual(after, base)
    const { Config } = (await findImage(docker, reference, control()))!
    assert.deepEqual([Config?.Env?.includes('WORD=kept'), Config?.Labels?.['own']], [true, 'yes'])
    assert.deepEqual(
      Object.entries(Config?.Labels ?? {}).filter(
        ([label, value]) => value !== '' && label === 'com.rack.look',
      ),
      [],
    )
  })

  test(`${name}: an image without a shell takes a file into a folder that it lacks`, async () => {
    const { reference } = await made(bare, [{ source: 'app.conf', path: '/etc/app/app.conf' }])
    assert.deepEqual(await filesOf(reference, '/etc/app/app.conf'), ['app.conf 600 0 listen 80'])
  })
}

const builder = createImageBuilder({ docker, rack })
const made = async (...args: Parameters<typeof requestOf>) =>
  (await builder.build(await requestOf(...args), control())).web!

let plain: Awaited<ReturnType<typeof made>>
before(async () => {
  plain = await made(site, [])
})

test('content belongs to the user of the image where its place does, else to root', async () => {
  const { reference } = await made(withUser, [
    { source: 'html', path: '/home/app/data' },
    { source: 'app.conf', path: '/www/index.html' },
  ])
  const [folder] = await filesOf(reference, '/home/app/data')
  assert.equal(folder, 'data/ 755 700')
  assert.deepEqual(await filesOf(reference, '/www/index.html'), ['index.html 600 0 listen 80'])
})

test('an image is known by what it was made of and what is laid: the same again is the same, other content is not', async () => {
  const html: Laid = { source: 'html', path: '/www' }
  const first = await made(site, [html])
  const request = await requestOf(site, [html])
  const anew = (await builder.build({ ...request, build: 'BBBBBBBBBBB' }, control())).web!
  assert.equal(anew.digest, first.digest)
  assert.notEqual(first.digest, plain.digest)
  assert.notEqual((await made(site, [{ ...html, path: '/other' }])).digest, first.digest)
  assert.equal((await made(site, [{ ...html, isFilling: true }])).digest, plain.digest)
})

test('what lies deeper is laid over what lies above', async () => {
  const { reference } = await made(site, [
    { source: 'html', path: '/www' },
    { source: 'app.conf', path: '/www/index.html' },
    { source: 'html', path: '/www/run.sh' },
  ])
  const found = (await filesOf(reference, '/www')).map((line) => line.split(' ', 1).join(''))
  assert.deepEqual(found.sort(), [
    'www/',
    'www/index.html',
    'www/link',
    'www/run.sh/',
    'www/run.sh/index.html',
    'www/run.sh/link',
    'www/run.sh/run.sh',
  ])
})

test('types with one image and different content are made from one build', async () => {
  const lines: string[] = []
  const one = await requestOf(site, [{ source: 'html', path: '/www' }])
  const other = await requestOf(site, [], { processes: ['worker'] })
  const images = [...one.images, ...other.images]
  const report = (progress: { type: string; text?: string }) => lines.push(progress.text ?? '')
  const built = await builder.build({ ...one, images, noCache: true }, { ...control(), report })
  assert.notEqual(built.web!.digest, built.worker!.digest)
  assert.equal(lines.filter((line) => /RUN mkdir -p \/www/.test(line)).length, 1)
})

test('a volume where the image has a file is refused, and nothing that looked is left', async () => {
  const folders = [{ path: '/www/index.html', source: 'index.html' }]
  await assert.rejects(made(site, [], { folders }), (error: unknown) => {
    assert.ok(error instanceof RackError)
    assert.deepEqual(
      [error.code, error.message],
      [
        'build-failed',
        'web: /www/index.html is a file of the image, and the source has no file index.html to take its place',
      ],
    )
    return true
  })
  const elsewhere = ['/www', '/none'].map((path) => ({ path, source: 'data' }))
  await made(site, [], { folders: elsewhere })
  const query = { all: true, filters: { label: [`com.rack.name=${rack}`] } }
  assert.deepEqual(await docker.json({ path: '/containers/json', query }, control()), [])
})
