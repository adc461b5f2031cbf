import { rm } from 'node:fs/promises'
import type { AwsAccess } from '../../src/aws/clients.ts'
import type { AwsPlaces } from '../../src/domain/aws-places.ts'
import { type AccountOptions, createFakeAccount } from './account.ts'
import { clientConfig } from './client-config.ts'
import { withKnownPlaces } from './checked-places.ts'
import { createEcs, type Ecs } from './ecs/create-ecs.ts'
import { createDaemonWay } from './ecs/daemon-way.ts'
import { connectToDocker, createTaskNetwork } from './ecs/task-network.ts'
import { createServerCertificates } from './databases/certificates.ts'
import { createCaches } from './databases/create-caches.ts'
import { createDatabases, type FakeDatabases } from './databases/create-databases.ts'
import { type BuildProjects, createBuilds } from './codebuild/create-builds.ts'
import { createElb, type FakeElb } from './elb/create-elb.ts'
import type { BalancerPlan, ElbState } from './elb/state.ts'
import { isWithin } from './elb/traffic/match.ts'
import type { FakeService } from './fake-service.ts'
import type { Calls, Faults } from './faults.ts'
import type { TaskNetwork } from './links.ts'
import { createNames, type FakeNames } from './names/create-names.ts'
import { startServer } from './server.ts'
import { createCertificates, type FakeCertificates } from './small/certificates.ts'
import { createFileSystems } from './small/file-systems.ts'
import { createIdentity } from './small/identity.ts'
import { createImages, type Repositories } from './small/images.ts'
import { createKeys } from './small/keys.ts'
import { createLogs, type LogGroups } from './small/logs.ts'
import { createObjects } from './small/objects.ts'
import { createLinkedRoles } from './small/linked-roles.ts'
import { createPermissions, type Permissions } from './small/permissions.ts'
import { createPrices } from './small/prices.ts'
import { createQuotas } from './small/quotas.ts'
import { createRoleNames } from './small/role-names.ts'
import { createSecrets } from './small/secrets.ts'
import { createSessions } from './ssm/create-sessions.ts'
import { createStacks, type FakeStacks } from './stacks/create-stacks.ts'
import { vpcId } from './stacks/models/network.ts'
import type { Allowance } from './throttle.ts'
import { toolImage } from './tool/tool-image.ts'

export interface FakeAwsOptions extends AccountOptions {
  /** Whether stacks are to make all places first. */
  isEmpty?: boolean
  /** Name of the rack whose stacks are there from the start. */
  rack?: string
  /** What the account may run at once on Fargate. */
  fargateVcpu?: number
  /** In place of AWS's. */
  allowances?: Allowance[]
  /** Docker's name of the tool's image; built from its sources when absent. */
  tool?: string
  /** Serves the web by TLS too, as where the rack has this domain. */
  domain?: string
  /** Public zones of the account. */
  publicZones?: string[]
  /** Where on loopback a port of a balancer is; any free one when absent. */
  listenOn?: (port: number) => number
}

export interface FakeAws {
  endpoint: string
  /** For `createClients`; another `accessKeyId` is another caller. */
  access(accessKeyId?: string): AwsAccess & { endpoint: string }
  /** What the stacks `rack-R-base` and `rack-R` would have made. @throws in an account that was empty */
  places: AwsPlaces
  /** Where on loopback a balancer answers on one of its ports: the first of a kind, or one by its host. */
  loopbackPort(balancer: 'web' | 'network' | { host: string }, port: number): number
  /** Makes a public zone of the account. */
  addPublicZone(name: string): void
  calls: Calls
  faults: Faults
  /** With which words the next tasks do not start, one each. */
  startFailures: string[]
  stacks: FakeStacks
  certificates: Pick<FakeCertificates, 'add' | 'authority' | 'refused'>
  /** PEM of who signs what databases show. */
  databaseAuthority: string
  databases: Pick<FakeDatabases, 'deleteByHand'>
  /** Entries of Cloud Map. */
  entries: Pick<FakeNames['instances'], 'unlistByHand'>
  /** Past the stacks that have made them. */
  balancers: { deleteByHand(arn: string): Promise<void> }
  repositories: Repositories
  logGroups: LogGroups
  /** By id, changes of Route 53, and when each is known everywhere. */
  nameChanges: FakeNames['changes']
  /** Says who may do what, for the call that asks so. */
  permissions: Permissions
  network: TaskNetwork
  /** What went wrong in the fake itself: a test expects none. */
  troubles: unknown[]
  /** Every action that is there, as `ecs:CreateService`, sorted. */
  actions: string[]
  /** Ends all tasks and removes everything that was made on this machine. Safe to repeat. */
  close(): Promise<void>
}

