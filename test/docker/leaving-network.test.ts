import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { appOwner } from '../../src/domain/owner.ts'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { deployPlan } from '../support/deploy-plan.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import { planOf, processPlan } from '../support/plans.ts'

const owner = appOwner('leaving')
let rack: Awaited<ReturnType<typeof openDockerRack>>
let image = ''

before(async () => {
  rack = await openDockerRack()
  image = await rack.image('busybox:1')
})
after(async () => await rack.close())

/** Docker, where `then` happens as soon as it has refused to end a network. */
function refusingOnce(docker: DockerClient, then: () => Promise<unknown>): DockerClient {
  return {
    ...docker,
    async json(request, control) {
      try {
        return await docker.json(request, control)
      } catch (error) {
        if (request.method === 'DELETE' && request.path.startsWith('/networks/')) await then()
        throw error
      }
    },
  }
}

test('a network that a container is still leaving is waited for', { timeout: 60_000 }, async () => {
  const { docker, engine } = rack
  const plan = planOf([processPlan({ image, command: ['sleep', '600'] })], { owner, rack: rack.rack })
  await deployPlan(engine, plan, controlFor(60_000))
  const own = { filters: { label: [`com.rack.name=${rack.rack}`] } }
  const [network] = await docker.json<{ Id: string }[]>({ path: '/networks', query: own }, controlFor(5000))
  // One that is being removed by somebody else is gone for us, and is on its network a moment longer.
  const body = { Image: image, Cmd: ['sleep', '600'], HostConfig: { NetworkMode: network?.Id } }
  const made = { method: 'POST', path: '/containers/create', body } as const
  const { Id: other } = await docker.json<{ Id: string }>(made, controlFor(5000))
  const ask = (method: 'POST' | 'DELETE', path: string, query = {}) =>
    docker.json({ method, path: `/containers/${other}${path}`, query }, controlFor(60_000))
  await ask('POST', '/start')
  let refusals = 0
  const leaving = rack.reopen({
    docker: refusingOnce(docker, async () => {
      refusals++
      await ask('DELETE', '', { force: true })
    }),
  })
  await leaving.remove(owner, { volumes: true }, controlFor(60_000))
  await leaving.close()
  assert.equal(refusals, 1)
  assert.deepEqual(await docker.json({ path: '/networks', query: own }, controlFor(5000)), [])
})
