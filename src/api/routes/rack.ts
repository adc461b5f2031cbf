import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

export function rackHandlers(
  operations: Operations,
  describe: () => Record<string, unknown>,
): Pick<Handlers, 'health' | 'openapi' | 'getRack' | 'getCapacity' | 'getPolicy' | 'changePolicy' | 'prune'> {
  return {
    health: async () => ({ status: 'ready' }),
    openapi: async () => describe(),
    getRack: ({ control }) => operations.getRack(control),
    getCapacity: ({ control }) => operations.getCapacity(control),
    getPolicy: () => operations.getPolicy(),
    changePolicy: ({ body, actor }) => operations.changePolicy(body, actor),
    prune: ({ body, control }) => operations.prune(body, control),
  }
}
