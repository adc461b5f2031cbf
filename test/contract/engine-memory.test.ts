import { wordCommand } from '../support/behaviour.ts'
import { createMemoryEngine } from '../support/memory-engine.ts'
import { holdInMemory, visitInMemory } from '../support/visits.ts'
import { engineContract } from './engine.ts'

engineContract('in memory', async () => {
  const engine = createMemoryEngine()
  let port = 20_000
  return {
    engine,
    rack: 'memory',
    image: 'sha256:0000000000000000000000000000000000000000000000000000000000000000',
    command: wordCommand,
    visit: visitInMemory(engine.world),
    hold: holdInMemory(engine.world),
    externalPort: async () => port++,
    close: async () => {},
  }
})
