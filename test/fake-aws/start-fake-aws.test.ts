import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type AwsClients, createClients } from '../../src/aws/clients.ts'
import { until } from '../../src/lib/poll.ts'
import { type FakeAws, startFakeAws } from './start-fake-aws.ts'

/** One release of one type by hand, as the engine makes it: every service of the account has its part. */
let aws: FakeAws
let clients: AwsClients
const deadlineMs = 60_000

before(async () => {
  // Anything that runs serves as the tool here: no task of this test asks for it.
  aws = await startFakeAws({ factor: 100, rack: 'r', tool: 'busybox:1' })
  clients = createClients(aws.access())
})
after(async () => {
  clients.close()
  await aws.close()
  assert.deepEqual(aws.troubles, [])
})

const policy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ecs-tasks.amazonaws.com' } },
  ],
}

async function makeStack(): Promise<Record<string, string>> {
  const role = (RoleName: string) => ({
    Type: 'AWS::IAM::Role',
    Properties: { RoleName, AssumeRolePolicyDocument: policy },
  })
  const template = {
    Resources: {
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/rack/r/a' } },
      Group: {
        Type: 'AWS::EC2::SecurityGroup',
        Properties: { GroupDescription: 'a', VpcId: aws.places.vpc },
      },
      Execution: role('r-a-execution'),
    },
    Outputs: {
      Group: { Value: { 'Fn::GetAtt': ['Group', 'GroupId'] } },
      Execution: { Value: { 'Fn::GetAtt': ['Execution', 'Arn'] } },
    },
  }
  const name = { StackName: 'rack-r-app-a', ChangeSetName: 'first' }
  const TemplateBody = JSON.stringify(template)
  await clients.stacks.createChangeSet({
    ...name,
    ChangeSetType: 'CREATE',
    TemplateBody,
    Capabilities: ['CAPABILITY_NAMED_IAM'],
  })
  const isReady = async () => (await clients.stacks.describeChangeSet(name)).Status === 'CREATE_COMPLETE'
  await until(isReady, { deadlineMs, what: 'the change set' })
  await clients.stacks.executeChangeSet(name)
  const stack = await until(
    async () => {
      const { Stacks } = await clients.stacks.describeStacks({ StackName: 'rack-r-app-a' })
      return Stacks![0]!.StackStatus === 'CREATE_COMPLETE' && Stacks![0]
    },
    { deadlineMs, what: 'the stack' },
  )
  return Object.fromEntries(stack.Outputs!.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue!]))
}

const script = 'echo "$WORD" > /data/index.html; echo serving; exec httpd -f -p 8080 -h /data'

async function defineTask(
  family: string,
  outputs: Record<string, string>,
  valueFrom: string,
  command: string,
): Promise<string> {
  const { AccessPoints } = await clients.files.describeAccessPoints({ FileSystemId: aws.places.fileSystem })
  const efs = {
    fileSystemId: aws.places.fileSystem,
    transitEncryption: 'ENABLED' as const,
    authorizationConfig: { accessPointId: AccessPoints![0]!.AccessPointId, iam: 'ENABLED' as const },
  }
  const options = {
    'awslogs-group': '/rack/r/a',
    'awslogs-region': aws.places.region,
    'awslogs-stream-prefix': `${family}.R1`,
  }
  const { taskDefinition } = await clients.ecs.registerTaskDefinition({
    family,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    executionRoleArn: outputs['Execution'],
    volumes: [{ name: 'data', efsVolumeConfiguration: efs }],
    containerDefinitions: [
      {
        name: 'main',
        image: 'busybox:1',
        essential: true,
        entryPoint: ['/bin/sh', '-c'],
        command: [command],
        stopTimeout: 2,
        portMappings: [{ containerPort: 8080 }],
        secrets: [{ name: 'WORD', valueFrom }],
        mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
        logConfiguration: { logDriver: 'awslogs', options },
      },
    ],
  })
  return taskDefinition!.taskDefinitionArn!
}

const placed = (outputs: Record<string, string>) => ({
  capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
  networkConfiguration: {
    awsvpcConfiguration: {
      subnets: aws.places.subnets,
      securityGroups: [outputs['Group']!],
      assignPublicIp: 'ENABLED' as const,
    },
  },
})

async function makeService(outputs: Record<string, string>, taskDefinition: string) {
  const { Service: names } = await clients.discovery.createService({
    Name: 'g1',
    NamespaceId: aws.places.namespace,
    CreatorRequestId: 'g1',
    DnsConfig: { RoutingPolicy: 'MULTIVALUE', DnsRecords: [{ Type: 'A', TTL: 5 }] },
    HealthCheckCustomConfig: { FailureThreshold: 1 },
  })
  const { TargetGroups } = await clients.balancers.createTargetGroup({
    Name: 'r-group',
    Protocol: 'HTTP',
    Port: 8080,
    TargetType: 'ip',
    VpcId: aws.places.vpc,
    HealthCheckIntervalSeconds: 5,
    HealthCheckTimeoutSeconds: 2,
    HealthyThresholdCount: 2,
    UnhealthyThresholdCount: 2,
  })
  const TargetGroupArn = TargetGroups![0]!.TargetGroupArn!
  await clients.balancers.createRule({
    ListenerArn: aws.places.balancer.listeners.http,
    Priority: 20_001,
    Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: ['a.example.com'] } }],
    Actions: [{ Type: 'forward', TargetGroupArn }],
  })
  await clients.ecs.createService({
    cluster: aws.places.cluster,
    serviceName: 'a_web_G1',
    taskDefinition,
    desiredCount: 1,
    clientToken: 'g1',
    loadBalancers: [{ targetGroupArn: TargetGroupArn, containerName: 'main', containerPort: 8080 }],
    serviceRegistries: [{ registryArn: names!.Arn! }],
    healthCheckGracePeriodSeconds: 60,
    ...placed(outputs),
  })
  return TargetGroupArn
}

