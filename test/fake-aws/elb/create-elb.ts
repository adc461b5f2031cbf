import { randomInt } from 'node:crypto'
import * as cloudWatch from '@aws-sdk/client-cloudwatch'
import * as sdk from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError, type Action, type FakeAccount, type FakeService } from '../fake-service.ts'
import type { ShownCertificates, TargetGroups } from '../links.ts'
import { Metrics } from './metrics.ts'
import { addListener, listenerActions } from './actions/listener-actions.ts'
import { certificateActions } from './actions/certificate-actions.ts'
import { ruleActions } from './actions/rule-actions.ts'
import {
  balancersOf,
  type Balancer,
  type BalancerPlan,
  type ElbState,
  type Group,
  type Step,
} from './state.ts'
import { tagActions } from './actions/tag-actions.ts'
import { targetGroupActions } from './actions/target-group-actions.ts'

/** What stacks make of it. */
export interface BalancerMaker {
  add(
    plan: Pick<BalancerPlan, 'name' | 'type' | 'isNamed' | 'idleTimeoutSeconds' | 'securityGroups'>,
  ): Promise<FakeBalancer>
  /** With its listeners; D: no harm where it is gone. */
  remove(arn: string): Promise<void>
  /** By the properties of a template, which are those of CreateListener; gives its ARN. */
  addListener(properties: object): Promise<string>
  changeListener(arn: string, properties: object): Promise<void>
  removeListener(arn: string): Promise<void>
  /** Any other call, as CloudFormation makes it. @throws AwsError */
  act(action: string, input: object): Promise<object>
}

export interface FakeElb {
  service: FakeService
  /** CloudWatch, which tells what the balancers count. */
  metrics: FakeService
  targetGroups: TargetGroups
  /** ARNs of listeners that show a certificate. */
  usersOf(certificate: string): string[]
  /** By name, those that the account was made with. */
  balancers: Map<string, FakeBalancer>
  maker: BalancerMaker
  /** Of the first of a type, or the one of a host. @throws where there is none, or it takes nothing on the port */
  loopbackPort(which: BalancerPlan['type'] | { host: string }, port: number): number
}

export interface FakeBalancer {
  arn: string
  /** Of an application balancer an address, at which its ports are its own. */
  dnsName: string
  /** Those that the plan names, by port. */
  listeners: Map<number, { arn: string }>
  /** Where on loopback a port is. @throws where no listener has it, or it is closed */
  loopbackPort(port: number): number
}

/** What an application balancer answers whom no rule knows (§2.2). */
const nobody: Step = {
  is: 'fixed',
  config: { StatusCode: '404', ContentType: 'text/plain', MessageBody: '' },
}

/** The load balancers of an account: real proxies on loopback, led by the rules that are made through the API. */
export async function createElb({
  account,
  vpcId,
  balancers,
  listenOn = () => 0,
  certificates = { find: () => null },
  letsIn = () => true,
}: {
  account: FakeAccount
  vpcId: string
  balancers: BalancerPlan[]
  /** Of balancers that stacks make. */
  listenOn?: BalancerPlan['listenOn']
  certificates?: ShownCertificates
  letsIn?: ElbState['letsIn']
}): Promise<FakeElb> {
  const state = { ...emptyState(account, vpcId, certificates), letsIn }
  const made = new Map<string, FakeBalancer>()
  for (const plan of balancers) made.set(plan.name, await addBalancer(state, plan))
  const actions = {
    ...targetGroupActions(state),
    ...ruleActions(state),
    ...listenerActions(state),
    ...certificateActions(state),
    ...tagActions(state),
  }
  const close = async () => {
    for (const { targets } of state.groups.values()) targets.close()
    await Promise.all([...state.listeners.values()].map(({ door }) => door.close()))
  }
  const service = { scope: 'elasticloadbalancing', sdk: { ...sdk }, actions, close }
  const metrics = { scope: 'monitoring', sdk: { ...cloudWatch }, actions: state.metrics.actions() }
  const usersOf = (certificate: string) =>
    [...state.listeners.values()]
      .filter(({ certificates }) => certificates.includes(certificate))
      .map(({ arn }) => arn)
  return {
    service,
    metrics,
    targetGroups: targetGroupsOf(state),
    usersOf,
    balancers: made,
    maker: balancerMaker(state, { listenOn, actions }),
    loopbackPort: (which, port) => {
      const isIt = ({ type, dnsName }: Balancer) =>
        typeof which === 'string' ? type === which : dnsName === which.host
      return loopbackPortOf(state, isIt, port)
    },
  }
}

