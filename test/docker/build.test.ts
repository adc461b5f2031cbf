import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { BuildRequest, ImageRequest } from '../../src/domain/engine.ts'
import type { Progress } from '../../src/domain/control.ts'
import type { BuildSpec, PullPolicy } from '../../src/domain/manifest.ts'
import { RackError } from '../../src/domain/error.ts'
import { createImageBuilder } from '../../src/engines/docker/images/image-builder.ts'
import type { BuildFailure } from '../../src/engines/docker/images/build-failure.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { findImage, imageTag, sweepImages, tagImage } from '../../src/engines/docker/images/images.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { until } from '../../src/lib/poll.ts'
import { buildSpec } from '../support/build-spec.ts'
import { packTar, unpackTar, type TarEntry } from '../support/tar.ts'

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const rack = `test-build-${process.pid}`
const builder = createImageBuilder({ docker, rack })

function controlOf(signal = AbortSignal.timeout(120_000)) {
  const lines: { text: string; process: string | undefined }[] = []
  const report = (progress: Progress) => {
    if (progress.type === 'log') lines.push({ text: progress.text, process: progress.process })
  }
  return { signal, report, lines, texts: () => lines.map(({ text }) => text) }
}

after(async () => {
  await sweepImages(docker, { rack, keep: new Set() }, controlOf())
})

let builds = 0

function requestOf(files: TarEntry[], overrides: Partial<BuildRequest> = {}): BuildRequest {
  const letters = String(builds++)
    .padStart(10, '0')
    .replaceAll(/\d/g, (digit) => 'ABCDEFGHIJ'[Number(digit)]!)
  return {
    app: 'shop',
    build: `B${letters}`,
    images: [{ processes: ['web'], build: buildSpec(), image: null }],
    source: () => packTar(files),
    environment: {},
    noCache: false,
    deadlineMs: 120_000,
    ...overrides,
  }
}

const dockerfile = (...lines: string[]): TarEntry => ({
  name: 'Dockerfile',
  content: `${lines.join('\n')}\n`,
})

async function filesOf(image: string, directory: string) {
  const { Id } = await docker.json<{ Id: string }>(
    { method: 'POST', path: '/containers/create', body: { Image: image, Cmd: ['true'] } },
    controlOf(),
  )
  try {
    const request = { path: `/containers/${Id}/archive`, query: { path: directory } }
    return await unpackTar(await docker.stream(request, controlOf()))
  } finally {
    await docker.json({ method: 'DELETE', path: `/containers/${Id}`, query: { force: 1 } }, controlOf())
  }
}

async function failsToBuild(request: BuildRequest, control = controlOf()): Promise<RackError> {
  const outcome = await builder.build(request, control).then(
    () => assert.fail('the build went through'),
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof RackError, String(outcome))
  return outcome
}

test('a build gives an image with its configuration, a log of its steps, and a name', async () => {
  const control = controlOf()
  const request = requestOf([
    dockerfile(
      'FROM busybox:1',
      `RUN echo built at ${Date.now()}; echo a warning >&2; printf 'no newline'`,
      'ENV LINK_SCHEME=redis LINK_PATH=/0 OTHER=x',
      'EXPOSE 8080 53/udp 80',
      'USER 1000:1000',
      'VOLUME /data',
      'HEALTHCHECK --interval=7s --timeout=1500ms CMD true',
      'WORKDIR /srv',
      'ENTRYPOINT ["/bin/sh", "-c"]',
      'CMD ["sleep 60"]',
      'STOPSIGNAL SIGQUIT',
    ),
  ])
  const { web } = await builder.build(request, control)
  assert.match(web!.digest, /^sha256:[0-9a-f]{64}$/)
  assert.deepEqual(web!.exposed, ['53/udp', '80/tcp', '8080/tcp'])
  assert.deepEqual(web!.link, { LINK_SCHEME: 'redis', LINK_PATH: '/0' })
  assert.equal(web!.user, '1000:1000')
  assert.deepEqual(web!.volumes, ['/data'])
  assert.deepEqual(
    [web!.entrypoint, web!.command, web!.workingDir, web!.stopSignal],
    [['/bin/sh', '-c'], ['sleep 60'], '/srv', 'SIGQUIT'],
  )
  assert.deepEqual(web!.healthcheck, {
    test: ['CMD-SHELL', 'true'],
    intervalMs: 7000,
    timeoutMs: 1500,
    retries: 3,
    startPeriodMs: 0,
  })
  const texts = control.texts()
  const step = texts.findIndex((text) => text.startsWith('[2/3] RUN echo built at'))
  assert.ok(step >= 0, texts.join('\n'))
  const output = texts.slice(step + 1).join('\n')
  assert.match(output, /^built at \d+$/m)
  assert.match(output, /^a warning$/m)
  assert.match(output, /^no newline\n\[2\/3\] DONE \d+\.\ds$/m)
  assert.ok(texts.every((text) => !text.includes('internal')))
  assert.ok(control.lines.every(({ process: type }) => type === 'web'))
  const found = await findImage(
    docker,
    imageTag({ rack, app: 'shop', type: 'web', build: request.build }),
    control,
  )
  assert.equal(found?.Id, web!.digest)
})

