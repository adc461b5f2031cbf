import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createClients } from '../../src/aws/clients.ts'
import { noReleaseCommands, type OneOff } from '../../src/domain/engine.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { createParts } from '../../src/engines/aws/create-parts.ts'
import { findRecords } from '../../src/engines/aws/inside/records.ts'
import { findListeners } from '../../src/engines/aws/routes/listeners.ts'
import { findAllRules } from '../../src/engines/aws/routes/rules.ts'
import { findVolumes } from '../../src/engines/aws/volumes/find-volumes.ts'
import { until } from '../../src/lib/poll.ts'
import { Cut, type CallRecord } from '../fake-aws/faults.ts'
import { countObjects } from '../support/aws-kills.ts'
import { openAwsRack } from '../support/aws-rack.ts'
import { exit, shellCommand } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { processPlan } from '../support/plans.ts'
import { visitLocally } from '../support/visits.ts'
import { wholeApp } from '../support/whole-app.ts'

let rack: Awaited<ReturnType<typeof openAwsRack>>
let image: string

before(async () => {
  rack = await openAwsRack()
  image = await rack.image('busybox:1')
})
after(async () => await rack.close())

const app = 'lossy'
const owner = appOwner(app)
const small = { cpuUnits: 64, memoryBytes: 32 * 2 ** 20 }
const planFor = (release: string) => wholeApp({ rack: rack.rack, image, app }, release)

const isLook = /^(Describe|List|Get|Filter|Head|BatchGet)/

/** Who asks for one of these again gets a further one: a third answer is heard. */
const isMadeAnew = /^Create(Rule|Listener)$/

/** The answer to each call is lost, and that to its repeat is heard; what was asked for is done. */
function loseAnswers(accessKeyId: string): Map<string, number> {
  const seen = new Map<string, number>()
  rack.account.calls.hooks = {
    afterCall({ service, action, accessKeyId: caller }: CallRecord) {
      if (caller !== accessKeyId || isLook.test(action)) return
      const name = `${service}:${action}`
      const before = seen.get(name) ?? 0
      seen.set(name, before + 1)
      const every = isMadeAnew.test(action) ? 3 : 2
      if (before % every === 0) throw new Cut(`the answer to ${name} is lost`)
    },
  }
  return seen
}

test('an answer that is lost after the call was done makes nothing twice, and fails nothing', async (t) => {
  const accessKeyId = `AKIA${randomBytes(6).toString('hex').toUpperCase()}`
  const clients = createClients(rack.account.access(accessKeyId))
  const engine = rack.reopen({ clients })
  const lost = loseAnswers(accessKeyId)
  const deploy = async (plan: Plan, live: Plan | null) =>
    await engine.deploy({ plan, live, leaving: [], releaseCommands: noReleaseCommands }, controlFor(90_000))
  const [one, two] = [planFor('ROOOOOOOOOO'), planFor('RTTTTTTTTTT')]
  await deploy(one, null)
  await deploy(two, one)
  const oneOff: OneOff = {
    owner,
    release: two.release,
    process: processPlan({ ...small, image, imageDigest: image }),
    command: shellCommand([exit(3)]),
    kind: 'one-off',
    operation: 'OAAAAAAAAAA',
    timeoutMs: null,
  }
  const running = await engine.run(oneOff, null, controlFor(60_000))
  assert.equal(await running.exit, 3)
  assert.equal((await visitLocally(rack.httpPort)(`${app}.localhost`))?.text, two.release)

  const started = async (kind: string, type: string) => {
    const all = await engine.processes({ owner, all: true }, controlFor(20_000))
    return all.filter((each) => each.kind === kind && each.type === type).length
  }
  assert.deepEqual([await started('process', 'migrate'), await started('one-off', 'web')], [2, 1])
  const isAlone = async () => (await countObjects(rack))['services'] === 2
  await until(isAlone, { deadlineMs: 60_000, intervalMs: 200, what: 'the first release to be gone' })

  await engine.remove(owner, { volumes: true }, controlFor(90_000))
  const parts = createParts(rack.options, new AbortController().signal)
  const control = controlFor(30_000)
  let left: Record<string, number> = {}
  const isClear = async () => {
    left = {
      ...(await countObjects(rack)),
      rules: (await findAllRules(parts, control)).length,
      listeners: (await findListeners(parts, control)).length,
      records: (await findRecords(parts, owner, control)).size,
      volumes: (await findVolumes(parts, { owner }, control)).length,
    }
    return Object.values(left).every((count) => count === 0)
  }
  const what = () => `nothing to be left: ${JSON.stringify(left)}`
  await until(isClear, { deadlineMs: 60_000, intervalMs: 200, what })
  rack.account.calls.hooks = {}
  assert.deepEqual(rack.account.calls.refused, [])
  assert.deepEqual(rack.account.troubles, [])
  await engine.close()
  clients.close()
  t.diagnostic(`answers were lost to ${[...lost.keys()].toSorted().join(' ')}`)
})
