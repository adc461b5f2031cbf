import { once } from 'node:events'
import { createServer, request, type Agent, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '../../../src/lib/poll.ts'
import { createFakeAccount } from '../account.ts'
import type { Call } from '../fake-service.ts'
import type { Target } from '../links.ts'
import { createElb } from './create-elb.ts'
import type { ElbState } from './state.ts'

const call: Call = { service: 'elasticloadbalancing', action: '', accessKeyId: 'A', requestId: '1' }

/** An account with an application balancer `web` (port 80) and a network one `net`, for tests of its parts. */
export async function createBalancerWorld({
  factor = 200,
  closed = [] as number[],
  idleTimeoutSeconds = 3600,
  letsIn = undefined as ElbState['letsIn'] | undefined,
} = {}) {
  const account = await createFakeAccount({ factor })
  const elb = await createElb({
    account,
    vpcId: 'vpc-1',
    ...(letsIn && { letsIn }),
    balancers: [
      {
        name: 'web',
        type: 'application',
        listeners: [{ port: 80, protocol: 'HTTP' }],
        listenOn: () => 0,
        idleTimeoutSeconds,
      },
      {
        name: 'net',
        type: 'network',
        listeners: [],
        listenOn: (port) => (closed.includes(port) ? null : 0),
        ...(letsIn && { securityGroups: ['sg-1'] }),
      },
    ],
  })
  const servers = new Set<Server>()
  // oxlint-disable-next-line no-explicit-any -- answers are looked into by each test
  const act = async (action: string, input: object): Promise<any> =>
    await elb.service.actions[action]!(input, { ...call, action })
  return {
    account,
    elb,
    act,
    web: elb.balancers.get('web')!,
    net: elb.balancers.get('net')!,
    /** A process that answers. */
    async startTarget(answer: RequestListener): Promise<Target & { server: Server }> {
      const server = createServer(answer).listen(0, '127.0.0.1')
      servers.add(server)
      await once(server, 'listening')
      return { address: '127.0.0.1', port: (server.address() as AddressInfo).port, server }
    },
    async createGroup(name: string, more: object = {}): Promise<string> {
      const own = { Name: name, Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType: 'ip' }
      const health = { HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 2, HealthyThresholdCount: 2 }
      const { TargetGroups } = await act('CreateTargetGroup', { ...own, ...health, ...more })
      return TargetGroups[0].TargetGroupArn
    },
    async createRule(priority: number, host: string, groups: string | { arn: string; weight: number }[]) {
      const Actions = [forwardTo(groups)]
      const Conditions = [{ Field: 'host-header', HostHeaderConfig: { Values: [host] } }]
      const ListenerArn = elb.balancers.get('web')!.listeners.get(80)!.arn
      const { Rules } = await act('CreateRule', { ListenerArn, Priority: priority, Conditions, Actions })
      // Every node knows of it by then.
      await account.clock.pass(2100)
      return Rules[0].RuleArn as string
    },
    async healthy(group: string, target: Target): Promise<void> {
      const what = 'a healthy target'
      await until(() => elb.targetGroups.health(group, target) === 'healthy', { deadlineMs: 5000, what })
    },
    async [Symbol.asyncDispose]() {
      await elb.service.close!()
      account.clock.close()
      for (const server of servers) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

export function forwardTo(groups: string | { arn: string; weight: number }[]): object {
  if (typeof groups === 'string') return { Type: 'forward', TargetGroupArn: groups }
  const TargetGroups = groups.map(({ arn, weight }) => ({ TargetGroupArn: arn, Weight: weight }))
  return { Type: 'forward', ForwardConfig: { TargetGroups } }
}

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

/** One request to a port of this machine. */
export async function ask(
  port: number,
  {
    host,
    path = '/',
    method = 'GET',
    headers = {},
    agent,
    body,
  }: {
    host: string
    path?: string
    method?: string
    headers?: Record<string, string>
    body?: string
    agent?: Agent
  },
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options = {
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { ...headers, host },
    agent: agent ?? false,
  }
  const sent = request(options, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (text += chunk)).on('error', reject)
    response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: text }))
  })
  sent.on('error', reject)
  sent.end(body)
  return await promise
}
