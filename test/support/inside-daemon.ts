import { randomBytes } from 'node:crypto'
import { ensureDaemonImage } from '../../src/account/daemon-image.ts'
import { writeKeptInstallation } from '../../src/account/kept-installation.ts'
import { createClients, type AwsClients } from '../../src/aws/clients.ts'
import { isAwsError } from '../../src/aws/errors.ts'
import { ensureStack } from '../../src/aws/stacks.ts'
import type { AwsPlaces } from '../../src/domain/aws-places.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { dockerSocket } from '../../src/lib/docker-socket.ts'
import { until } from '../../src/lib/poll.ts'
import { startFakeAws, type FakeAws } from '../fake-aws/start-fake-aws.ts'
import { controlFor } from './docker-rack.ts'
import { startNodeBase } from './node-base.ts'

/** A rack in a fake account whose daemon is started as a task, with a database and a bucket and nothing else that lasts. */
export interface InsideDaemons extends AsyncDisposable {
  rack: string
  account: FakeAws
  clients: AwsClients
  places: AwsPlaces
  start(): Promise<InsideDaemon>
}

export interface InsideDaemon {
  /** Of its API, as a balancer reaches it; it need not answer yet. */
  url: string
  /** Its process ends at once. */
  kill(): Promise<void>
  /** It is asked to end, and has. @returns the code of its process */
  stop(): Promise<number | undefined>
  /** All that it has said. */
  said(): Promise<string>
}

const docker = connectDocker({ socketPath: dockerSocket(process.env) })
const factor = 100
const patienceMs = 60_000
const control = () => controlFor(patienceMs)
const logGroup = 'daemon'

/** What the stacks of an installation have for it: a database that takes nobody without TLS, roles, two secrets. */
const template = {
  Parameters: { Password: { Type: 'String' } },
  Resources: {
    Store: {
      Type: 'AWS::RDS::DBInstance',
      Properties: {
        Engine: 'postgres',
        EngineVersion: '15',
        DBInstanceClass: 'db.t4g.micro',
        AllocatedStorage: '20',
        MasterUsername: 'rack',
        MasterUserPassword: { Ref: 'Password' },
        DBName: 'rack',
        Port: '5432',
      },
    },
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'ecs-tasks.amazonaws.com' },
              Action: 'sts:AssumeRole',
            },
          ],
        },
      },
    },
  },
  Outputs: {
    Host: { Value: { 'Fn::GetAtt': ['Store', 'Endpoint.Address'] } },
    Role: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] } },
  },
}

