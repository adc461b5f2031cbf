import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compileTool } from '../../scripts/bundle/compile-tool.ts'
import { ensureToolImage, toolFile } from '../../src/account/tool-image.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { tagImage } from '../../src/engines/docker/images/images.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { createOwnBuilder } from '../../src/main/own-builder.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { serveText, shellCommand } from '../support/behaviour.ts'
import { buildSpec } from '../support/build-spec.ts'
import { controlFor } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { packTar } from '../support/tar.ts'
import { visitLocally } from '../support/visits.ts'

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const dist = join(import.meta.dirname, '../../dist')
let rack: Awaited<ReturnType<typeof openAwsRack>>

const requestOf = (app: string, build: string, dockerfile: string) => ({
  app,
  build,
  images: [{ processes: ['web'], build: buildSpec(), image: null }],
  source: () => packTar([{ name: 'Dockerfile', content: dockerfile }]),
  environment: {},
  noCache: false,
  deadlineMs: 60_000,
})

before(async () => {
  await compileTool(join(dist, toolFile))
  rack = await openAwsRack()
})
after(async () => await rack.close())

test('what is built beside the daemon runs in the account, prepared by a tool that an installation put there', async () => {
  const repository = `rack/${rack.rack}`
  const toolImage = await ensureToolImage({ clients: rack.clients, repository }, controlFor(30_000))
  assert.equal(await ensureToolImage({ clients: rack.clients, repository }, controlFor(30_000)), toolImage)
  const left = `rack/${rack.rack}__account/made/web:bkilled0000`
  await tagImage(docker, 'busybox:1', left, controlFor(10_000))
  const engine = rack.reopen({
    places: { ...rack.account.places, toolImage, buildProject: null },
    builder: createOwnBuilder({ docker, rack: rack.rack, isAlone: true }),
  })
  const request = requestOf('made', 'BMADEHERE00', 'FROM busybox:1\nENV MADE=here\n')
  const { web } = await engine.build(request, controlFor(60_000))
  assert.match(web!.reference, new RegExp(`/rack/${rack.rack}/made@sha256:`))
  const web1 = processPlan({
    image: web!.reference,
    command: shellCommand([serveText(8080, 'made here')]),
    ...servesHttp(8080, ['made.localhost']),
  })
  const plan = planOf([web1], { rack: rack.rack, owner: appOwner('made'), release: 'RMADEHERE00' })
  const change = { plan, live: null, leaving: [], releaseCommands: noReleaseCommands }
  await engine.deploy(change, controlFor(60_000))
  assert.equal((await visitLocally(rack.httpPort)('made.localhost'))?.text, 'made here')
  assert.equal(rack.account.calls.counts()['codebuild:StartBuild'], undefined)
  // The task had it by its digest; what a build had left that was killed is gone too.
  const images = await docker.json<{ RepoTags: string[] | null }[]>(
    { path: '/images/json' },
    controlFor(10_000),
  )
  const named = images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.includes(rack.rack))
  assert.deepEqual(named, [])
})

test('of two builds of one app neither takes away what the other has made', async () => {
  const engine = rack.reopen({
    places: { ...rack.account.places, buildProject: null },
    builder: createOwnBuilder({ docker, rack: rack.rack, isAlone: true }),
  })
  const builds = ['BTWINA00000', 'BTWINB00000'].map(async (build) => {
    // One ends while the other is at its second step.
    const dockerfile = `FROM busybox:1\nRUN echo ${build}\nRUN ${build.endsWith('A00000') ? 'true' : 'sleep 1'}\n`
    const { web } = await engine.build(requestOf('twin', build, dockerfile), controlFor(60_000))
    return web!.reference
  })
  const references = await Promise.all(builds)
  assert.equal(new Set(references).size, 2)
})

test('where nobody builds, a build is refused with the reason', async () => {
  const engine = rack.reopen({ places: { ...rack.account.places, buildProject: null } })
  const request = requestOf('bare', 'BBARE000000', 'FROM busybox:1\n')
  await assert.rejects(engine.build(request, controlFor(30_000)), {
    code: 'unsupported',
    message: /no builder beside its daemon/,
  })
})
