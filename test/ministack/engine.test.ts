import { shellCommand } from '../support/behaviour.ts'
import { freePort } from '../support/docker-rack.ts'
import { openMiniStackRack } from '../support/ministack-rack.ts'
import { holdLocally } from '../support/visits.ts'
import { engineContract } from '../contract/engine.ts'
import { beyondMiniStack } from './beyond.ts'

const open = async () => {
  const { engine, rack, image, visit, close } = await openMiniStackRack()
  return {
    engine,
    rack,
    image,
    command: shellCommand,
    visit,
    hold: holdLocally,
    // It takes a core to itself.
    slowness: 4,
    externalPort: freePort,
    beyond: beyondMiniStack,
    close,
  }
}

/** `npm run test:ministack`: the contract in another's reading of AWS. What it cannot show is in `beyond.ts`, with why. */
engineContract('ministack', open, { atOnce: 2, timeoutMs: 600_000 })
