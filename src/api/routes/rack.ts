import type { Handlers } from '../handlers.ts'
import { readDescription } from '../read-description.ts'
import { defaultLimit } from './default-limit.ts'

type RackHandlers = Pick<
  Handlers,
  | 'health'
  | 'openapi'
  | 'getRack'
  | 'getCapacity'
  | 'getPolicy'
  | 'changePolicy'
  | 'listParameters'
  | 'changeParameters'
  | 'planRackBackup'
  | 'backupRack'
  | 'prune'
  | 'listAudit'
  | 'verifyAudit'
>

export function rackHandlers(version: string): RackHandlers {
  return {
    health: async () => ({ status: 'ready' }),
    openapi: () => readDescription(version),
    getRack: ({ operations, control }) => operations.getRack(control),
    getCapacity: ({ operations, control }) => operations.getCapacity(control),
    getPolicy: ({ operations }) => operations.getPolicy(),
    changePolicy: ({ operations, body }) => operations.changePolicy(body),
    listParameters: ({ operations }) => operations.listParameters(),
    changeParameters: ({ operations, body, control }) => operations.changeParameters(body.values, control),
    planRackBackup: ({ operations, query, control }) => operations.planRackBackup(query, control),
    backupRack: ({ operations, body: { key, ...rest }, out, control }) =>
      operations.backupRack({ ...rest, key: Buffer.from(key, 'base64') }, out, control),
    prune: ({ operations, body, control }) => operations.prune(body, control),
    listAudit: ({ operations, query }) =>
      operations.listAudit({ ...query, limit: query.limit ?? defaultLimit }),
    verifyAudit: ({ operations }) => operations.verifyAudit(),
  }
}
