import type {
  CreateListenerInput,
  DescribeListenersInput,
  DescribeLoadBalancersInput,
  Listener as ListenerTold,
  ModifyListenerInput,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError, type Action } from '../../fake-service.ts'
import { assertLeads } from './leads.ts'
import { openDoor } from '../traffic/open-door.ts'
import { pageOf } from './page.ts'
import { actionOf, readActions } from './rule-forms.ts'
import type { Balancer, ElbState, Listener, Rule, Step } from '../state.ts'
import { setTags } from './tag-actions.ts'

/** Listeners of a balancer (D). */
const mostListeners = 50

export function listenerOf(state: ElbState, arn: string): Listener {
  const listener = state.listeners.get(arn)
  if (!listener) throw new AwsError('ListenerNotFoundException', 'One or more listeners not found')
  return listener
}

export function listenerActions(state: ElbState): Record<string, Action> {
  return {
    CreateListener: async (input: CreateListenerInput) => ({ Listeners: [told(await create(state, input))] }),
    ModifyListener: async (input: ModifyListenerInput) => ({ Listeners: [told(await modify(state, input))] }),
    DeleteListener: async ({ ListenerArn }: { ListenerArn: string }) => remove(state, ListenerArn),
    DescribeListeners: async (input: DescribeListenersInput) => describe(state, input),
    DescribeLoadBalancers: async (input: DescribeLoadBalancersInput) => describeBalancers(state, input),
  }
}

function defaultRule(listener: Listener): Rule {
  return [...listener.rules.values()].find(({ priority }) => priority === Infinity)!
}

function balancerOf(state: ElbState, arn: string): Balancer {
  const balancer = state.balancers.get(arn)
  if (!balancer) throw new AwsError('LoadBalancerNotFoundException', 'One or more load balancers not found')
  return balancer
}

async function create(state: ElbState, input: CreateListenerInput): Promise<Listener> {
  assertPlain(input)
  const balancer = balancerOf(state, input.LoadBalancerArn!)
  const step = readActions(input.DefaultActions!)
  const { Port: port, Protocol: protocol } = input
  const certificates = (input.Certificates ?? []).map(({ CertificateArn }) => CertificateArn!)
  const { SslPolicy: policy } = input
  const listener = await addListener(state, balancer, {
    port: port!,
    protocol: protocol!,
    step,
    certificates,
    ...(policy !== undefined && { policy }),
  })
  setTags(state, listener.arn, input.Tags)
  return listener
}

/** Of a listener of TLS that is told none (D). */
const firstPolicy = 'ELBSecurityPolicy-2016-08'
const policies = [firstPolicy, 'ELBSecurityPolicy-TLS13-1-2-2021-06']

function assertPlain({
  SslPolicy,
  AlpnPolicy,
  MutualAuthentication,
}: Omit<ModifyListenerInput, 'ListenerArn'>): void {
  // They are kept and told: Node's own TLS takes 1.2 and 1.3 by any.
  const isKnown = SslPolicy === undefined || policies.includes(SslPolicy)
  if (!isKnown || (AlpnPolicy ?? MutualAuthentication)) {
    throw new AwsError('ValidationError', `the fake account has ${policies.join(' and ')} alone`)
  }
}

/** A listener that ends TLS has one certificate when it is made, and others have none (D). */
function assertCertificates(state: ElbState, protocol: string, certificates: string[]): void {
  if (protocol !== 'HTTPS' && protocol !== 'TLS') {
    if (certificates.length === 0) return
    throw new AwsError(
      'InvalidConfigurationRequestException',
      `A listener of ${protocol} shows no certificate`,
    )
  }
  if (certificates.length !== 1)
    throw new AwsError('ValidationError', 'A certificate must be specified for secure listeners')
  assertCertificate(state, certificates[0]!)
}

/** Of listeners of a network balancer, to groups of which protocols each leads (D). */
const fitting: Readonly<Record<string, readonly string[]>> = {
  TCP: ['TCP'],
  TLS: ['TCP', 'TLS'],
  UDP: ['UDP'],
}

function assertFitting(state: ElbState, protocol: string, step: Step): void {
  const groups = step.is === 'forward' ? step.groups.map(({ arn }) => state.groups.get(arn)) : []
  const other = groups.find((group) => group && fitting[protocol]?.includes(group.protocol) === false)
  if (!other) return
  throw new AwsError(
    'IncompatibleProtocolsException',
    `A listener of ${protocol} forwards to no group of ${other.protocol}`,
  )
}

/** One that is not issued cannot be shown (D). */
export function assertCertificate({ certificates }: ElbState, arn: string): void {
  if (certificates.find(arn)) return
  throw new AwsError(
    'UnsupportedCertificateException',
    `The certificate '${arn}' must have a fully-qualified domain name, a supported signature, and a supported key size.`,
  )
}