async function name(): Promise<void> {
  const { ChangeInfo } = await clients.zones.changeResourceRecordSets({
    HostedZoneId: aws.places.zone,
    ChangeBatch: {
      Changes: [
        {
          Action: 'UPSERT',
          ResourceRecordSet: {
            Name: 'web.a.r.internal',
            Type: 'CNAME',
            TTL: 5,
            ResourceRecords: [{ Value: 'g1.members.r.internal' }],
          },
        },
      ],
    },
  })
  const isKnown = async () =>
    (await clients.zones.getChange({ Id: ChangeInfo!.Id! })).ChangeInfo!.Status === 'INSYNC'
  await until(isKnown, { deadlineMs, intervalMs: 250, what: 'the names' })
}

async function logLine(text: string): Promise<boolean> {
  let nextToken: string | undefined
  do {
    const page = await clients.logs.filterLogEvents({ logGroupName: '/rack/r/a', nextToken })
    if (page.events!.some(({ message }) => message === text)) return true
    nextToken = page.nextToken
  } while (nextToken)
  return false
}

test(
  'a release by hand: stack, secret, volume, task, names, balancer, logs',
  { timeout: 120_000 },
  async () => {
    const { Account } = await clients.identity.getCallerIdentity()
    assert.equal(Account, aws.places.account)
    const outputs = await makeStack()
    const { ARN } = await clients.secrets.createSecret({
      Name: 'rack/r/a/web-G1',
      SecretString: '{"WORD":"hello"}',
    })
    await clients.files.createAccessPoint({
      ClientToken: 'a/data',
      FileSystemId: aws.places.fileSystem,
      RootDirectory: { Path: '/a/data', CreationInfo: { OwnerUid: 0, OwnerGid: 0, Permissions: '0755' } },
    })
    const group = await makeService(outputs, await defineTask('a_web_G1', outputs, `${ARN}:WORD::`, script))
    await name()
    const isHealthy = async () => {
      const { TargetHealthDescriptions } = await clients.balancers.describeTargetHealth({
        TargetGroupArn: group,
      })
      return TargetHealthDescriptions?.[0]?.TargetHealth?.State === 'healthy'
    }
    await until(isHealthy, { deadlineMs, intervalMs: 100, what: 'a healthy target' })
    const port = aws.loopbackPort('web', 80)
    const answer = async () => {
      return await new Promise<string>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, headers: { host: 'a.example.com' } }, (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk.toString()))
          response.on('end', () => resolve(text))
        })
        sent.on('error', reject).end()
      })
    }
    assert.equal(await answer(), 'hello\n')
    await until(() => logLine('serving'), { deadlineMs, what: 'its line' })

    const asking = 'echo "$WORD" > /dev/null; wget -qO- http://web.a.r.internal:8080/ && echo asked'
    const taskDefinition = await defineTask('a_once', outputs, `${ARN}:WORD::`, asking)
    const { tasks } = await clients.ecs.runTask({
      cluster: aws.places.cluster,
      taskDefinition,
      count: 1,
      ...placed(outputs),
    })
    const ended = await until(
      async () => {
        const found = await clients.ecs.describeTasks({
          cluster: aws.places.cluster,
          tasks: [tasks![0]!.taskArn!],
        })
        return found.tasks![0]?.lastStatus === 'STOPPED' && found.tasks![0]
      },
      { deadlineMs, what: 'the one-off' },
    )
    assert.equal(ended.containers![0]!.exitCode, 0)
    await until(() => logLine('asked'), { deadlineMs, what: 'what the one-off said' })
    assert.deepEqual(aws.calls.refused, [])

    const stranger = placed({ ...outputs, Group: 'sg-0other' })
    const refused = clients.ecs.runTask({
      cluster: aws.places.cluster,
      taskDefinition,
      count: 1,
      ...stranger,
    })
    await assert.rejects(refused, /The security group 'sg-0other' does not exist/)
  },
)

test('the list of calls in the README is the list of calls that are there', async () => {
  const byScope = Map.groupBy(aws.actions, (action) => action.split(':')[0]!)
  const lines = [...byScope].map(([scope, actions]) => {
    return `- \`${scope}\` ${actions.length}: ${actions.map((action) => action.slice(scope.length + 1)).join(', ')}`
  })
  const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8')
  const [, told] = /<!-- calls -->\n\n([^]*?)\n\n<!-- end -->/.exec(readme) ?? []
  assert.equal(told, [`${aws.actions.length} calls:`, '', ...lines].join('\n'))
})
