/**
 * A program that deploys one plan and ends, to be killed in the middle: `node deploy-once.ts SETTINGS`. It prints
 * `deploying` before it begins.
 */
import { randomBytes } from 'node:crypto'
import type { Plan } from '../../src/domain/plan.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { createDockerEngine } from '../../src/engines/docker/docker-engine.ts'
import { createRouter } from '../../src/router/create-router.ts'
import { openStore } from '../../src/store/open-store.ts'
import { deployPlan } from './deploy-plan.ts'

export interface DeployOnce {
  rack: string
  directory: string
  socketPath: string
  httpPort: number
  pool: { cidr: string; subnetBits: number }
  plan: Plan
}

const settings = JSON.parse(process.argv[2] ?? '') as DeployOnce
const { rack, directory, socketPath, httpPort, pool, plan } = settings
const store = await openStore({ rack, directory: `${directory}/store`, keyFile: `${directory}/key` })
const router = createRouter({ directory: `${directory}/router`, httpBind: '127.0.0.1', httpPort })
const engine = createDockerEngine({
  docker: connectDocker({ socketPath }),
  router,
  addresses: store.addresses,
  rack,
  directory: `${directory}/engine`,
  total: { cpuUnits: 65_536, memoryBytes: 2 ** 36 },
  pool,
  outside: { domain: 'localhost', httpPort },
  randomBytes,
})
process.stdout.write('deploying\n')
const control = { signal: AbortSignal.timeout(60_000), report: () => undefined }
await router.start(control)
await deployPlan(engine, plan, control)
process.stdout.write('deployed\n')
await engine.close()
await store.close()