test('a Dockerfile in the compose file is built in its context, and quoted when it fails', async () => {
  const files = [
    { name: '.dockerignore', content: 'drop\n' },
    { name: 'keep', content: 'kept\n' },
    { name: 'drop', content: '' },
  ]
  const inline = (...lines: string[]) => ({
    images: [
      {
        processes: ['web'],
        build: buildSpec({ dockerfile: '', inline: `${lines.join('\n')}\n` }),
        image: null,
      },
    ],
  })
  const request = requestOf(files, inline('FROM busybox:1', 'COPY . /src'))
  const { web } = await builder.build(request, controlOf())
  const found = await filesOf(web!.digest, '/src')
  const names = found.map(({ name }) => name).toSorted()
  assert.deepEqual(names, ['src/', 'src/.dockerignore', 'src/keep'])
  const failing = requestOf(files, inline('FROM busybox:1', '', 'RUN echo no && exit 7'))
  const error = await failsToBuild(failing)
  assert.equal((error.details as BuildFailure).line, 3)
  assert.match(error.hint ?? '', /line 3 of build.dockerfile_inline of web, "RUN echo no && exit 7"/)
})

test('a build has the network, the hosts and the labels that it asks for', async () => {
  const build = buildSpec({
    network: 'none',
    extraHosts: [
      { host: 'mirror.example', address: '10.9.8.7' },
      { host: 'other.example', address: '10.9.8.6' },
    ],
    labels: { 'com.example.team': 'till', 'com.rack.app': 'forged' },
  })
  const script = 'ls /sys/class/net > /net; cat /etc/hosts > /seen'
  const request = requestOf([dockerfile('FROM busybox:1', `RUN ${script}`)], {
    images: [{ processes: ['web'], build, image: null }],
  })
  const { web } = await builder.build(request, controlOf())
  const [net] = await filesOf(web!.digest, '/net')
  assert.equal(net?.content, 'lo\n')
  const [seen] = await filesOf(web!.digest, '/seen')
  assert.match(seen?.content ?? '', /10\.9\.8\.7\s+mirror\.example[^]*10\.9\.8\.6\s+other\.example/)
  const { Config } = await docker.json<{ Config: { Labels: Record<string, string> } }>(
    { path: `/images/${web!.digest}/json` },
    controlOf(),
  )
  assert.deepEqual([Config.Labels['com.example.team'], Config.Labels['com.rack.app']], ['till', 'shop'])
})

test('the same source again is the same image, from the cache', async () => {
  const files = [
    dockerfile('FROM busybox:1', 'COPY a /a', `RUN echo ${Date.now()} > /b`),
    { name: 'a', content: 'a' },
  ]
  const first = await builder.build(requestOf(files), controlOf())
  const control = controlOf()
  const second = await builder.build(requestOf(files), control)
  assert.equal(second.web!.digest, first.web!.digest)
  assert.ok(control.texts().includes('[2/3] COPY a /a CACHED'), control.texts().join('\n'))
  const fresh = controlOf()
  await builder.build(requestOf(files, { noCache: true }), fresh)
  assert.ok(!fresh.texts().some((text) => text.startsWith('[3/3]') && text.endsWith('CACHED')))
})