type Account = Awaited<ReturnType<typeof createFakeAccount>>

/** Waiting listeners of a network balancer are on ports that its security group closes (aws.md 1.3). */
const firstClosedPort = 60_000

const securityGroups = {
  processes: 'sg-0fa4e000000000001',
  balancers: 'sg-0fa4e000000000002',
  daemon: 'sg-0fa4e000000000003',
  ports: 'sg-0fa4e000000000004',
  web: 'sg-0fa4e000000000005',
}
const buildProject = 'rack-builds'
const buildLogs = (rack: string) => `/rack/${rack}/builds`
const subnets = ['subnet-0fa4e000000000001', 'subnet-0fa4e000000000002']
const fileSystem = 'fs-0fa4e000000000000'

/** Puts an account together: all services behind one port, and in them what the stacks of a rack make. */
export async function startFakeAws(options: FakeAwsOptions = {}): Promise<FakeAws> {
  const { rack = 'fake', isEmpty = false } = options
  const account = await createFakeAccount(options)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => rm(account.directory, { recursive: true, force: true }))
  undo.defer(() => account.clock.close())
  const network = await createTaskNetwork(account)
  undo.defer(() => network.remove())
  const names = createNames({
    account,
    zone: `${rack}.internal`,
    membersZone: `members.${rack}.internal`,
    isEmpty,
    ...(options.publicZones && { publicZones: options.publicZones }),
  })
  await names.serve(network.gateway)
  const listenOn = openPorts(options)
  const certificates = await createCertificates(account, (name) => names.publicName(name))
  const balancers = isEmpty ? [] : await balancersOf(rack, { listenOn, domain: options.domain }, certificates)
  const letsIn: ElbState['letsIn'] = (groups, { protocol, port, address }) =>
    [...stacks.inventory.ingress.values()]
      .flat()
      .some(
        (rule) =>
          groups.includes(rule.group) &&
          (rule.protocol === protocol || rule.protocol === '-1') &&
          port >= rule.from &&
          port <= rule.to &&
          isWithin(address, rule.range),
      )
  const elb = await createElb({
    account,
    vpcId,
    balancers,
    listenOn,
    certificates: certificates.shown,
    letsIn,
  })
  certificates.usedBy((arn) => elb.usersOf(arn))
  const small = createSmall(account, options, () => stacks.inventory)
  let endpoint = ''
  let sessionsPort = 0
  const shown = await createServerCertificates()
  const managed = {
    account,
    network,
    nameHost: names.nameHost.bind(names),
    certificateFor: shown.issue,
  }
  const databases = createDatabases({ ...managed, linkedRoles: small.forStacks.linkedRoles })
  const daemons = createDaemonWay({
    account,
    network,
    endpoint: () => endpoint,
    ports: async () => [Number((await small.registry()).host.split(':')[1]), sessionsPort],
    databaseAuthority: () => shown.authority,
  })
  undo.defer(() => daemons.close())
  const ecs = createEcs({
    account,
    network,
    daemons,
    targetGroups: elb.targetGroups,
    names: names.instances,
    ...small.forTasks,
  })
  const projects: BuildProjects = isEmpty
    ? {}
    : { [buildProject]: { logGroup: buildLogs(rack), variables: {}, isInstalled: false } }
  const stacks = await createStacks({
    ...small.links,
    models: { ...databases.models, ...createCaches(managed) },
    usesSecurityGroup: (id) => ecs.usesSecurityGroup(id),
    installation: {
      ...small.forStacks,
      clusters: ecs.clusters,
      balancers: elb.maker,
      names: names.maker,
      projects,
      ecsActions: () => ecs.actions,
    },
  })
  const sessions = await createSessions(account, { docker: connectToDocker(), containers: ecs.containers })
  sessionsPort = sessions.port
  const builds = createBuilds({
    account,
    logs: small.forTasks.logs,
    endpoint: () => endpoint,
    projects,
    images: small.forTasks.images,
    registryPassword: async () => (await small.registry()).login().password,
  })
  const services = [
    builds,
    reachable(ecs, sessions.actions, stacks),
    elb.service,
    elb.metrics,
    ...names.services,
    databases.service,
    stacks.service,
    certificates.service,
    ...small.services,
  ]
  for (const service of [...services].toReversed()) undo.defer(() => service.close?.())
  undo.defer(() => sessions.close())
  const places = isEmpty ? null : await placesOf({ rack, account, elb, names, small, ecs, stacks, options })
  // Any image of the rack's: nothing was installed.
  if (places) projects[buildProject]!.variables = { RACK_BUILD_IMAGE: places.toolImage }
  const server = await startServer({
    ...account,
    services,
    ...(options.allowances && { allowances: options.allowances }),
  })
  endpoint = server.endpoint
  undo.defer(() => server.close())
  const closing = undo.move()
  return {
    endpoint: server.endpoint,
    access: (accessKeyId) =>
      clientConfig(server, { region: account.region, ...(accessKeyId !== undefined && { accessKeyId }) }),
    get places() {
      if (places) return places
      throw new Error('this account was empty: its stacks say what they have made')
    },
    loopbackPort: (balancer, port) => elb.loopbackPort(balancer === 'web' ? 'application' : balancer, port),
    addPublicZone: (name) => names.addPublicZone(name),
    calls: server.calls,
    faults: server.faults,
    startFailures: account.startFailures,
    stacks,
    certificates,
    databaseAuthority: shown.authority,
    databases,
    entries: names.instances,
    balancers: { deleteByHand: (arn) => elb.maker.remove(arn) },
    repositories: small.links.repositories,
    logGroups: small.links.logGroups,
    nameChanges: names.changes,
    permissions: small.permissions,
    network,
    troubles: account.troubles,
    actions: services
      .flatMap(({ scope, actions }) => Object.keys(actions).map((action) => `${scope}:${action}`))
      .toSorted(),
    close: () => closing.disposeAsync(),
  }
}

