import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { createClients } from '../../src/aws/clients.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { controlFor } from '../support/docker-rack.ts'
import { visitLocally } from '../support/visits.ts'
import { wholeApp } from '../support/whole-app.ts'

const app = 'hasty'

/** How each family says that it is asked too often; most say the first. */
const refusals: Record<string, [name: string, status?: number]> = {
  cloudformation: ['Throttling'],
  elasticloadbalancing: ['Throttling'],
  route53: ['PriorRequestNotComplete'],
  s3: ['SlowDown', 503],
  servicediscovery: ['RequestLimitExceeded'],
}

test('whoever asks too often asks again, of whatever family the call is', async (t) => {
  const rack = await openAwsRack()
  after(async () => await rack.close())
  const accessKeyId = `AKIA${randomBytes(6).toString('hex').toUpperCase()}`
  const clients = createClients(rack.account.access(accessKeyId))
  const engine = rack.reopen({ clients })
  const refused = new Set<string>()
  rack.account.calls.hooks = {
    beforeCall({ service, action, accessKeyId: caller }) {
      if (caller !== accessKeyId || refused.has(`${service}:${action}`)) return
      refused.add(`${service}:${action}`)
      const [error, status] = refusals[service] ?? ['ThrottlingException']
      throw new AwsError(error, 'Rate exceeded', status)
    },
  }
  const image = await rack.image('busybox:1')
  const one = wholeApp({ rack: rack.rack, image, app }, 'ROOOOOOOOOO')
  const change = { plan: one, live: null, leaving: [], releaseCommands: noReleaseCommands }
  await engine.deploy(change, controlFor(200_000))
  assert.equal((await visitLocally(rack.httpPort)(`${app}.localhost`))?.text, one.release)
  await engine.remove(appOwner(app), { volumes: true }, controlFor(200_000))
  rack.account.calls.hooks = {}
  await engine.close()
  clients.close()
  t.diagnostic(`${refused.size} actions were refused once`)
})