test('a failing step is named with its line, exit code and last words', async () => {
  const files = [
    dockerfile('FROM busybox:1', '# why', 'RUN echo one \\', '  && echo two && exit 41', 'RUN true'),
  ]
  const control = controlOf()
  const error = await failsToBuild(requestOf(files), control)
  assert.equal(error.code, 'build-failed')
  assert.equal(error.message, 'web: step [2/3] RUN echo one && echo two && exit 41 failed: exit code 41')
  const details = error.details as BuildFailure
  assert.deepEqual(details, { ...details, processes: ['web'], line: 3, exitCode: 41, tail: ['one', 'two'] })
  assert.match(error.hint ?? '', /Dockerfile:3/)
  assert.ok(control.texts().includes('two'))
})

test('other ways to fail say what to mend', async () => {
  const parse = await failsToBuild(requestOf([dockerfile('FROM busybox:1', 'BOGUS x')]))
  assert.match(parse.message, /^web: dockerfile parse error.*unknown instruction: BOGUS/i)
  assert.equal((parse.details as BuildFailure).line, 2)

  const missing = await failsToBuild(requestOf([{ name: 'other', content: '' }]))
  assert.equal(missing.message, 'web: the source has no Dockerfile')
  assert.equal(missing.code, 'build-failed')

  const copy = await failsToBuild(requestOf([dockerfile('FROM busybox:1', 'COPY nothing /')]))
  assert.match(copy.message, /nothing/)

  const target = [{ processes: ['web'], build: buildSpec({ target: 'absent' }), image: null }]
  const stage = await failsToBuild(requestOf([dockerfile('FROM busybox:1')], { images: target }))
  assert.match(stage.message, /^web: .*absent/)
})

test('base images and # syntax that no registry gives are explained', async () => {
  const base = await failsToBuild(requestOf([dockerfile('FROM registry.invalid/rack/none:1')]))
  assert.equal(base.code, 'build-failed')
  assert.match(base.hint ?? '', /base image.*FROM in Dockerfile/)

  const syntax = await failsToBuild(
    requestOf([dockerfile('# syntax=registry.invalid/dockerfile:1', 'FROM busybox:1')]),
  )
  assert.match(syntax.hint ?? '', /syntax=registry\.invalid\/dockerfile:1.*remove the line/)
})

test('.dockerignore, modes and symbolic links are as in Docker, per context', async () => {
  const files: TarEntry[] = [
    { name: '.dockerignore', content: 'never-read\n' },
    { name: 'api/.dockerignore', content: '*.secret\nlogs\n!logs/keep\nDockerfile\n' },
    { name: 'api/Dockerfile', content: 'FROM busybox:1\nCOPY . /src/\n' },
    { name: 'api/run', content: '#!/bin/sh\n', mode: 0o755 },
    { name: 'api/link', linkname: 'run' },
    { name: 'api/x.secret', content: 'no' },
    { name: 'api/logs/drop', content: 'no' },
    { name: 'api/logs/keep', content: 'yes' },
    { name: `api/${'deep/'.repeat(40)}file`, content: 'far down' },
    { name: 'outside', content: 'no' },
  ]
  const images = [{ processes: ['web'], build: buildSpec({ context: 'api' }), image: null }]
  const { web } = await builder.build(requestOf(files, { images }), controlOf())
  const found = new Map((await filesOf(web!.digest, '/src')).map((entry) => [entry.name, entry]))
  assert.equal(found.get('src/run')!.mode & 0o777, 0o755)
  assert.equal(found.get('src/link')!.linkname, 'run')
  assert.equal(found.get(`src/${'deep/'.repeat(40)}file`)?.content, 'far down')
  assert.equal(found.get('src/logs/keep')?.content, 'yes')
  const names = [...found.keys()].join(' ')
  assert.doesNotMatch(names, /secret|drop|outside|never-read/)
})

