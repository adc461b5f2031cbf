import { appOperations } from './contract/apps.ts'
import { buildOperations } from './contract/builds.ts'
import { environmentOperations } from './contract/environment.ts'
import { logOperations } from './contract/logs.ts'
import type { Op } from './contract/op.ts'
import { processOperations } from './contract/processes.ts'
import { rackOperations } from './contract/rack.ts'
import { releaseOperations } from './contract/releases.ts'
import { volumeOperations } from './contract/volumes.ts'
import type { OperationName } from './paths.ts'

/** Every operation of the API: the server registers its routes from it, the client is typed by it. */
export const contract = {
  ...rackOperations,
  ...appOperations,
  ...buildOperations,
  ...releaseOperations,
  ...environmentOperations,
  ...processOperations,
  ...volumeOperations,
  ...logOperations,
} satisfies Record<OperationName, Op>

export type Contract = typeof contract