/** The ECS that calls reach: it knows what the stacks have made, and carries commands. */
function reachable(ecs: Ecs, sessions: FakeService['actions'], { inventory }: FakeStacks): FakeService {
  const actions = withKnownPlaces(
    { ...ecs.actions, ...sessions },
    {
      isSubnet: (id) => inventory.subnets.has(id),
      isSecurityGroup: (id) => inventory.securityGroups.has(id),
      isRole: (arn) => inventory.roles.has(arn),
    },
  )
  return { scope: ecs.scope, sdk: ecs.sdk, actions, close: () => ecs.close() }
}

type ListenOn = BalancerPlan['listenOn']

function openPorts({ listenOn = () => 0 }: FakeAwsOptions): ListenOn {
  return (port) => (port < firstClosedPort ? listenOn(port) : null)
}

/** With a domain, the web is at 443, and who comes to 80 is sent there (aws.md 2.4). */
async function balancersOf(
  rack: string,
  { listenOn, domain }: { listenOn: ListenOn; domain: string | undefined },
  certificates: FakeCertificates,
): Promise<BalancerPlan[]> {
  const certificate = domain === undefined ? null : await certificates.add([domain, `*.${domain}`])
  const toSecure = { Protocol: 'HTTPS' as const, Port: '443', StatusCode: 'HTTP_301' as const }
  const web =
    certificate === null
      ? [{ port: 80, protocol: 'HTTP' as const }]
      : [
          { port: 80, protocol: 'HTTP' as const, step: { is: 'redirect' as const, config: toSecure } },
          { port: 443, protocol: 'HTTPS' as const, certificate },
        ]
  return [
    { name: `${rack}-web`, type: 'application', listeners: web, listenOn },
    {
      name: `${rack}-network`,
      type: 'network',
      listeners: [],
      listenOn,
      securityGroups: [securityGroups.balancers, securityGroups.ports],
    },
  ]
}