test('types that share a build get one image by one build; targets and args make others', async () => {
  const text = [
    'FROM busybox:1 AS base',
    'ARG COLOUR=none',
    `RUN echo ${Date.now()} $COLOUR > /c`,
    'FROM base AS top',
  ]
  const image = (name: string, overrides: Parameters<typeof buildSpec>[0] = {}): ImageRequest => {
    return { processes: [name], build: buildSpec(overrides), image: null }
  }
  const images = [
    image('web'),
    image('worker'),
    image('red', { args: { COLOUR: 'red' } }),
    image('base', { target: 'base' }),
  ]
  const control = controlOf()
  const built = await builder.build(requestOf([dockerfile(...text)], { images }), control)
  assert.equal(built.web!.digest, built.worker!.digest)
  assert.notEqual(built.web!.digest, built.red!.digest)
  assert.deepEqual(new Set(control.lines.map((line) => line.process)), new Set(['base', 'red', 'web']))
  assert.match((await filesOf(built.red!.digest, '/c'))[0]!.content, / red\n$/)
})

test('what the app environment gives to a build is masked in its log and its failure', async () => {
  const control = controlOf()
  const request = requestOf(
    [
      dockerfile(
        'FROM debian:bookworm-slim',
        'ARG TOKEN',
        'ARG URL',
        'RUN echo "the token is $TOKEN" && echo "$URL" && : $TOKEN && exit 3',
      ),
    ],
    {
      images: [
        {
          processes: ['web'],
          build: buildSpec({ args: { URL: 'http://me:hunter2pass@host' } }),
          image: null,
        },
      ],
      environment: { TOKEN: 'opensesame', PASSWORD: 'hunter2pass', KIND: 'debian' },
    },
  )
  const error: unknown = await builder.build(request, control).catch((caught: unknown) => caught)
  assert.ok(error instanceof RackError)
  assert.equal(error.code, 'build-failed')
  const said = JSON.stringify([control.texts(), error.message, error.hint, error.details])
  assert.match(said, /the token is \*{4}/)
  assert.match(said, /me:\*{4}@host/)
  assert.match(said, /debian:bookworm-slim/)
  assert.doesNotMatch(said, /opensesame|hunter2pass/)
})

test('a bare ARG takes the value of the app environment, and no other does', async () => {
  const files = [
    dockerfile(
      'FROM busybox:1',
      'ARG TOKEN',
      'ARG KIND=default',
      'ARG FROM_COMPOSE',
      'RUN echo "$TOKEN $KIND $FROM_COMPOSE" > /args',
    ),
  ]
  const environment = { TOKEN: 'from app', KIND: 'not me', FROM_COMPOSE: 'not me either' }
  const images = [
    { processes: ['web'], build: buildSpec({ args: { FROM_COMPOSE: 'compose' } }), image: null },
  ]
  const { web } = await builder.build(requestOf(files, { environment, images }), controlOf())
  assert.equal((await filesOf(web!.digest, '/args'))[0]!.content, 'from app default compose\n')
})

test('an image that no registry gives is served by the one on this machine, and it is said', async () => {
  const images: ImageRequest[] = [
    { processes: ['a'], build: null, image: 'busybox:1' },
    { processes: ['b'], build: null, image: 'busybox:1' },
  ]
  const control = controlOf()
  const built = await builder.build(requestOf([], { images }), control)
  const local = await findImage(docker, 'busybox:1', control)
  assert.deepEqual([built.a!.digest, built.b!.digest], [local!.Id, local!.Id])
  const said = control.texts().filter((text) => text === 'pulling busybox:1')
  assert.equal(said.length, 1, 'types that share an image pull it once')
  const isPulled = control.texts().some((text) => text.startsWith('pulled busybox:1'))
  const isSaid = control
    .texts()
    .some((text) => /busybox:1 could not be pulled .* on this machine serves/.test(text))
  assert.ok(isPulled || isSaid, control.texts().join('\n'))
})

test('an image that is nowhere is unavailable', async () => {
  const images = [{ processes: ['db'], build: null, image: 'registry.invalid/none:1' }]
  const error = await failsToBuild(requestOf([], { images }))
  assert.equal(error.code, 'image-unavailable')
  assert.match(error.message, /^db: the image registry\.invalid\/none:1 cannot be pulled: /)
})

