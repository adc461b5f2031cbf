import { resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { Resources } from '../../domain/rack.ts'
import { checkRegion } from '../../account/caller.ts'
import type { InstallationInput } from '../../account/installation-stacks.ts'
import { parseCidr } from '../../lib/cidr.ts'
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
  'region daemon daemonFrom plan policy vpc subnets balancerSubnets private nat ports certificate permissionsBoundary yes'.split(
    ' ',
  ),
)

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
  const directory = options.text('dir')
  const domain = options.text('domain') ?? `${name}.internal`
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
      daemonFrom: await readRanges({ options }),
      networkBalancer: options.flag('ports'),
      images: null,
      ...readCertificate({ options }, region),
      ...readBoundary({ options }),
    },
  }
}

/** Another rack may have a stack of that name. @throws invalid */
function checkStackNames(name: string): void {
  if (!/-(base|ports)$|-(app|service|ports)-/.test(name)) return
  throw new RackError('invalid', `a rack in an account cannot be called "${name}"`, {
    hint: 'The name does not end in -base or -ports, nor has -app-, -service- or -ports- in it: its stacks would be called like those of another rack. Choose another: --name NAME',
  })
}

/** Whether the daemon is to be where it can be. @throws unsupported */
export function checkDaemonPlace({ options }: Pick<Session, 'options'>): void {
  const where = options.text('daemon')
  if (where === 'here') return
  if (where !== undefined) {
    throw new RackError('usage', `--daemon: "${where}" is not a place`, {
      hint: 'There is one: --daemon here',
    })
  }
  throw new RackError('unsupported', 'the daemon of a rack cannot run inside the account yet', {
    hint: 'Add --daemon here: it then runs on this machine, which has to reach the addresses of the network, as an instance in it does (--vpc), or by a VPN',
  })
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
  const ranges = options
    .list('daemon-from')
    .flatMap((text) => text.split(','))
    .map((range) => range.trim())
  const wrong = ranges.find((range) => parseCidr(range) === null)
  if (wrong !== undefined) {
    throw new RackError('usage', `--daemon-from: "${wrong}" is not a range of addresses`, {
      hint: 'Such as 10.9.8.7/32.',
    })
  }
  return ranges.length > 0 ? ranges : [`${await sourceAddress()}/32`]
}

function readCertificate({ options }: Given, region: string): { certificate?: string } {
  const arn = options.text('certificate')
  if (arn === undefined) return {}
  if (options.text('domain') === undefined) {
    throw new RackError('usage', '--certificate needs --domain too, of which it is')
  }
  const [, found] = /^arn:aws:acm:([a-z0-9-]+):\d{12}:certificate\/[A-Za-z0-9-]+$/.exec(arn) ?? []
  if (found === region) return { certificate: arn }
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
