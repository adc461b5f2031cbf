import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { deployPlan } from '../support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'

const app = 'halfnamed'
let rack: Awaited<ReturnType<typeof openDockerRack>>
let image = ''

before(async () => {
  // As on a machine without nft: elsewhere no copy is taken off its network to be named.
  rack = await openDockerRack({ hasNames: false })
  image = await rack.image('busybox:1')
})
after(async () => await rack.close())

/** Docker as a daemon sees it that is killed when a call of this kind has been answered. */
function dyingAfter(docker: DockerClient, path: RegExp): DockerClient {
  let isDead = false
  return {
    ...docker,
    async json(request, control) {
      if (isDead) throw new Error('killed')
      const answer = await docker.json(request, control)
      isDead = path.test(request.path)
      return answer as never
    },
  }
}

const plan = (text: string, release: string) => {
  const serve = `mkdir /www; echo ${text} > /www/index.html; trap 'exit 0' TERM; httpd -f -p 3000 -h /www & wait $!`
  const web = processPlan({
    image,
    count: 2,
    memoryBytes: 32 * 2 ** 20,
    ...servesHttp(3000, ['halfnamed.localhost']),
    command: ['sh', '-c', serve],
  })
  return planOf([web], { owner: appOwner(app), rack: rack.rack, release })
}

for (const [what, path, word, release] of [
  ['frozen', /\/pause$/, 'two', 'RBBBBBBBBBB'],
  ['on no network', /\/disconnect$/, 'three', 'RCCCCCCCCCC'],
] as const) {
  test(`a copy that a killed daemon left ${what} goes on and serves`, { timeout: 60_000 }, async () => {
    await deployPlan(rack.engine, plan('one', 'RAAAAAAAAAA'), controlFor(60_000))
    const killed = rack.reopen({ docker: dyingAfter(rack.docker, path) })
    await assert.rejects(deployPlan(killed, plan(word, release), controlFor(60_000)))
    await killed.close()
    await deployPlan(rack.engine, plan(word, release), controlFor(60_000))
    const copies = await rack.engine.processes({ owner: appOwner(app), all: true }, controlFor(5000))
    assert.deepEqual(
      copies.map((copy) => [copy.release, copy.status]),
      [
        [release, 'running'],
        [release, 'running'],
      ],
    )
  })
}