test("a name beside a build is the app's own: images that others have by it stay what they are", async () => {
  const theirs = `registry.invalid/${rack}/theirs:1`
  const live = imageTag({ rack, app: 'other', type: 'web', build: 'BOTHERAPPXX' })
  const busybox = await findImage(docker, 'busybox:1', controlOf())
  for (const name of [theirs, live]) await tagImage(docker, 'busybox:1', name, controlOf())
  try {
    for (const image of [theirs, live]) {
      const images = [{ processes: ['web'], build: buildSpec(), image }]
      const request = requestOf([dockerfile('FROM busybox:1', 'LABEL by=another')], { images })
      const { web } = await builder.build(request, controlOf())
      assert.notEqual(web!.digest, busybox!.Id)
      assert.equal((await findImage(docker, image, controlOf()))!.Id, busybox!.Id, image)
    }
  } finally {
    await docker.json({ method: 'DELETE', path: `/images/${theirs}` }, controlOf())
  }
})

test('what another app has built is no image to run, neither by its name nor by its id', async () => {
  const { web } = await builder.build(
    requestOf([dockerfile('FROM busybox:1', 'LABEL secret=1')]),
    controlOf(),
  )
  const [own = ''] = (await findImage(docker, web!.digest, controlOf()))!.RepoTags!
  const id = web!.digest.replace('sha256:', '')
  for (const image of [own, `docker.io/${own}`, id.slice(0, 12), `sha256:${id}`]) {
    const images = [{ processes: ['web'], build: null, image }]
    const error = await failsToBuild(requestOf([], { images }))
    assert.equal(error.code, 'image-unavailable', image)
  }
})

test('an engine without BuildKit builds all the same', async () => {
  const upgrade = async () =>
    await Promise.reject(new RackError('not-found', 'Docker Engine: page not found'))
  const classic = createImageBuilder({ docker: { ...docker, upgrade }, rack })
  const control = controlOf()
  // Its cache outlives the test: a step is run, and says its words, where no run before has had it.
  const words = `classic ${crypto.randomUUID()}`
  const good = requestOf([dockerfile('FROM busybox:1', `RUN echo ${words}`, 'USER 7')])
  const { web } = await classic.build(good, control)
  assert.equal(web!.user, '7')
  // The two labels of the rack are steps to this builder.
  assert.deepEqual(control.texts().slice(0, 3), ['[1/5] FROM busybox:1', `[2/5] RUN echo ${words}`, words])
  const bad = classic.build(requestOf([dockerfile('FROM busybox:1', 'RUN echo words; exit 9')]), controlOf())
  await assert.rejects(bad, (error) => {
    assert.ok(error instanceof RackError)
    assert.equal(error.message, 'web: step [2/4] RUN echo words; exit 9 failed: exit code 9')
    assert.deepEqual((error.details as BuildFailure).tail, ['words'])
    assert.equal((error.details as BuildFailure).line, 2)
    return true
  })
  const unreadable = classic.build(requestOf([dockerfile('FROM busybox:1', 'BOGUS')]), controlOf())
  await assert.rejects(unreadable, { code: 'build-failed', message: /^web: .*unknown instruction: BOGUS/ })
})

test('a registry that is silent is not waited for long, and a local image of the name serves', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const name = `127.0.0.1:${(silent.address() as AddressInfo).port}/rack/silent:1`
  const impatient = createImageBuilder({ docker, rack, registryPatienceMs: 1000 })
  const request = requestOf([], { images: [{ processes: ['web'], build: null, image: name }] })
  const nowhere = impatient.build(request, controlOf())
  await assert.rejects(nowhere, { code: 'image-unavailable', message: /its registry did not answer in 1 s/ })
  await tagImage(docker, 'busybox:1', name, controlOf())
  const control = controlOf()
  const { web } = await impatient.build(request, control)
  assert.equal(web!.digest, (await findImage(docker, 'busybox:1', control))!.Id)
  assert.ok(control.texts().some((text) => text.includes('on this machine serves')))
  await docker.json({ method: 'DELETE', path: `/images/${name}` }, controlOf())
  silent.close()
})

