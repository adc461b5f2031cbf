import { appOperations } from './contract/apps.ts'
import { backupOperations } from './contract/backups.ts'
import { buildOperations } from './contract/builds.ts'
import { environmentOperations } from './contract/environment.ts'
import { eventOperations } from './contract/events.ts'
import { logOperations } from './contract/logs.ts'
import type { Op } from './contract/op.ts'
import { processOperations } from './contract/processes.ts'
import { rackOperations } from './contract/rack.ts'
import { certificateOperations } from './contract/certificates.ts'
import { domainOperations } from './contract/domains.ts'
import { registryOperations } from './contract/registries.ts'
import { releaseOperations } from './contract/releases.ts'
import { serviceUpdateOperations } from './contract/service-updates.ts'
import { serviceOperations } from './contract/services.ts'
import { timerOperations } from './contract/timers.ts'
import { tokenOperations } from './contract/tokens.ts'
import { volumeOperations } from './contract/volumes.ts'
import type { OperationName } from './paths.ts'

/** Every operation of the API: the server registers its routes from it, the client is typed by it. */
export const contract = {
  ...rackOperations,
  ...registryOperations,
  ...certificateOperations,
  ...tokenOperations,
  ...domainOperations,
  ...appOperations,
  ...buildOperations,
  ...releaseOperations,
  ...serviceOperations,
  ...backupOperations,
  ...serviceUpdateOperations,
  ...environmentOperations,
  ...processOperations,
  ...volumeOperations,
  ...timerOperations,
  ...logOperations,
  ...eventOperations,
} satisfies Record<OperationName, Op>

export type Contract = typeof contract
