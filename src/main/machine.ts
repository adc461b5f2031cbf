import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import type { Store } from '../domain/store.ts'
import { connectDocker, type DockerClient } from '../engines/docker/client.ts'
import { createDockerEngine, type DockerEngine } from '../engines/docker/docker-engine.ts'
import { createRouter, type Router } from '../engines/docker/router/router.ts'
import { installationPaths, type Installation } from '../host/installation.ts'
import type { RackSettings } from '../operations/context.ts'
import { version } from './version.ts'

/** What a rack on one machine stands on. */
export interface Machine {
  docker: DockerClient
  router: Router
  engine: DockerEngine
}

const defaultKeepReleases = 10
const defaultMaxSourceBytes = 2 * 2 ** 30

/** Starts or adopts the router and opens the engine behind it. The engine itself may be away. */
export async function openMachine(
  installation: Installation,
  store: Store,
  log: Logger,
  control: Control,
): Promise<Machine> {
  const paths = installationPaths(installation.directory)
  const { http, name, total, pool, socketPath } = installation
  const router = createRouter({ directory: paths.router, httpBind: http.bind, httpPort: http.port })
  await router.start(control)
  const docker = connectDocker({ socketPath })
  const engine = createDockerEngine({
    docker,
    router,
    addresses: store.addresses,
    rack: name,
    directory: paths.engine,
    total,
    pool,
    randomBytes,
    onTrouble: (error) => log.warn({ err: error }, 'trouble in the engine'),
  })
  return { docker, router, engine }
}

/** What the verbs may know of this rack. */
export function rackSettings(installation: Installation, { docker, router }: Machine): RackSettings {
  return {
    name: installation.name,
    version,
    domain: installation.domain,
    httpPort: installation.http.port,
    keepReleases: defaultKeepReleases,
    maxSourceBytes: installation.limits?.sourceBytes ?? defaultMaxSourceBytes,
    daemon: () => ({ pid: process.pid }),
    router: async () => ({
      pid: (await router.status({ signal: AbortSignal.timeout(5000), report: () => undefined })).pid,
    }),
    async engineVersion() {
      const request = { path: '/version', deadlineMs: 5000 }
      const { Version } = await docker.json<{ Version: string }>(request, {
        signal: AbortSignal.timeout(5000),
      })
      return { name: 'docker', version: Version }
    },
  }
}