/** A listener with its default rule, open when this settles. @throws AwsError */
export async function addListener(
  state: ElbState,
  balancer: Balancer,
  {
    port,
    protocol,
    step,
    certificates = [],
    policy = firstPolicy,
  }: {
    port: number
    protocol: Listener['protocol']
    step: Step
    certificates?: string[]
    policy?: string
  },
): Promise<Listener> {
  const own = [...state.listeners.values()].filter((listener) => listener.balancer === balancer)
  assertPort(balancer, { port, protocol }, own)
  if (own.length >= mostListeners)
    throw new AwsError('TooManyListenersException', `A load balancer can have ${mostListeners} listeners`)
  assertLeads(state, balancer, step)
  assertCertificates(state, protocol, certificates)
  assertFitting(state, protocol, step)
  const serial = state.nextSerial()
  const arn = `${balancer.arn.replace(':loadbalancer/', ':listener/')}/${serial.toString(16).padStart(16, '0')}`
  const ruleArn = `${arn.replace(':listener/', ':listener-rule/')}/${serial.toString(16).padStart(16, '0')}`
  const closed = { port: null, refresh: () => undefined, close: async () => undefined }
  const listener: Listener = {
    arn,
    serial,
    balancer,
    port,
    protocol,
    certificates,
    policy,
    rules: new Map(),
    door: closed,
  }
  const first = { arn: ruleArn, serial, listener, priority: Infinity, match: {}, step, conditions: [] }
  listener.rules.set(ruleArn, first)
  // In the account before it is open, so that no other one takes its port meanwhile.
  state.listeners.set(arn, listener)
  try {
    listener.door = await openDoor(state, listener)
  } catch (error) {
    state.listeners.delete(arn)
    throw error
  }
  return listener
}

function assertPort(
  { type }: Balancer,
  { port, protocol }: { port: number; protocol: string },
  others: Listener[],
): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new AwsError('ValidationError', 'Port must be between 1 and 65535')
  const known = type === 'application' ? ['HTTP', 'HTTPS'] : Object.keys(fitting)
  if (!known.includes(protocol))
    throw new AwsError(
      'UnsupportedProtocolException',
      `the fake account's listeners of ${type} load balancers are ${known.join(', ')}`,
    )
  // Other settings on a port that is taken are refused, and so is a repeat here: tokens there are none (J).
  if (others.some((other) => other.port === port))
    throw new AwsError('DuplicateListenerException', 'A listener already exists on this port')
}

/** Connections that are there stay with the target they have; the rule of new ones changes (D). */
async function modify(state: ElbState, input: ModifyListenerInput): Promise<Listener> {
  assertPlain(input)
  const listener = listenerOf(state, input.ListenerArn!)
  const { balancer } = listener
  const rule = defaultRule(listener)
  const step = input.DefaultActions ? readActions(input.DefaultActions) : rule.step
  assertLeads(state, balancer, step, rule)
  const { Port: port = listener.port, Protocol: protocol = listener.protocol } = input
  if (protocol !== listener.protocol)
    throw new AwsError('ValidationError', "the fake account's listeners keep their protocol")
  const certificates = input.Certificates?.map(({ CertificateArn = '' }) => CertificateArn)
  if (certificates) assertCertificates(state, protocol, certificates)
  const others = [...state.listeners.values()].filter(
    (other) => other.balancer === balancer && other !== listener,
  )
  assertPort(balancer, { port, protocol }, others)
  assertFitting(state, protocol, step)
  rule.step = step
  listener.policy = input.SslPolicy ?? listener.policy
  // D: the default one is replaced; those beside it stay.
  if (certificates) {
    const others = listener.certificates.slice(1).filter((arn) => !certificates.includes(arn))
    listener.certificates = [...certificates, ...others]
  }
  if (port === listener.port) listener.door.refresh()
  else {
    const before = listener.door
    listener.port = port
    listener.door = await openDoor(state, listener)
    await before.close()
  }
  return listener
}

async function remove(state: ElbState, arn: string): Promise<object> {
  const listener = listenerOf(state, arn)
  state.listeners.delete(arn)
  for (const rule of listener.rules.keys()) state.tags.delete(rule)
  state.tags.delete(arn)
  await listener.door.close()
  return {}
}

function describe(state: ElbState, input: DescribeListenersInput): object {
  const { LoadBalancerArn, ListenerArns } = input
  if ((LoadBalancerArn === undefined) === (ListenerArns === undefined)) {
    throw new AwsError('ValidationError', 'Either a load balancer or listeners must be specified')
  }
  const balancer = LoadBalancerArn === undefined ? null : balancerOf(state, LoadBalancerArn)
  const all = [...state.listeners.values()].filter((listener) => listener.balancer === balancer)
  const { page, ...marker } = pageOf(ListenerArns?.map((arn) => listenerOf(state, arn)) ?? all, input)
  return { Listeners: page.map(told), ...marker }
}

function told(listener: Listener): ListenerTold {
  return {
    ListenerArn: listener.arn,
    LoadBalancerArn: listener.balancer.arn,
    Port: listener.port,
    Protocol: listener.protocol,
    ...(listener.certificates.length > 0 && {
      Certificates: [{ CertificateArn: listener.certificates[0] }],
      SslPolicy: listener.policy,
    }),
    DefaultActions: [actionOf(defaultRule(listener).step)],
  }
}

function describeBalancers(state: ElbState, input: DescribeLoadBalancersInput): object {
  const { LoadBalancerArns, Names } = input
  const all = [...state.balancers.values()]
  const named = Names && all.filter(({ name }) => Names.includes(name))
  if (named && named.length < new Set(Names).size) {
    throw new AwsError('LoadBalancerNotFoundException', `Load balancers '[${Names.join(', ')}]' not found`)
  }
  const wanted = LoadBalancerArns?.map((arn) => balancerOf(state, arn)) ?? named ?? all
  const { page, ...marker } = pageOf(
    wanted.map((balancer) => ({ balancer, serial: all.indexOf(balancer) + 1 })),
    input,
  )
  return {
    LoadBalancers: page.map(({ balancer }) => ({
      LoadBalancerArn: balancer.arn,
      DNSName: balancer.dnsName,
      CreatedTime: balancer.createdAt,
      LoadBalancerName: balancer.name,
      Scheme: 'internet-facing',
      VpcId: state.vpcId,
      State: { Code: 'active' },
      Type: balancer.type,
      IpAddressType: 'ipv4',
    })),
    ...marker,
  }
}
