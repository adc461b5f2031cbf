import { resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { Resources } from '../../domain/rack.ts'
import { checkRegion } from '../../account/caller.ts'
import type { InstallationInput } from '../../account/installation-stacks.ts'
import { isRepositoryPart } from '../../domain/aws-places.ts'
import { parseCidr } from '../../lib/cidr.ts'
import type { InsideInput } from '../../account/templates/inside.ts'
import { checkDomain, checkName } from '../../host/plan-installation.ts'
import { defaultDirectory, defaultRackName } from '../find-installation.ts'
import { readNumber, readSize } from '../read-number.ts'
import type { Session } from '../session.ts'
import { sourceAddress } from './source-address.ts'

/** What a person says of a rack in an account. */
export interface AccountOptions {
  name: string
  region: string
  directory: string
  domain: string
  total: Resources
  stacks: InstallationInput
}

const usual: Resources = { cpuUnits: 8192, memoryBytes: 16 * 2 ** 30 }

/** Options of `rack install` that this one has too; others are of a rack on one machine. */
const shared = new Set(['name', 'dir', 'cpu', 'memory', 'domain', 'json'])
const own = new Set(
  'region daemon daemonFrom apiAllow nodeImage plan policy vpc subnets balancerSubnets private nat ports certificate permissionsBoundary yes'.split(
    ' ',
  ),
)

/** Of a rack that is given none. */
export const usualDomain = (rack: string): string => `${rack}.internal`

/** @throws usage, invalid, unsupported */
export async function readAccountOptions({ options, world }: Session): Promise<AccountOptions> {
  const other = options.names().find((name) => !shared.has(name) && !own.has(name))
  if (other !== undefined) {
    const flag = `--${other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    throw new RackError('usage', `${flag} is of a rack on one machine`, { hint: 'rack install aws --help' })
  }
  const region = checkRegion(options.text('region'))
  const name = options.text('name') ?? defaultRackName
  checkName(name)
  checkStackNames(name)
  const isHere = readDaemonPlace({ options }) === 'here'
  const directory = options.text('dir')
  const domain = options.text('domain') ?? usualDomain(name)
  checkDomain(domain)
  return {
    name,
    region,
    directory: directory === undefined ? defaultDirectory(name, world.env) : resolve(world.cwd, directory),
    domain,
    total: {
      cpuUnits: readNumber(options.text('cpu'), '--cpu') ?? usual.cpuUnits,
      memoryBytes: readSize(options.text('memory'), '--memory') ?? usual.memoryBytes,
    },
    stacks: {
      rack: name,
      network: readNetwork({ options }),
      daemonFrom: isHere ? await readRanges({ options }) : [],
      networkBalancer: options.flag('ports'),
      images: null,
      ...readCertificate({ options }, region),
      ...readBoundary({ options }),
      ...(!isHere && { inside: readInside({ options }) }),
    },
  }
}

/** Another rack may have a stack of that name. @throws invalid */
function checkStackNames(name: string): void {
  if (!isRepositoryPart(name)) {
    throw new RackError('invalid', `a rack in an account cannot be called "${name}"`, {
      hint: 'Its dashes stand alone, and none at the end: repositories of images are called after it. Choose another: --name NAME',
    })
  }
  if (!/-(base|ports|web-\d+)$|-(app|service|ports)-/.test(name)) return
  throw new RackError('invalid', `a rack in an account cannot be called "${name}"`, {
    hint: 'The name does not end in -base, -ports or -web-NUMBER, nor has -app-, -service- or -ports- in it: its stacks would be called like those of another rack. Choose another: --name NAME',
  })
}

/** Options that one place of the daemon has alone. */
const onlyHere = ['dir', 'daemon-from']
const onlyInside = ['api-allow', 'node-image']

/** Where the daemon is to be. @throws usage, also for what is of the other place */
function readDaemonPlace({ options }: Given): 'here' | 'inside' {
  const where = options.text('daemon')
  if (where !== undefined && where !== 'here') {
    throw new RackError('usage', `--daemon: "${where}" is not a place`, {
      hint: 'It is in the account; on this machine with: --daemon here',
    })
  }
  const isSaid = (name: string) => options.text(name) !== undefined || options.list(name).length > 0
  const other = (where === 'here' ? onlyInside : onlyHere).find(isSaid)
  if (other === undefined) return where ?? 'inside'
  throw new RackError(
    'usage',
    where === 'here'
      ? `--${other} is of a daemon in the account`
      : `--${other} is of a daemon on this machine: add --daemon here`,
  )
}

/** A rule of a balancer has five values (D), of which the API's name is one. */
const mostRanges = 4

/** From which addresses alone the API is reached; empty where that is not said. @throws usage */
export function readAllowed({ options }: Given): string[] {
  const allow = readCidrs(options.list('api-allow'), '--api-allow')
  if (allow.length > mostRanges) {
    throw new RackError(
      'usage',
      `--api-allow takes ${mostRanges} ranges, as a rule of a load balancer does`,
      {
        hint: 'A wider range holds several: 192.0.2.0/24',
      },
    )
  }
  return allow
}

function readInside({ options }: Given): InsideInput {
  const nodeImage = options.text('node-image')
  const domain = options.text('domain')
  return {
    allow: readAllowed({ options }),
    ...(domain !== undefined && { domain }),
    ...(nodeImage !== undefined && { nodeImage }),
  }
}

type Given = Pick<Session, 'options'>

function readNetwork({ options }: Given): InstallationInput['network'] {
  const vpc = options.text('vpc')
  const subnets = readIds(options.text('subnets'), '--subnets', 'subnet')
  const balancerSubnets = readIds(options.text('balancer-subnets'), '--balancer-subnets', 'subnet')
  if (vpc === undefined) {
    const without = subnets ? '--subnets' : balancerSubnets ? '--balancer-subnets' : null
    const flag = without ?? (options.flag('private') ? '--private' : null)
    if (flag !== null) throw new RackError('usage', `${flag} is of a network of yours: add --vpc ID`)
    return { kind: 'own', nat: options.flag('nat') }
  }
  if (!/^vpc-[0-9a-f]+$/.test(vpc)) throw new RackError('usage', `--vpc: "${vpc}" is not the id of a VPC`)
  if (options.flag('nat')) {
    throw new RackError('usage', '--nat is of a network of its own', {
      hint: 'Where your subnets have a way out by a gateway, say: --private',
    })
  }
  if (!subnets) throw new RackError('usage', '--vpc needs --subnets too: two or more of it, one a zone')
  return {
    kind: 'given',
    vpc,
    subnets,
    balancerSubnets: balancerSubnets ?? subnets,
    assignsPublicIp: !options.flag('private'),
  }
}

function readIds(text: string | undefined, flag: string, kind: string): string[] | undefined {
  if (text === undefined) return undefined
  const ids = text.split(',').map((id) => id.trim())
  const wrong = ids.find((id) => !new RegExp(`^${kind}-[0-9a-f]+$`).test(id))
  if (wrong !== undefined) throw new RackError('usage', `${flag}: "${wrong}" is not the id of a ${kind}`)
  if (new Set(ids).size < 2) {
    throw new RackError('usage', `${flag} needs two or more, one a zone, as a load balancer does`)
  }
  return ids
}

async function readRanges({ options }: Given): Promise<string[]> {
  const ranges = readCidrs(options.list('daemon-from'), '--daemon-from')
  return ranges.length > 0 ? ranges : [`${await sourceAddress()}/32`]
}

function readCidrs(given: string[], flag: string): string[] {
  const ranges = given.flatMap((text) => text.split(',')).map((range) => range.trim())
  const wrong = ranges.find((range) => parseCidr(range) === null)
  if (wrong === undefined) return ranges
  throw new RackError('usage', `${flag}: "${wrong}" is not a range of addresses`, {
    hint: 'Such as 10.9.8.7/32.',
  })
}

function readCertificate({ options }: Given, region: string): { certificate?: string } {
  const arn = options.text('certificate')
  if (arn === undefined) return {}
  if (options.text('domain') === undefined) {
    throw new RackError('usage', '--certificate needs --domain too, of which it is')
  }
  return { certificate: readCertificateArn(arn, region) }
}

/** @throws usage for what is none of ACM's, or of another Region */
export function readCertificateArn(arn: string, region: string): string {
  const [, found] = /^arn:aws:acm:([a-z0-9-]+):\d{12}:certificate\/[A-Za-z0-9-]+$/.exec(arn) ?? []
  if (found === region) return arn
  const why = found === undefined ? 'is not the ARN of a certificate of ACM' : `is not of ${region}`
  throw new RackError('usage', `--certificate: "${arn}" ${why}`, {
    hint: `Such as arn:aws:acm:${region}:123456789012:certificate/0a1b2c3d-…`,
  })
}

function readBoundary({ options }: Given): { permissionsBoundary?: string } {
  const arn = options.text('permissions-boundary')
  if (arn === undefined) return {}
  if (!/^arn:aws:iam::(\d{12}|aws):policy\/.+$/.test(arn)) {
    throw new RackError('usage', `--permissions-boundary: "${arn}" is not the ARN of a policy`, {
      hint: 'Such as arn:aws:iam::123456789012:policy/Bounds',
    })
  }
  return { permissionsBoundary: arn }
}
