import { randomBytes } from 'node:crypto'
import type { Made } from '../template.ts'

export type Properties = Record<string, unknown>

/** How one type of resource is made, changed in place, and taken away. What they throw is why the resource failed. */
export interface ResourceModel {
  /** Of the account's time (J). */
  takesMs: number
  /** The property that names it: two of one name cannot be. */
  named?: string
  /** How long a name its service takes of CloudFormation; 255 characters when absent. */
  longestName?: number
  create(properties: Properties, generatedName: string): Made | Promise<Made>
  update(made: Made, properties: Properties): void | Promise<void>
  /** `snapshot`: what the last one of its data is to be called, where the template asks for one. */
  delete(made: Made, properties: Properties, last: { snapshot: string | null }): void | Promise<void>
}

export const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
export const texts = (value: unknown) => (Array.isArray(value) ? value : []) as string[]
export const hex = (bytes: number) => randomBytes(bytes).toString('hex')

/** As ids of EC2 look: seventeen digits. */
export const idOf = (prefix: string) => `${prefix}-${hex(8)}0`

/** What an account holds that only stacks make, so that others can tell whether it is there. */
export interface Inventory {
  /** ARNs. */
  roles: Set<string>
  /** Ids. */
  securityGroups: Set<string>
  /** What security groups let in, by the rule's id, or by the group's where it says so itself. */
  ingress: Map<string, Ingress[]>
  /** Zones of subnets, by id. */
  subnets: Map<string, string>
  /** All that stacks have made and not taken away: type and own name, a blank between. */
  there: Set<string>
}

/** What a security group lets in from a range of addresses; what it lets in from other groups is not looked at. */
export interface Ingress {
  /** Id of the group. */
  group: string
  protocol: string
  from: number
  to: number
  range: string
}

/** By the properties of a rule; null for one that names no range. */
export function ingressOf(group: string, properties: Properties): Ingress | null {
  const { IpProtocol, FromPort, ToPort, CidrIp, CidrIpv6 } = properties
  const range = text(CidrIp) ?? text(CidrIpv6)
  if (range === undefined) return null
  const protocol = text(IpProtocol) ?? '-1'
  const [from, to] = protocol === '-1' ? [0, 65_535] : [Number(FromPort), Number(ToPort)]
  return { group, protocol, from, to, range }
}

export function createInventory(): Inventory {
  return {
    roles: new Set(),
    securityGroups: new Set(),
    ingress: new Map(),
    subnets: new Map(),
    there: new Set(),
  }
}

/** What is there and nothing more: neither tasks nor other services ask about it but by its id. */
export function plainModel(
  { there }: Inventory,
  type: string,
  {
    takesMs,
    make,
    refuse,
  }: {
    takesMs: number
    make: (properties: Properties, generated: string) => Made
    /** Why it cannot go; null when it can. */
    refuse?: (physical: string) => string | null
  },
): ResourceModel {
  return {
    takesMs,
    create(properties, generated) {
      const made = make(properties, generated)
      if (there.has(`${type} ${made.physical}`)) throw new Error(`${made.physical} already exists`)
      return made
    },
    update: () => {},
    delete({ physical }) {
      const why = refuse?.(physical)
      if (why) throw new Error(why)
    },
  }
}
