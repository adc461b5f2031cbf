import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, test } from 'node:test'
import type { Progress } from '../../src/domain/control.ts'
import type { BuildRequest } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import type { BuildSecret, BuildSpec } from '../../src/domain/manifest.ts'
import { connectDocker, type DockerClient } from '../../src/engines/docker/client.ts'
import { createImageBuilder } from '../../src/engines/docker/images/image-builder.ts'
import { sweepImages } from '../../src/engines/docker/images/images.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { readSshKey } from '../../src/lib/ssh-key.ts'
import { buildSpec } from '../support/build-spec.ts'
import { packTar } from '../support/tar.ts'

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const rack = `test-secrets-${process.pid}`
const control = (report: (progress: Progress) => void = () => undefined) => ({
  signal: AbortSignal.timeout(120_000),
  report,
})

after(async () => {
  await sweepImages(docker, { rack, keep: new Set() }, control())
})

/** Builds a Dockerfile; gives the image and all that was said. */
async function build(lines: string[], spec: Partial<BuildSpec>, engine: DockerClient = docker) {
  const said: string[] = []
  const request: BuildRequest = {
    app: 'shop',
    build: 'BAAAAAAAAAA',
    images: [{ processes: ['web'], build: buildSpec(spec), image: null }],
    source: () => packTar([{ name: 'Dockerfile', content: `${lines.join('\n')}\n` }]),
    environment: {},
    noCache: true,
    deadlineMs: 120_000,
  }
  const report = (progress: Progress) => {
    if (progress.type === 'log') said.push(progress.text)
  }
  const { web } = await createImageBuilder({ docker: engine, rack }).build(request, control(report))
  return { image: web!.digest, log: said.join('\n') }
}

const secretOf = (id: string, content: string): BuildSecret => ({
  id,
  name: id,
  content: Buffer.from(content).toString('base64'),
  origin: { environment: id.toUpperCase() },
})

/** Everything of an image that can be read: its layers, its settings, how it was made. */
async function allOf(image: string): Promise<string> {
  const saved = await docker.stream({ path: `/images/${image}/get`, deadlineMs: null }, control())
  const tar = Buffer.concat(await Array.fromAsync(saved as AsyncIterable<Buffer>)).toString('latin1')
  const history = await docker.json({ path: `/images/${image}/history` }, control())
  return tar + JSON.stringify(history)
}

test('a secret is there while a step runs, and is in no layer, no history and no line of the log', async () => {
  const [token, lines] = ['t0ken-4711', ['first-4712', 'second-4713']]
  const { image, log } = await build(
    [
      'FROM busybox:1',
      'RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = t0ken-"4711"',
      'RUN --mount=type=secret,id=token --mount=type=secret,id=file,dst=/etc/file cat /run/secrets/token /etc/file; cat /etc/file | wc -l > /count',
      'RUN test ! -s /run/secrets/token && test ! -s /etc/file && echo looked-at-$(cat /count)',
    ],
    {
      secrets: [secretOf('token', token), secretOf('file', `${lines.join('\n')}\n`), secretOf('unused', 'x')],
    },
  )
  assert.match(log, /looked-at-2/)
  assert.match(log, /\*\*\*\*/)
  const everything = await allOf(image)
  assert.ok(everything.includes('count'), 'the image was not looked at')
  for (const secret of [token, ...lines]) {
    assert.ok(!log.includes(secret), `the log has ${secret}`)
    assert.ok(!everything.includes(secret), `the image has ${secret}`)
  }
})

test('what a failed step says of a secret is hidden too', async () => {
  const failing = build(
    ['FROM busybox:1', 'RUN --mount=type=secret,id=token cat /run/secrets/token >&2; exit 3'],
    { secrets: [secretOf('token', 't0ken-4711')] },
  )
  const error = await failing.then(
    () => assert.fail('it went through'),
    (caught: RackError) => caught,
  )
  assert.equal(error.code, 'build-failed')
  assert.ok(!JSON.stringify([error.message, error.details]).includes('t0ken'))
  assert.match(JSON.stringify(error.details), /\*\*\*\*/)
})

/** Asks the agent for its keys, as a client of ssh does, and prints the answer. */
const askAgent = `node -e "const s=require('net').connect(process.env.SSH_AUTH_SOCK);s.write(Buffer.from([0,0,0,1,11]));s.on('data',d=>{console.log('answer '+d.toString('base64'));s.end()})"`

test('a step signs by an agent that has the key, which is in no layer and no line of the log', async () => {
  const pem = String(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const { image, log } = await build(
    [
      'FROM node:24-slim AS made',
      `RUN --mount=type=ssh ${askAgent}`,
      `RUN --mount=type=ssh,id=git,required=true ${askAgent} > /answer`,
      'FROM scratch',
      'COPY --from=made /answer /answer',
    ],
    { keys: [secretOf('default', pem), secretOf('git', pem)] },
  )
  const [, answer = ''] = /^answer (\S+)$/m.exec(log) ?? []
  assert.ok(Buffer.from(answer, 'base64').includes(readSshKey(pem).blob), log)
  const everything = log + (await allOf(image))
  const [body = ''] = pem.split('\n').slice(1)
  assert.ok(!everything.includes(body) && !everything.includes('PRIVATE KEY'))
})

test('a key that cannot be used, and one that is missing, are told', async () => {
  const bad = build(['FROM busybox:1'], { keys: [secretOf('default', 'no key at all')] })
  await assert.rejects(bad, {
    code: 'invalid',
    message: /^web: build\.ssh: the key "default" cannot be used: it is no private key/,
    hint: 'It is read from the variable DEFAULT of the app.',
  })
  const missing = ['FROM busybox:1', 'RUN --mount=type=secret,id=token,required=true true']
  await assert.rejects(build(missing, {}), { code: 'build-failed', message: /token/ })
})

test('an engine without BuildKit is given no secret: the build says so before it begins', async () => {
  const classic: DockerClient = {
    ...docker,
    upgrade: async () => {
      throw new RackError('not-found', 'page not found')
    },
  }
  const secrets = [secretOf('token', 't0ken-4711')]
  await assert.rejects(build(['FROM busybox:1'], { secrets }, classic), {
    code: 'unsupported',
    message: /^web: build\.secrets and build\.ssh need BuildKit, which this Docker Engine has not/,
  })
})
