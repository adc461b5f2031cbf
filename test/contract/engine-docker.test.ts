import { shellCommand } from '../support/behaviour.ts'
import { openDockerRack } from '../support/docker-rack.ts'
import { engineContract } from './engine.ts'

engineContract('docker', async () => {
  const { engine, rack, image, close } = await openDockerRack()
  return { engine, rack, image: await image('busybox:1'), command: shellCommand, close }
})