function emptyState(
  account: FakeAccount,
  vpcId: string,
  certificates: ShownCertificates,
): Omit<ElbState, 'letsIn'> {
  let serial = 0
  return {
    account,
    vpcId,
    balancers: new Map(),
    listeners: new Map(),
    groups: new Map(),
    tags: new Map(),
    certificates,
    nextSerial: () => ++serial,
    metrics: new Metrics(account.clock),
  }
}

async function addBalancer(state: ElbState, plan: BalancerPlan): Promise<FakeBalancer> {
  const {
    name,
    type,
    isNamed = type === 'network',
    listenOn,
    idleTimeoutSeconds = 3600,
    securityGroups = [],
  } = plan
  const { region, account, clock } = state.account
  const short = type === 'application' ? 'app' : 'net'
  const number = state.nextSerial().toString(16).padStart(16, '0')
  const arn = `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/${short}/${name}/${number}`
  const dnsName = isNamed ? `${name}-${number}.elb.${region}.amazonaws.com` : ownAddress()
  const createdAt = new Date(clock.now())
  const balancer: Balancer = {
    arn,
    name,
    type,
    dnsName,
    createdAt,
    listenOn,
    idleTimeoutSeconds,
    securityGroups,
  }
  state.balancers.set(arn, balancer)
  const listeners = new Map<number, { arn: string }>()
  for (const { port, protocol, certificate, step = nobody } of plan.listeners) {
    const certificates = certificate === undefined ? [] : [certificate]
    listeners.set(port, await addListener(state, balancer, { port, protocol, step, certificates }))
  }
  const loopbackPort = (port: number) => loopbackPortOf(state, (one) => one === balancer, port)
  return { arn, dnsName, listeners, loopbackPort }
}

/** In place of a name that leads to it: this machine's, and nobody else's. AWS gives a name (D). */
function ownAddress(): string {
  return ['127', randomInt(1, 255), randomInt(256), randomInt(1, 255)].join('.')
}

function loopbackPortOf(state: ElbState, isWanted: (balancer: Balancer) => boolean, port: number): number {
  const all = [...state.listeners.values()]
  const found = all.find((listener) => isWanted(listener.balancer) && listener.port === port)
  if (found?.door.port == null) throw new Error(`no such balancer takes anything on port ${port}`)
  return found.door.port
}

function balancerMaker(
  state: ElbState,
  { listenOn, actions }: { listenOn: BalancerPlan['listenOn']; actions: Record<string, Action> },
): BalancerMaker {
  const { CreateListener, ModifyListener, DeleteListener } = actions
  const call = { service: 'elasticloadbalancing', action: '', accessKeyId: 'cloudformation', requestId: '' }
  // One that is gone already went as it should (D: "Resource type handler contract", delete).
  const removeListener = async (arn: string) => {
    if (state.listeners.has(arn)) await DeleteListener!({ ListenerArn: arn }, call)
  }
  return {
    add: async (plan) => await addBalancer(state, { ...plan, listeners: [], listenOn }),
    async remove(arn) {
      const own = [...state.listeners.values()].filter(({ balancer }) => balancer.arn === arn)
      for (const listener of own) await removeListener(listener.arn)
      state.balancers.delete(arn)
    },
    async addListener(properties) {
      const { Listeners } = (await CreateListener!(properties, call)) as {
        Listeners: { ListenerArn: string }[]
      }
      return Listeners[0]!.ListenerArn
    },
    async changeListener(arn, properties) {
      const { LoadBalancerArn: _balancer, ...changed } = properties as { LoadBalancerArn: string }
      await ModifyListener!({ ...changed, ListenerArn: arn }, call)
    },
    removeListener,
    act: async (action, input) => await actions[action]!(input, { ...call, action }),
  }
}

function targetGroupsOf(state: ElbState): TargetGroups {
  const find = (arn: string): Group => {
    const group = state.groups.get(arn)
    if (group) return group
    throw new AwsError(
      'InvalidParameterException',
      `Unable to assume role and validate the specified targetGroupArn: ${arn} not found.`,
    )
  }
  return {
    assertUsable(arn, protocol) {
      // A port of UDP is mapped so (J: reports of what has worked).
      if ((find(arn).protocol === 'UDP') !== (protocol === 'udp')) {
        const words = `The protocol ${protocol} of the container port does not fit the target group ${arn}.`
        throw new AwsError('InvalidParameterException', words)
      }
      if (balancersOf(state, arn).length > 0) return
      // The words are those of ECS (D).
      const words = `The target group with targetGroupArn ${arn} does not have an associated load balancer.`
      throw new AwsError('InvalidParameterException', words)
    },
    register: (arn, target) => find(arn).targets.register(target),
    // A group that is gone has nothing under way.
    deregister: async (arn, target) => await state.groups.get(arn)?.targets.deregister(target),
    health: (arn, target) => state.groups.get(arn)?.targets.health(target) ?? 'unused',
  }
}
