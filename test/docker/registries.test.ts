import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Progress } from '../../src/domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../src/domain/engine.ts'
import type { RegistryLogin } from '../../src/domain/registry.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createImageBuilder } from '../../src/engines/docker/images/image-builder.ts'
import { sweepImages } from '../../src/engines/docker/images/images.ts'
import { tryLogin } from '../../src/engines/docker/images/registry-logins.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { buildSpec } from '../support/build-spec.ts'
import { startImageRegistry, type ImageRegistry } from '../support/image-registry.ts'
import { packTar } from '../support/tar.ts'

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const rack = `test-registries-${process.pid}`
const control = (report: (progress: Progress) => void = () => undefined) => ({
  signal: AbortSignal.timeout(120_000),
  report,
})
const login = { username: 'shop', password: 'hush-4711' }
const registries: ImageRegistry[] = []

before(async () => {
  const image = await build([{ processes: ['web'], build: buildSpec(), image: null }], {
    dockerfile: `FROM busybox:1\nRUN echo private-${process.pid} > /private\nCMD ["cat", "/private"]\n`,
  })
  const saved = async () =>
    await docker.stream({ path: `/images/${image.web}/get`, deadlineMs: null }, control())
  for (const way of ['basic', 'token'] as const) {
    registries.push(await startImageRegistry(await saved(), { ...login, way }))
  }
})

after(async () => {
  for (const registry of registries) await registry[Symbol.asyncDispose]()
  await sweepImages(docker, { rack, keep: new Set() }, control())
})

/** Builds images; gives their ids by process, with all that was said. */
async function build(
  images: ImageRequest[],
  given: { dockerfile?: string; logins?: RegistryLogin[] } = {},
  said: string[] = [],
): Promise<Record<string, string>> {
  const { dockerfile = '', logins = [] } = given
  const request: BuildRequest = {
    app: 'shop',
    build: 'BAAAAAAAAAA',
    images,
    source: () => packTar([{ name: 'Dockerfile', content: dockerfile }]),
    logins,
    environment: {},
    noCache: false,
    deadlineMs: 120_000,
  }
  const report = (progress: Progress) => {
    if (progress.type === 'log') said.push(progress.text)
  }
  const built = await createImageBuilder({ docker, rack }).build(request, control(report))
  return Object.fromEntries(Object.entries(built).map(([name, { reference }]) => [name, reference]))
}

const pulled = (image: string): ImageRequest[] => [{ processes: ['web'], build: null, image }]
const built: ImageRequest[] = [{ processes: ['web'], build: buildSpec(), image: null }]

/** A name that the engine has no image of, whatever other tests have pulled. */
let names = 0
const nameAt = ({ host }: ImageRegistry) => `${host}/team/private-${names++}:1`

async function removeImage(name: string): Promise<void> {
  await docker.json({ method: 'DELETE', path: `/images/${name}` }, control())
}

test('an image of a private registry is pulled by the login of the rack, however the registry asks', async () => {
  for (const registry of registries) {
    const name = nameAt(registry)
    const logins = [
      { host: 'other.example.com', username: 'x', password: 'y' },
      { ...login, host: registry.host },
    ]
    const said: string[] = []
    const { web } = await build(pulled(name), { logins }, said)
    assert.match(web ?? '', /^sha256:/)
    assert.ok(registry.asked.some((line) => line.endsWith(' shop')))
    assert.ok(!said.join('\n').includes(login.password))
    await removeImage(name)
  }
})

test('a Dockerfile stands on an image of a private registry', async () => {
  for (const registry of registries) {
    const name = nameAt(registry)
    const dockerfile = `FROM ${name}\nRUN grep private /private && echo stood-on ${name}\n`
    const said: string[] = []
    const logins = [{ ...login, host: registry.host }]
    await build(built, { dockerfile, logins }, said)
    assert.ok(said.includes(`stood-on ${name}`), said.join('\n'))
    assert.ok(!said.join('\n').includes(login.password))
  }
})

test('without a login, or with a wrong one, the hint says what to type', async () => {
  for (const registry of registries) {
    for (const logins of [[], [{ ...login, host: registry.host, password: 'wrong-4711' }]]) {
      const name = nameAt(registry)
      await assert.rejects(build(pulled(name), { logins }), {
        code: 'image-unavailable',
        hint: `Is it private? Give the rack a login: rack registries add ${registry.host} --username NAME`,
      })
      await assert.rejects(build(built, { dockerfile: `FROM ${name}\nRUN true\n`, logins }), {
        code: 'build-failed',
        hint: /rack registries add HOST --username NAME/,
      })
    }
  }
})

test('a login is tried at the registry', async () => {
  for (const { host } of registries) {
    await tryLogin(docker, { ...login, host }, control())
    await assert.rejects(tryLogin(docker, { ...login, host, password: 'wrong-4711' }, control()), {
      code: 'invalid',
      message: `${host} refuses the login of shop`,
    })
  }
  const nobody = { ...login, host: '127.0.0.1:9' }
  await assert.rejects(tryLogin(docker, nobody, control()), {
    code: 'invalid',
    message: /^127\.0\.0\.1:9 cannot be asked: /,
  })
})
