import { wordCommand } from '../support/behaviour.ts'
import { createMemoryEngine } from '../support/memory-engine.ts'
import { engineContract } from './engine.ts'

engineContract('in memory', async () => ({
  engine: createMemoryEngine(),
  rack: 'memory',
  image: 'sha256:0000000000000000000000000000000000000000000000000000000000000000',
  command: wordCommand,
  close: async () => {},
}))
