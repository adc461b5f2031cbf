import { randomInt } from 'node:crypto'
import { IAM } from '@aws-sdk/client-iam'
import { KMS } from '@aws-sdk/client-kms'
import { createClients } from '../../src/aws/clients.ts'
import { engineContract, type EngineHarness } from '../contract/engine.ts'
import { shellCommand } from '../support/behaviour.ts'
import { holdAt, visitAt } from '../support/visits.ts'
import { openAccountRack } from './account-rack.ts'
import { settingsHere } from './settings-here.ts'

/**
 * The engines' contract in a real account: `npm run test:aws`, which starts this. NO ACCOUNT HAS RUN IT YET: that the same
 * code makes a rack, passes scenarios and takes all away again is shown in a fake account alone
 * (`test/aws/account-suite.test.ts`). How much slower an account is than one machine is a guess.
 */
const settings = settingsHere()

/** A copy takes 20 to 60 s, and names up to a minute (aws.md 4.1). */
const slowness = 20
const removalMs = 1_800_000

async function open(): Promise<EngineHarness> {
  const { region } = settings
  const clients = createClients({ region })
  const account = { clients, keys: new KMS({ region }), roles: new IAM({ region }) }
  const report = () => undefined
  const opened = await openAccountRack(account, settings, {
    signal: AbortSignal.timeout(settings.timeoutMs),
    report,
  })
  const { engine, rack, image, places } = opened
  const ports = places.networkBalancer!.host
  return {
    engine,
    rack,
    image,
    command: shellCommand,
    visit: visitAt({ web: { host: places.balancer.host, port: 80 }, ports }),
    hold: async (port) => await holdAt(ports, port),
    slowness,
    // Ports above are those of listeners that wait.
    externalPort: async () => randomInt(20_000, 60_000),
    close: async () => {
      await opened.close({ signal: AbortSignal.timeout(removalMs), report })
      account.keys.destroy()
      clients.close()
    },
  }
}

engineContract('account', open, {
  timeoutMs: 180_000 * slowness,
  ...(settings.only && { only: settings.only }),
})