test('builds beyond the limit wait for their turn, and may be cancelled while they do', async () => {
  const single = createImageBuilder({ docker, rack, maxConcurrentBuilds: 1 })
  const first = new AbortController()
  const busy = controlOf(first.signal)
  const building = single.build(requestOf([dockerfile('FROM busybox:1', 'RUN echo begun; sleep 60')]), busy)
  const ended = assert.rejects(building, { code: 'cancelled' })
  await until(() => busy.texts().includes('begun'), { deadlineMs: 60_000, what: 'the first build' })
  const second = new AbortController()
  const waiting = controlOf(second.signal)
  const queued = single.build(requestOf([dockerfile('FROM busybox:1')]), waiting)
  const gone = assert.rejects(queued, { code: 'cancelled' })
  assert.equal(single.running().length, 2)
  assert.deepEqual(waiting.texts(), ['waiting for other builds of this rack'])
  second.abort()
  await gone
  first.abort()
  await ended
  assert.equal(single.running().length, 0)
})

test('a build whose time is up is ended in the engine too', async () => {
  const marker = `7${Date.now()}`
  const endless = requestOf([dockerfile('FROM busybox:1', `RUN sleep ${marker}`)], { deadlineMs: 3000 })
  await assert.rejects(builder.build(endless, controlOf()), { code: 'timeout' })
  await until(async () => !(await isRunning(marker)), { deadlineMs: 60_000, what: 'the step to end' })
})

test('an abort ends the build in the engine, not only here', async () => {
  const marker = `9${Date.now()}`
  const abort = new AbortController()
  const control = controlOf(abort.signal)
  const building = builder.build(
    requestOf([dockerfile('FROM busybox:1', `RUN echo begun; sleep ${marker}`)]),
    control,
  )
  const rejected = assert.rejects(
    building,
    (error) => error instanceof RackError && error.code === 'cancelled',
  )
  await until(() => control.texts().includes('begun'), { deadlineMs: 60_000, what: 'the step to begin' })
  assert.deepEqual(
    builder.running().map(({ app }) => app),
    ['shop'],
  )
  assert.ok(await isRunning(marker))
  abort.abort()
  await rejected
  assert.deepEqual(builder.running(), [])
  await until(async () => !(await isRunning(marker)), { deadlineMs: 60_000, what: 'the step to end' })
})

/** Whether a process of a build with this word in its command line runs; the engine is on this machine. */
async function isRunning(word: string): Promise<boolean> {
  const { readdir, readFile } = await import('node:fs/promises')
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.some((line) => line.includes(`sleep\0${word}`))
}

test('20,000 files stream through with bounded memory', async () => {
  const content = 'x'.repeat(2000)
  async function* source() {
    function* entries(): Generator<TarEntry> {
      yield { name: '.dockerignore', content: 'ignored' }
      yield dockerfile('FROM busybox:1', 'COPY . /src/')
      for (let index = 0; index < 20_000; index++) yield { name: `d${index % 100}/f${index}`, content }
    }
    yield* packTar(entries())
  }
  const control = controlOf()
  const before = process.memoryUsage().rss
  let peak = 0
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
  const { web } = await builder.build({ ...requestOf([]), source }, control)
  clearInterval(watch)
  assert.ok(web)
  const grownMb = (peak - before) / 1024 / 1024
  assert.ok(grownMb < 200, `the process grew by ${grownMb.toFixed()} MB`)
})

test('a source that breaks off ends the build with its own reason', async () => {
  const source = async function* () {
    const whole = Buffer.concat(
      await Array.fromAsync(packTar([dockerfile('FROM busybox:1'), { name: 'a', content: 'a' }])),
    )
    yield whole.subarray(0, 1100)
    throw new RackError('not-found', 'the upload is gone')
  }
  const error = await failsToBuild({ ...requestOf([]), source })
  assert.equal(error.message, 'the upload is gone')
})

test('a sweep takes the names of the rack off, and keeps what is to be kept', async () => {
  const kept = await builder.build(
    requestOf([dockerfile('FROM busybox:1', `LABEL kept=${Date.now()}`)]),
    controlOf(),
  )
  const request = requestOf([dockerfile('FROM busybox:1', `LABEL gone=${Date.now()}`)])
  const gone = await builder.build(request, controlOf())
  const swept = await sweepImages(docker, { rack, keep: new Set([kept.web!.digest]) }, controlOf())
  assert.ok(swept.images >= 1)
  assert.ok(await findImage(docker, kept.web!.digest, controlOf()))
  assert.equal(await findImage(docker, gone.web!.digest, controlOf()), null)
  assert.ok(await findImage(docker, 'busybox:1', controlOf()))
})

