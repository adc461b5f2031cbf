import type { Action, ProtocolEnum, RuleCondition, Tag } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { FakeAccount } from '../fake-service.ts'
import type { ShownCertificates } from '../links.ts'
import type { Metrics } from './metrics.ts'
import type { GroupTargets } from './traffic/group-targets.ts'

/** A load balancer that the account has from the start, as the rack's stack would make it. */
export interface BalancerPlan {
  name: string
  type: 'application' | 'network'
  /** Whether its host is a name, as in AWS, where an application balancer has an address that leads there on this machine. */
  isNamed?: boolean
  listeners: { port: number; protocol: ProtocolEnum; certificate?: string; step?: Step }[]
  /** Where on loopback a port of the balancer is: 0 takes any, null is a port that its security group closes. */
  listenOn: (port: number) => number | null
  /** 3600 when absent, as the rack's stack sets it (§2.2). */
  idleTimeoutSeconds?: number
  /** Ids; without any everybody comes in (D). Looked at by network balancers alone. */
  securityGroups?: string[]
}

export interface Balancer {
  arn: string
  name: string
  type: 'application' | 'network'
  dnsName: string
  createdAt: Date
  listenOn: (port: number) => number | null
  idleTimeoutSeconds: number
  securityGroups: string[]
}

/** Who knocks at a port. */
export interface Knock {
  protocol: 'tcp' | 'udp'
  port: number
  address: string
}

/** What a rule does, in one shape. */
export type Step =
  | { is: 'forward'; groups: { arn: string; weight: number }[] }
  | { is: 'redirect'; config: NonNullable<Action['RedirectConfig']> }
  | { is: 'fixed'; config: NonNullable<Action['FixedResponseConfig']> }

/** What a request must have; absent is anything. */
export interface Match {
  hosts?: string[]
  paths?: string[]
  sources?: string[]
}

export interface Rule {
  arn: string
  serial: number
  listener: Listener
  /** Infinity is the listener's default. */
  priority: number
  match: Match
  step: Step
  /** As they were asked for, to be told again. */
  conditions: RuleCondition[]
}

export interface Listener {
  arn: string
  serial: number
  balancer: Balancer
  port: number
  protocol: ProtocolEnum
  /** ARNs of certificates that it shows; the default one is first. */
  certificates: string[]
  /** By which it ends TLS, where it does. */
  policy: string
  /** Its rules; the default one is among them. */
  rules: Map<string, Rule>
  door: Door
}

/** What takes connections for a listener. */
export interface Door {
  /** Where it is on loopback; null where the security group closes it. */
  port: number | null
  /** The rules have changed. */
  refresh(): void
  close(): Promise<void>
}

/** What can be chosen of a group when it is made. */
export interface GroupSettings {
  name: string
  protocol: 'HTTP' | 'HTTPS' | 'TCP' | 'TLS' | 'UDP'
  port: number
  vpcId: string
  health: HealthSettings
}

export interface HealthSettings {
  protocol: 'HTTP' | 'HTTPS' | 'TCP'
  port: string
  path: string
  intervalSeconds: number
  timeoutSeconds: number
  healthyThreshold: number
  unhealthyThreshold: number
  matcher: string
}

export interface Group extends GroupSettings {
  arn: string
  serial: number
  attributes: Map<string, string>
  targets: GroupTargets
}

/** All that the service knows. */
export interface ElbState {
  account: FakeAccount
  vpcId: string
  balancers: Map<string, Balancer>
  listeners: Map<string, Listener>
  groups: Map<string, Group>
  tags: Map<string, Tag[]>
  certificates: ShownCertificates
  nextSerial: () => number
  /** Whether security groups let somebody in. */
  letsIn: (groups: string[], knock: Knock) => boolean
  metrics: Metrics
}

export function rulesOf(state: ElbState): Rule[] {
  return [...state.listeners.values()].flatMap(({ rules }) => [...rules.values()])
}

export function groupsOf({ step }: Rule): { arn: string; weight: number }[] {
  return step.is === 'forward' ? step.groups : []
}

/** The balancers whose rules lead to a group, waiting ones too. */
export function balancersOf(state: ElbState, groupArn: string): Balancer[] {
  const leading = rulesOf(state).filter((rule) => groupsOf(rule).some(({ arn }) => arn === groupArn))
  return [...new Set(leading.map(({ listener }) => listener.balancer))]
}

/** Whether a group is one of network balancers. */
export const isOfNetwork = ({ protocol }: Pick<Group, 'protocol'>): boolean =>
  protocol === 'TCP' || protocol === 'TLS' || protocol === 'UDP'