export async function startInsideDaemons(): Promise<InsideDaemons> {
  const rack = `t-${randomBytes(4).toString('hex')}`
  await using undo = new AsyncDisposableStack()
  const [base, account] = await Promise.all([startNodeBase(), startFakeAws({ rack, factor })])
  undo.use(base)
  undo.defer(() => account.close())
  const clients = undo.adopt(createClients(account.access()), (all) => all.close())
  const { places } = account
  const password = randomBytes(24).toString('hex')
  const [image, parts] = await Promise.all([
    ensureDaemonImage({ clients, repository: `rack/${rack}`, base: base.image }, control()),
    makeParts(clients, `rack-${rack}-parts`, { Password: password }),
  ])
  const total = { cpuUnits: 16 * 1024, memoryBytes: 16 * 2 ** 30 }
  const created = new Date().toISOString()
  const apiHost = `api.${rack}.internal`
  const kept = { version: 1, name: rack, domain: 'localhost', total, places, created, apiHost } as const
  await writeKeptInstallation({ clients, bucket: places.bucket }, kept, control())
  const secrets = {
    RACK_DATABASE_PASSWORD: await keepSecret(clients, `rack/${rack}/_store-password`, password),
    RACK_STORE_KEY: await keepSecret(clients, `rack/${rack}/_store-key`, randomBytes(32).toString('hex')),
  }
  account.logGroups.create(logGroup)
  const stack = undo.move()
  return {
    rack,
    account,
    clients,
    places,
    async start() {
      const variables = {
        RACK_INSTALLATION: places.bucket,
        RACK_DATABASE_HOST: parts['Host']!,
        RACK_DATABASE_PORT: '5432',
        RACK_DATABASE_NAME: 'rack',
        RACK_DATABASE_USER: 'rack',
      }
      const definition = { family: `${rack}-daemon`, role: parts['Role']!, image, variables, secrets }
      return await startTask({ clients, places, account }, await register(clients, account, definition))
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function makeParts({ stacks }: AwsClients, name: string, parameters: Record<string, string>) {
  const options = { stacks, intervalMs: 100 }
  return await ensureStack(options, { name, template, parameters }, control())
}

async function keepSecret({ secrets }: AwsClients, Name: string, SecretString: string): Promise<string> {
  return (await secrets.createSecret({ Name, SecretString })).ARN!
}

interface Definition {
  family: string
  role: string
  image: string
  variables: Record<string, string>
  secrets: Record<string, string>
}

async function register(
  { ecs }: AwsClients,
  { places }: FakeAws,
  { family, role, image, variables, secrets }: Definition,
): Promise<string> {
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '512',
    memory: '1024',
    taskRoleArn: role,
    executionRoleArn: role,
    containerDefinitions: [
      {
        name: 'daemon',
        image,
        essential: true,
        portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
        environment: Object.entries(variables).map(([name, value]) => ({ name, value })),
        secrets: Object.entries(secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
        stopTimeout: 30,
        logConfiguration: {
          logDriver: 'awslogs',
          options: {
            'awslogs-group': logGroup,
            'awslogs-region': places.region,
            'awslogs-stream-prefix': 'rack',
          },
        },
      },
    ],
  })
  return taskDefinition!.taskDefinitionArn!
}

async function startTask(
  { clients: { ecs, logs }, places, account }: Pick<InsideDaemons, 'clients' | 'places' | 'account'>,
  taskDefinition: string,
): Promise<InsideDaemon> {
  const { cluster, subnets, securityGroups } = places
  const { tasks: [begun] = [] } = await ecs.runTask({
    cluster,
    taskDefinition,
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    networkConfiguration: {
      awsvpcConfiguration: { subnets, securityGroups: [securityGroups.daemon], assignPublicIp: 'ENABLED' },
    },
  })
  const task = begun!.taskArn!
  const find = async () => (await ecs.describeTasks({ cluster, tasks: [task] })).tasks![0]!
  const is = async (status: string) => [status, 'STOPPED'].includes((await find()).lastStatus!)
  await until(async () => await is('RUNNING'), { deadlineMs: patienceMs, what: 'the task to run' })
  const { attachments = [] } = await find()
  const details = attachments.flatMap((each) => each.details ?? [])
  const address = details.find(({ name }) => name === 'privateIPv4Address')!.value!
  const id = task.split('/').at(-1)!
  const ended = async () => {
    await until(async () => await is('STOPPED'), { deadlineMs: 2 * patienceMs, what: 'the task to end' })
    return (await find()).containers![0]!.exitCode
  }
  return {
    url: `http://${address}:8080`,
    async kill() {
      const run = account.network.name.slice(0, account.network.name.lastIndexOf('-'))
      const path = `/containers/${run}-${id.slice(0, 12)}-daemon/kill`
      await docker.json({ method: 'POST', path, query: { signal: 'SIGKILL' } }, control())
      await ended()
    },
    async stop() {
      await ecs.stopTask({ cluster, task })
      return await ended()
    },
    async said() {
      const stream = { logGroupName: logGroup, logStreamNames: [`rack/daemon/${id}`] }
      try {
        const { events = [] } = await logs.filterLogEvents(stream)
        return events.map(({ message }) => message).join('\n')
      } catch (error) {
        // It has not said a word yet.
        if (isAwsError(error, 'ResourceNotFoundException')) return ''
        throw error
      }
    },
  }
}
