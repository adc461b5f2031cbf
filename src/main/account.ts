import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { accountClock } from '../aws/account-clock.ts'
import { createClients, type AwsClients } from '../aws/clients.ts'
import { assertAccount } from '../aws/own-account.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { isOfApp, ofApp } from '../domain/owner.ts'
import { createAwsEngine, type AwsEngine } from '../engines/aws/aws-engine.ts'
import { intervalsAt } from '../engines/aws/intervals-at.ts'
import { connectDocker } from '../engines/docker/client.ts'
import { diskUse } from '../host/disk-use.ts'
import { balancerUrls, installationPaths, type AwsInstallation } from '../host/installation.ts'
import { dockerSocket } from '../lib/docker-socket.ts'
import { openBucket } from '../objects/bucket.ts'
import type { Host } from '../operations/context.ts'
import { keptObject } from './account-place.ts'
import { createNameBringer, type NameBringer } from './bring-names.ts'
import { databaseAuthoritiesKey } from './database-authorities.ts'
import { createOwnBuilder } from './own-builder.ts'
import { serverAuthorities } from './server-authorities.ts'
import type { Site, Sources } from './site.ts'
import { waitForLoss } from './wait-for-loss.ts'

/** What the daemon keeps there lies beside what the engine keeps, and never meets it. */
const objectsPrefix = 'rack/'
const answerDeadlineMs = 30_000
/** A certificate that was asked for is issued within minutes. */
const namesPeriodMs = 60_000

/**
 * Opens a rack whose processes run in an AWS account, called as whom the SDK finds in the daemon's environment. The account
 * itself may be away.
 * @throws usage for a clock that is none
 */
export async function openAccountSite(
  installation: AwsInstallation,
  { store, domains, livePlans }: Sources,
  log: Logger,
): Promise<Site> {
  const { name, directory, domain, places, total } = installation
  const clock = accountClock(process.env)
  const intervals = intervalsAt(clock)
  const clients = createClients({ region: places.region, account: places.account })
  const docker = connectDocker({ socketPath: dockerSocket(process.env) })
  const buildsHere = places.buildProject === null
  const engine = createAwsEngine({
    rack: name,
    clients,
    places,
    total,
    domain,
    domains,
    randomBytes,
    authorities: () => authoritiesOf(clients, places, log),
    ...(buildsHere && { builder: createOwnBuilder({ docker, rack: name, isAlone: true }) }),
    intervals,
    // Of a service nobody asks what became of its one-offs.
    onEnded: async (running, operation) =>
      isOfApp(running) ? await store.endings.add(ofApp(running), operation) : undefined,
    onTrouble: (error) => log.warn({ err: error }, 'trouble in the engine'),
  })
  const names = createNameBringer({ engine, livePlans, log })
  return {
    engine,
    objects: await openBucket({
      client: clients.objects,
      bucket: places.bucket,
      prefix: objectsPrefix,
      spool: installationPaths(directory).objects,
    }),
    host: hostOf(installation, { names, engine }),
    gpus: 0,
    checkBinds: async (paths) => refuseBinds(paths),
    reach: (control) => reach(clients, places.account, control),
    start: (control) => engine.start(control),
    waitForLoss: (control) =>
      waitForLoss({ reach: (own) => reach(clients, places.account, own), periodMs: intervals.away }, control),
    // Rules and addresses are AWS's to keep.
    keep: (_policy, control) => names.keep(namesPeriodMs / clock, control),
    async close() {
      await engine.close()
      clients.close()
    },
  }
}

async function authoritiesOf(
  clients: AwsClients,
  { bucket, region }: AwsInstallation['places'],
  log: Logger,
): Promise<string> {
  const keeper = keptObject({ clients, bucket }, databaseAuthoritiesKey)
  return await serverAuthorities(process.env, region, { keeper, log })
}

/** @throws engine-unavailable for an account that takes no calls, or is another one */
async function reach({ identity }: AwsClients, account: string, control: Control): Promise<void> {
  const signal = AbortSignal.any([control.signal, AbortSignal.timeout(answerDeadlineMs)])
  await assertAccount(identity, account, signal)
}

function refuseBinds(paths: string[]): void {
  const [path] = paths
  if (path === undefined) return
  throw new RackError(
    'invalid',
    `${path} cannot be opened: processes in an account have no machine of the rack`,
    {
      hint: 'For data use a named volume in the compose file: "data:/path"',
    },
  )
}

function hostOf(
  installation: AwsInstallation,
  { names, engine }: { names: NameBringer; engine: Pick<AwsEngine, 'hostOf'> },
): Host {
  return {
    describe: async () => ({
      ...balancerUrls(installation.places),
      daemon: { pid: process.pid },
      router: { pid: null, load: null },
    }),
    configuration() {
      throw new RackError('unsupported', 'a rack in an AWS account has no backup as a whole', {
        hint: 'Back up its parts: rack volumes backup, rack services backup, rack apps export',
      })
    },
    // What balancers count is the account's.
    traffic: async () => ({}),
    disk: () => diskUse(installation.directory),
    unservedPorts: async () => [],
    updateRouter: (control) => names.bring(control),
    nameStates: () => names.states(),
    balancerOf: (app) => engine.hostOf(app),
    withoutCertificates: {
      why: 'a rack in an AWS account shows certificates of the account alone',
      instead:
        'It has them of ACM by itself, for the domain that it was installed with and for those of apps: rack domains add',
    },
    servesTls: false,
    names: async () => [],
    dnsHook: null,
  }
}