const named = (process: string, overrides: Partial<BuildSpec>): ImageRequest => ({
  processes: [process],
  build: buildSpec(overrides),
  image: null,
})

test('further contexts are folders, images and other processes of the file, by their names', async () => {
  const request = requestOf(
    [
      {
        name: 'web/Dockerfile',
        content: 'ARG A\nFROM base\nCOPY --from=lib . /lib\nCOPY --from=box /bin/busybox /box\nCOPY . /src\n',
      },
      { name: 'lib/.dockerignore', content: 'drop\n' },
      { name: 'lib/keep/file', content: 'kept' },
      { name: 'lib/drop', content: '' },
      { name: 'base/Dockerfile', content: 'FROM busybox:1\nRUN echo based > /base\n' },
      { name: 'empty', content: '' },
    ],
    {
      images: [
        named('web', {
          context: 'web',
          contexts: [
            { name: 'lib', folder: 'lib' },
            { name: 'box', image: 'busybox:1' },
            { name: 'base', process: 'base' },
          ],
        }),
        named('base', { context: 'base' }),
      ],
    },
  )
  const { web } = await builder.build(request, controlOf())
  const filesIn = async (path: string) =>
    (await filesOf(web!.digest, path)).map(({ name, content }) => `${name} ${content}`)
  assert.deepEqual(await filesIn('/base'), ['base based\n'])
  assert.deepEqual((await filesIn('/lib')).toSorted(), [
    'lib/ ',
    'lib/.dockerignore drop\n',
    'lib/keep/ ',
    'lib/keep/file kept',
  ])
  assert.equal((await filesOf(web!.digest, '/box')).length, 1)
  const source = (await filesOf(web!.digest, '/src')).map(({ name }) => name)
  assert.ok(source.includes('src/Dockerfile') && !source.some((name) => name.includes('lib')))
})

test('a further context that is no folder of the source is told, and so is a name that is taken', async () => {
  const files = [dockerfile('FROM busybox:1 AS lib', 'RUN true'), { name: 'folder/file', content: '' }]
  const failing = (folder: string, name: string) =>
    failsToBuild(requestOf(files, { images: [named('web', { contexts: [{ name, folder }] })] }))
  const nowhere = await failing('fold', 'other')
  assert.equal(nowhere.message, 'build.additional_contexts: the source has no folder fold')
  assert.match((await failing('folder', 'lib')).message, /the Dockerfile has a stage "lib" of its own/)
})

test('shm_size and ulimits hold while a step runs', async () => {
  const control = controlOf()
  const limits = { shmBytes: 128 * 2 ** 20, ulimits: [{ name: 'nofile', soft: 1234, hard: 2345 }] }
  const lines = [
    'FROM busybox:1',
    'RUN echo "shm $(df -k /dev/shm | tail -1 | awk \'{print $2}\') files $(ulimit -n)"',
  ]
  const request = requestOf([dockerfile(...lines)], { images: [named('web', limits)], noCache: true })
  await builder.build(request, control)
  assert.match(control.texts().join('\n'), /^shm 131072 files 1234$/m)
})

test('a pull policy says whether the registry is asked, and whether what is here serves', async () => {
  const name = `127.0.0.1:9/policy-${process.pid}:1`
  const pull = async (policy: PullPolicy) => {
    const control = controlOf()
    const request = requestOf([], {
      images: [{ processes: ['web'], build: null, image: name, pull: policy }],
    })
    const error = await builder.build(request, control).then(
      () => null,
      (caught: unknown) => caught as RackError,
    )
    return { said: control.texts().join('\n'), code: error?.code, message: error?.message ?? '' }
  }
  assert.match((await pull('never')).message, /it is not here, and `pull_policy: never` asks no registry$/)
  assert.equal((await pull('missing')).code, 'image-unavailable')
  await tagImage(docker, 'busybox:1', name, controlOf())
  try {
    for (const policy of ['never', 'missing'] as const) {
      const { code, said } = await pull(policy)
      assert.deepEqual([code, said], [undefined, `${name} is here`])
    }
    assert.equal((await pull('always')).code, 'image-unavailable')
  } finally {
    await docker.json({ method: 'DELETE', path: `/images/${name}` }, controlOf())
  }
})
