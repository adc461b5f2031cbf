import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
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
import { checkBinds } from '../host/check-binds.ts'
import { sweepTemporaryFiles } from '../lib/atomic-file.ts'
import { openObjects } from '../objects/directory.ts'
import {
  apiHostOf,
  httpsUrlOf,
  installationPaths,
  tcpBindOf,
  type MachineInstallation,
} from '../host/installation.ts'
import type { Host } from '../operations/context.ts'
import { keepMachine } from './keep-machine.ts'
import { openLogBudget } from './log-budget.ts'
import type { Site, Sources } from './site.ts'

/** What a rack on one machine stands on. */
interface Machine {
  docker: DockerClient
  router: Router
  engine: DockerEngine
  firewall: Firewall
  nameTable: NameTable
  /** How many graphics processors the machine has. */
  gpus: number
}

/** Opens a rack whose processes run on this machine, behind a router of its own. The engine itself may be away. */
export async function openMachineSite(
  installation: MachineInstallation,
  sources: Sources,
  log: Logger,
  control: Control,
): Promise<Site> {
  const {
    objects: directory,
    engine: engineDirectory,
    router: routerDirectory,
  } = installationPaths(installation.directory)
  for (const path of [directory, engineDirectory, routerDirectory])
    await mkdir(path, { recursive: true, mode: 0o700 })
  for (const path of [directory, engineDirectory, join(engineDirectory, 'releases'), routerDirectory])
    await sweepTemporaryFiles(path)
  const objects = await openObjects(directory)
  const machine = await openMachine(installation, sources, log, control)
  const { engine, docker, gpus } = machine
  return {
    engine,
    objects,
    host: hostOf(installation, machine.router),
    gpus,
    checkBinds: (paths) => checkBinds(paths, installation),
    reach: async (control) => void (await docker.json({ path: '/version', deadlineMs: 5000 }, control)),
    start: (control) => engine.start(control),
    waitForLoss: (control) => engine.waitForLoss(control),
    keep: (policy, control) => keepMachine({ ...machine, policy, log }, control),
    close: () => engine.close(),
  }
}

/** Starts or adopts the router and opens the engine behind it. The engine itself may be away. */
async function openMachine(
  installation: MachineInstallation,
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

/** What runs here besides apps. */
function hostOf(installation: MachineInstallation, router: Router): Host {
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
    withoutCertificates: null,
    nameStates: () => [],
    balancerOf: () => null,
    servesTls: installation.https !== undefined,
    async names() {
      return [...(apiHost === null ? [] : [apiHost]), ...ownNamesOf({ apps: await router.routes() })]
    },
    dnsHook: installation.acmeDnsHook === undefined ? null : dnsHookOf(installation.acmeDnsHook),
  }
}
