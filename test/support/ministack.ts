import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePython, pythonProgram } from '../../scripts/steps/python.ts'
import { createClients, type AwsClients } from '../../src/aws/clients.ts'
import type { AwsPlaces } from '../../src/domain/aws-places.ts'
import { until } from '../../src/lib/poll.ts'
import { connectToDocker } from '../fake-aws/ecs/task-network.ts'
import { controlFor, freePort } from './docker-rack.ts'

const region = 'eu-west-1'
const endMs = 15_000

export interface MiniStack {
  endpoint: string
  /** `127.0.0.1:PORT`, under which Docker and the engine reach its registry. */
  host: string
  clients: AwsClients
  close(): Promise<void>
}

/** Starts MiniStack on loopback; it runs tasks on this machine's Docker and removes them at its end. */
export async function startMiniStack(): Promise<MiniStack> {
  await ensurePython('ministack')
  const port = await freePort()
  const name = `rack-test-${process.pid}`
  const host = `127.0.0.1:${port}`
  const endpoint = `http://${host}`
  const directory = await mkdtemp(join(tmpdir(), 'ministack-'))
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    TMPDIR: directory,
    GATEWAY_PORT: String(port),
    BIND_HOST: '127.0.0.1',
    // Who calls by no signature is in it.
    MINISTACK_REGION: region,
    // Else it takes names below `localhost` for buckets.
    MINISTACK_HOST: 'ministack.invalid',
    // By which it tells its containers from those of others.
    MINISTACK_HOSTNAME: name,
    LOG_LEVEL: 'WARNING',
  }
  const child = spawn(pythonProgram('ministack'), [], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(join(directory, 'log'))
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  const ended = once(child, 'exit')
  // Whoever ends this program ends it too.
  const endIt = () => void child.kill('SIGTERM')
  process.once('exit', endIt)
  const answers = async () => {
    if (child.exitCode !== null) throw new Error(`MiniStack ended with ${child.exitCode}`)
    return await fetch(`${endpoint}/_ministack/health`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  await until(answers, { deadlineMs: 60_000, intervalMs: 200, what: 'MiniStack to answer' })
  const clients = createClients({
    region,
    endpoint,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  nameRegistry(clients, endpoint)
  withoutUnknownTypes(clients)
  propagateTags(clients)
  answerQuotas(clients)
  listTasks(clients)
  return {
    endpoint,
    host,
    clients,
    async close() {
      clients.close()
      process.off('exit', endIt)
      endIt()
      // It may wait for ever for its own tasks.
      const late = setTimeout(() => void child.kill('SIGKILL'), endMs)
      await ended
      clearTimeout(late)
      await removeContainers(`${name}:${port}`)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** What still ran when it ended. */
async function removeContainers(instance: string): Promise<void> {
  const docker = connectToDocker()
  const control = controlFor(60_000)
  const filters = { label: [`ministack.instance=${instance}`] }
  const found = await docker.json<{ Id: string }[]>(
    { path: '/containers/json', query: { all: 1, filters } },
    control,
  )
  const query = { force: true, v: true }
  await Promise.all(
    found.map(({ Id }) => docker.json({ method: 'DELETE', path: `/containers/${Id}`, query }, control)),
  )
}

interface Answer {
  output: { authorizationData?: { proxyEndpoint?: string }[] }
}

/** It names its registry as AWS's, which is nobody's here. */
function nameRegistry({ images }: AwsClients, endpoint: string): void {
  const rename = (next: (args: object) => Promise<Answer>) => async (args: object) => {
    const answer = await next(args)
    for (const each of answer.output.authorizationData ?? []) each.proxyEndpoint = endpoint
    return answer
  }
  images.middlewareStack.add(rename as never, { step: 'initialize', name: 'ownRegistry' })
}

/** ECS there lists no task in Cloud Map (V), which the engine would take for entries that somebody has deleted: all are said to be there. */
function listTasks({ discovery }: AwsClients): void {
  const Instances = Array.from({ length: 100 }, (_each, index) => ({ Id: `task-${index}` }))
  const answer = (next: (args: object) => Promise<object>, { commandName }: { commandName: string }) =>
    commandName === 'ListInstancesCommand' ? async () => ({ output: { Instances } }) : next
  discovery.middlewareStack.add(answer as never, { step: 'initialize', name: 'listedTasks' })
}

/** Its CloudFormation knows no such type: what it leaves out lets the processes of an app reach each other, which they do. */
function withoutUnknownTypes({ stacks }: AwsClients): void {
  const leaveOut =
    (next: (args: object) => Promise<object>) => async (args: { input: { TemplateBody?: string } }) => {
      const template = JSON.parse(args.input.TemplateBody ?? '{}') as { Resources?: object }
      const known = Object.entries(template.Resources ?? {}).filter(
        ([, { Type }]: [string, { Type: string }]) => Type !== 'AWS::EC2::SecurityGroupIngress',
      )
      const TemplateBody = JSON.stringify({ ...template, Resources: Object.fromEntries(known) })
      return await next(args.input.TemplateBody ? { ...args, input: { ...args.input, TemplateBody } } : args)
    }
  stacks.middlewareStack.add(leaveOut as never, { step: 'initialize', name: 'knownTypes' })
}

interface Described {
  output: { tasks?: { group?: string; clusterArn?: string; tags?: { key?: string; value?: string }[] }[] }
}

/** It ignores `propagateTags`, without which nobody knows whose a task is. */
function propagateTags({ ecs }: AwsClients): void {
  const fill = (next: (args: object) => Promise<Described>) => async (args: object) => {
    const answer = await next(args)
    for (const task of answer.output.tasks ?? []) {
      const [, service] = /^service:(.+)$/.exec(task.group ?? '') ?? []
      if (service === undefined || task.tags?.length) continue
      const cluster = task.clusterArn ?? ''
      const found = await ecs.describeServices({ cluster, services: [service], include: ['TAGS'] })
      task.tags = found.services?.[0]?.tags ?? []
    }
    return answer
  }
  ecs.middlewareStack.add(fill as never, { step: 'initialize', name: 'propagatedTags' })
}

/** It has no Service Quotas. */
function answerQuotas({ quotas }: AwsClients): void {
  const answer = () => async () => ({ response: {}, output: { Quota: { Value: 4000 } } })
  quotas.middlewareStack.add(answer as never, { step: 'initialize', name: 'ownQuotas' })
}

/** What a rack's stacks make, made one by one. */
export async function makePlaces(
  { clients }: Pick<MiniStack, 'clients'>,
  rack: string,
): Promise<Omit<AwsPlaces, 'toolImage'>> {
  const subnets = ['subnet-0123456789abcdef1', 'subnet-0123456789abcdef2']
  const { cluster } = await clients.ecs.createCluster({ clusterName: rack })
  const balancer = async (Name: string, Type: 'application' | 'network') => {
    const made = await clients.balancers.createLoadBalancer({ Name, Type, Subnets: subnets })
    return made.LoadBalancers![0]!
  }
  const web = await balancer(`${rack}-web`, 'application')
  const tcp = await balancer(`${rack}-network`, 'network')
  const { Listeners = [] } = await clients.balancers.createListener({
    LoadBalancerArn: web.LoadBalancerArn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
  })
  const vpc = 'vpc-0123456789abcdef0'
  const { HostedZone } = await clients.zones.createHostedZone({
    Name: `${rack}.internal`,
    CallerReference: rack,
    VPC: { VPCId: vpc, VPCRegion: region },
  })
  const files = await clients.files.createFileSystem({ CreationToken: rack })
  const bucket = `rack-${rack}`
  await clients.objects.createBucket({ Bucket: bucket })
  const { repository } = await clients.images.createRepository({ repositoryName: `rack/${rack}` })
  return {
    region,
    account: repository!.registryId!,
    cluster: cluster!.clusterName!,
    vpc,
    subnets,
    balancerSubnets: subnets,
    securityGroups: {
      processes: 'sg-0123456789abcdef1',
      balancers: 'sg-0123456789abcdef2',
      daemon: 'sg-0123456789abcdef3',
      ports: 'sg-0123456789abcdef4',
      web: 'sg-0123456789abcdef5',
    },
    assignsPublicIp: true,
    zone: HostedZone!.Id!.replace('/hostedzone/', ''),
    namespace: await makeNamespace(clients, { name: `members.${rack}.internal`, vpc }),
    balancer: {
      arn: web.LoadBalancerArn!,
      host: web.DNSName!,
      listeners: { http: Listeners[0]!.ListenerArn!, https: null },
    },
    networkBalancer: { arn: tcp.LoadBalancerArn!, host: tcp.DNSName! },
    fileSystem: files.FileSystemId!,
    bucket,
    buildProject: null,
  }
}

async function makeNamespace(
  { discovery }: AwsClients,
  { name, vpc }: { name: string; vpc: string },
): Promise<string> {
  const { OperationId = '' } = await discovery.createPrivateDnsNamespace({ Name: name, Vpc: vpc })
  const made = async () => (await discovery.getOperation({ OperationId })).Operation?.Targets?.NAMESPACE
  return await until(made, { deadlineMs: 20_000, intervalMs: 200, what: 'the namespace' })
}
