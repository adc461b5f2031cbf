import { shellCommand } from '../support/behaviour.ts'
import { freePort, openDockerRack } from '../support/docker-rack.ts'
import { holdLocally, visitLocally } from '../support/visits.ts'
import { engineContract } from './engine.ts'

engineContract('docker', async () => {
  const { engine, rack, image, close, httpPort } = await openDockerRack()
  return {
    engine,
    rack,
    image: await image('busybox:1'),
    command: shellCommand,
    visit: visitLocally(httpPort),
    hold: holdLocally,
    externalPort: freePort,
    close,
  }
})
