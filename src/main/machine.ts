import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import type { CertificateSource } from '../domain/certificate.ts'
import type { ChallengeSource } from '../domain/certificate-order.ts'
import type { Control } from '../domain/control.ts'
import type { DomainSource } from '../domain/domain-name.ts'
import { isOfApp, ofApp } from '../domain/owner.ts'
import { connectDocker, type DockerClient } from '../engines/docker/client.ts'
import { createDockerEngine, type DockerEngine } from '../engines/docker/docker-engine.ts'
import { createRouter } from '../router/create-router.ts'
import { ownNamesOf } from '../router/domains.ts'
import type { Router } from '../router/router.ts'
import { dnsHookOf } from '../host/dns-hook.ts'
import { createFirewall, type Firewall } from '../host/firewall.ts'
import { createNameTable, type NameTable } from '../host/name-table.ts'
import { diskUse } from '../host/disk-use.ts'
import { createWayRange } from '../host/way-range.ts'
import { countGpus } from '../host/machine-facts.ts'
import type { OpenStore } from '../store/open-store.ts'
import {
  apiHostOf,
  httpsUrlOf,
  installationPaths,
  tcpBindOf,
  type Installation,
} from '../host/installation.ts'
import type { Host, RackSettings } from '../operations/context.ts'
import { openLogBudget } from './log-budget.ts'
import { version } from './version.ts'

/** What a rack on one machine stands on. */
export interface Machine {
  docker: DockerClient
  router: Router
  engine: DockerEngine
  firewall: Firewall
  nameTable: NameTable
  /** How many graphics processors the machine has. */
  gpus: number
}

/** What the machine is told of. */
interface Sources {
  store: OpenStore
  certificates: CertificateSource
  orders: ChallengeSource
  domains: DomainSource
}

const defaultKeepReleases = 10
const defaultMaxSourceBytes = 2 * 2 ** 30

/** Starts or adopts the router and opens the engine behind it. The engine itself may be away. */
export async function openMachine(
  installation: Installation,
  { store, certificates, orders, domains }: Sources,
  log: Logger,
  control: Control,
): Promise<Machine> {
  const paths = installationPaths(installation.directory)
  const { http, https, name, domain, total, pool, socketPath, limits } = installation
  const apiHost = apiHostOf(installation)
  const router = createRouter({
    directory: paths.router,
    httpBind: http.bind,
    httpPort: http.port,
    domains,
    ...(http.trustedProxies && { trustedProxies: http.trustedProxies }),
    ...(https && { https: { port: https.port, certificates, challenges: orders } }),
    ...(apiHost !== null && { api: { host: apiHost } }),
    ...(limits?.connections !== undefined && { connections: limits.connections }),
  })
  await router.start(control)
  const docker = connectDocker({ socketPath })
  const gpus = await countGpus()
  const onTrouble = (error: unknown) => log.warn({ err: error }, 'trouble in the engine')
  const nameTable = createNameTable(installation)
  const engine = createDockerEngine({
    docker,
    router,
    addresses: store.addresses,
    rack: name,
    directory: paths.engine,
    total: gpus > 0 ? { ...total, extras: { gpu: gpus } } : total,
    pool,
    nameTable,
    wayRange: createWayRange(installation.directory),
    tcpBind: tcpBindOf(installation),
    outside: { domain, httpPort: http.port, ...(https && { httpsPort: https.port }) },
    randomBytes,
    logBudget: await openLogBudget(store.parameters, onTrouble),
    // Of a service nobody asks what became of its one-offs.
    onEnded: async (running, operation) =>
      isOfApp(running) ? await store.endings.add(ofApp(running), operation) : undefined,
    onTrouble,
  })
  return { docker, router, engine, firewall: createFirewall(installation), nameTable, gpus }
}

/** What the verbs may know of this rack. */
export function rackSettings({ name, domain, limits }: Installation, gpus: number): RackSettings {
  return {
    name,
    version,
    domain,
    gpus,
    keepReleases: defaultKeepReleases,
    maxSourceBytes: limits?.sourceBytes ?? defaultMaxSourceBytes,
  }
}

/** What runs here besides apps. */
export function hostOf(installation: Installation, router: Router): Host {
  const { http } = installation
  const apiHost = apiHostOf(installation)
  return {
    async describe() {
      const control: Control = { signal: AbortSignal.timeout(5000), report: () => undefined }
      const { pid, load } = await router.status(control)
      return {
        http: http.port === 80 ? 'http://localhost' : `http://localhost:${http.port}`,
        https: httpsUrlOf(installation, await router.unservedPorts()),
        daemon: { pid: process.pid },
        router: { pid, load },
      }
    },
    configuration: () => installation,
    traffic: async (apps, control) => await router.traffic(apps, control),
    disk: () => diskUse(installation.directory),
    unservedPorts: () => router.unservedPorts(),
    updateRouter: async (control) => void (await router.ensureRunning(control)),
    servesTls: installation.https !== undefined,
    async names() {
      return [...(apiHost === null ? [] : [apiHost]), ...ownNamesOf({ apps: await router.routes() })]
    },
    dnsHook: installation.acmeDnsHook === undefined ? null : dnsHookOf(installation.acmeDnsHook),
  }
}
