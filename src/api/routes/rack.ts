import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

export function rackHandlers(
  operations: Operations,
  describe: () => Record<string, unknown>,
): Pick<Handlers, 'health' | 'openapi' | 'getRack' | 'getCapacity' | 'prune'> {
  return {
    health: async () => ({ status: 'ready' }),
    openapi: async () => describe(),
    getRack: ({ control }) => operations.getRack(control),
    getCapacity: ({ control }) => operations.getCapacity(control),
    prune: ({ body, control }) => operations.prune(body, control),
  }
}
