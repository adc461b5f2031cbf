import { openAwsRack } from '../support/aws-rack.ts'
import { shellCommand } from '../support/behaviour.ts'
import { freePort } from '../support/docker-rack.ts'
import { holdLocally, visitLocally } from '../support/visits.ts'
import { engineContract } from '../contract/engine.ts'

engineContract('aws', async () => {
  const { engine, rack, image, close, httpPort } = await openAwsRack()
  return {
    engine,
    rack,
    image: await image('busybox:1'),
    command: shellCommand,
    visit: visitLocally(httpPort),
    hold: holdLocally,
    // A task is three containers, one after the other, and its image is pulled.
    slowness: 2,
    externalPort: openPort,
    close,
  }
})

/** Ports above are those of listeners that wait. */
async function openPort(): Promise<number> {
  const port = await freePort()
  return port < 60_000 ? port : await openPort()
}