/** The small services, and what the others need of them. */
function createSmall(
  account: Account,
  { fargateVcpu, isEmpty = false }: FakeAwsOptions,
  inventory: () => FakeStacks['inventory'],
) {
  const secrets = createSecrets(account)
  const logs = createLogs(account)
  const files = createFileSystems(account)
  const objects = createObjects(account)
  const images = createImages(account)
  const linkedRoles = createLinkedRoles(account, !isEmpty)
  const permissions = createPermissions(account)
  const { service: iam } = permissions
  const keys = createKeys(account)
  const quotas = createQuotas(account, fargateVcpu === undefined ? {} : { fargateVcpu })
  return {
    services: [
      ...[secrets, logs, files, objects, images, keys].map(({ service }) => service),
      quotas,
      createIdentity(account),
      { ...iam, actions: { ...iam.actions, ...linkedRoles.actions, ...createRoleNames(inventory) } },
      createPrices(account),
    ],
    permissions,
    registry: images.registry,
    forTasks: {
      secrets: secrets.values,
      logs: logs.lines,
      images: images.images,
      fileSystems: files.fileSystems,
    },
    links: {
      account,
      logGroups: logs.groups,
      repositories: images.repositories,
      readObject: (bucket: string, key: string) => objects.read(bucket, key),
      readSecret: (arn: string) => secrets.maker.read(arn),
    },
    forStacks: {
      linkedRoles,
      keys: keys.keys,
      buckets: objects.buckets,
      fileSystems: files.fileSystems,
      secrets: secrets.maker,
    },
  }
}

interface Made {
  rack: string
  account: Account
  elb: FakeElb
  names: FakeNames
  small: ReturnType<typeof createSmall>
  ecs: Ecs
  stacks: FakeStacks
  options: FakeAwsOptions
}

/** Makes them as the stacks would, at once. */
async function placesOf({
  rack,
  account,
  elb,
  names,
  small,
  ecs,
  stacks,
  options,
}: Made): Promise<AwsPlaces> {
  const web = elb.balancers.get(`${rack}-web`)!
  const tcp = elb.balancers.get(`${rack}-network`)!
  const bucket = `rack-${rack}-${account.account}`
  ecs.clusters.add(rack)
  small.forStacks.fileSystems.add(fileSystem)
  small.forStacks.buckets.add(bucket)
  small.links.logGroups.create(buildLogs(rack))
  for (const [at, id] of subnets.entries()) stacks.inventory.subnets.set(id, `zone-${at}`)
  for (const id of Object.values(securityGroups)) stacks.inventory.securityGroups.add(id)
  const own = `rack/${rack}`
  small.links.repositories.create(own)
  const control = { signal: AbortSignal.timeout(120_000), report: () => undefined }
  const tool = options.tool ?? (await toolImage(connectToDocker(), control))
  return {
    region: account.region,
    account: account.account,
    cluster: rack,
    vpc: vpcId,
    subnets,
    balancerSubnets: subnets,
    securityGroups,
    assignsPublicIp: true,
    zone: names.zoneId,
    namespace: names.namespaceId,
    balancer: {
      arn: web.arn,
      host: web.dnsName,
      listeners: { http: web.listeners.get(80)!.arn, https: web.listeners.get(443)?.arn ?? null },
    },
    networkBalancer: { arn: tcp.arn, host: tcp.dnsName },
    fileSystem,
    bucket,
    buildProject,
    toolImage: await small.links.repositories.push(own, tool),
  }
}
