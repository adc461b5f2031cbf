import type { InstallationInput } from '../../src/account/installation-stacks.ts'

/** What is chosen of a run of the contract in a real account. */
export interface AccountSettings {
  region: string
  /** Of the rack that is made for the run; begins with `rt-`, so that no other rack is ever taken away. */
  rack: string
  network: InstallationInput['network']
  /** Addresses of this machine, from which it reaches processes. */
  daemonFrom: string[]
  /** When all is ended and taken away, ms. */
  timeoutMs: number
  /** Titles of the scenarios that run; null for all. */
  only: string[] | null
}

/** The variables that choose it; the one that lets it begin is `consent`. */
export const variables = {
  consent: 'RACK_AWS_ACCOUNT_TEST',
  region: 'RACK_AWS_TEST_REGION',
  name: 'RACK_AWS_TEST_NAME',
  vpc: 'RACK_AWS_TEST_VPC',
  subnets: 'RACK_AWS_TEST_SUBNETS',
  balancerSubnets: 'RACK_AWS_TEST_BALANCER_SUBNETS',
  minutes: 'RACK_AWS_TEST_MINUTES',
  only: 'RACK_AWS_TEST_ONLY',
} as const

const mostMinutes = 240

/** Reads the variables; gives every problem with them. Pure. */
export function readSettings(
  env: Record<string, string | undefined>,
  own: { addresses: string[]; random: string },
): { settings: AccountSettings | null; problems: string[] } {
  const problems: string[] = []
  const text = (name: keyof typeof variables, pattern: RegExp, what: string, usual?: string): string => {
    const value = env[variables[name]] ?? usual ?? ''
    if (!pattern.test(value)) problems.push(`${variables[name]} must be ${what}, not "${value}"`)
    return value
  }
  const region = text('region', /^[a-z]{2,3}(-[a-z]+)+-\d$/, 'a Region, such as eu-west-1')
  const rack = text(
    'name',
    /^rt-[a-z0-9]{1,10}$/,
    '"rt-" and up to ten letters and digits',
    `rt-${own.random}`,
  )
  const vpc = text('vpc', /^vpc-[0-9a-f]{8,17}$/, 'the id of the VPC that this machine is in')
  const twoOrMore = /^subnet-[0-9a-f]{8,17}(,subnet-[0-9a-f]{8,17})+$/
  const subnets = text('subnets', twoOrMore, 'ids of its subnets for tasks, one a zone, with commas')
  const inFront = text(
    'balancerSubnets',
    twoOrMore,
    'ids of its subnets with a route to an internet gateway, one a zone',
    subnets,
  )
  const minutes = Number(text('minutes', /^[1-9]\d{0,2}$/, `minutes, up to ${mostMinutes}`, '120'))
  if (minutes > mostMinutes) problems.push(`${variables.minutes} must be minutes, up to ${mostMinutes}`)
  if (own.addresses.length === 0) problems.push('this machine has no private address to reach processes from')
  if (problems.length > 0) return { settings: null, problems }
  const settings: AccountSettings = {
    region,
    rack,
    network: {
      kind: 'given',
      vpc,
      subnets: subnets.split(','),
      balancerSubnets: inFront.split(','),
      assignsPublicIp: true,
    },
    daemonFrom: own.addresses.map((address) => `${address}/32`),
    timeoutMs: minutes * 60_000,
    only: env[variables.only]?.split(';').map((title) => title.trim()) ?? null,
  }
  return { settings, problems }
}
