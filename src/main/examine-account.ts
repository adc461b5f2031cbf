import { createClients, type AwsClients } from '../aws/clients.ts'
import { readCaller } from '../account/caller.ts'
import { readStoreHealth } from '../account/store-health.ts'
import { isAwsError } from '../aws/errors.ts'
import { webStackPrefix, type AwsPlaces, type WebBalancer } from '../domain/aws-places.ts'
import { RackError } from '../domain/error.ts'
import { ownCertificates } from '../engines/aws/certificates/own-certificates.ts'
import { usualIntervals } from '../engines/aws/parts.ts'
import { isBalancerThere } from '../engines/aws/routes/balancer-there.ts'
import { lookForBalancer, lostBalancer } from '../engines/aws/routes/network-balancer.ts'
import { findRackStacks } from '../engines/aws/look/rack-stacks.ts'
import { balancerOf } from '../engines/aws/web/web-balancers.ts'
import type { Finding } from '../host/finding.ts'
import type { AwsInstallation } from '../host/installation.ts'
import { certificateFindings } from './certificate-findings.ts'
import { storeFindings } from './store-findings.ts'

const answerDeadlineMs = 30_000

type ExaminedRack = Pick<AwsInstallation, 'name' | 'places' | 'domain'>

/** Looks at what a rack has in its account, by the credentials that are in the environment. */
export async function examineAccount(rack: ExaminedRack): Promise<Finding[]> {
  const { name, places } = rack
  const clients = createClients({ region: places.region })
  try {
    const caller = await examineCaller(clients, places)
    // Whoever may not call, or calls another account, sees nothing of this one.
    if (caller.status === 'bad') return [caller]
    const checks = placeChecks(clients, name, places)
    const found = await Promise.all(checks.map((check) => examinePlace(check)))
    const ports = await examinePorts(clients, name, places)
    const further = await examineFurther(clients, name)
    const store = await examineStore(clients, name)
    return [caller, ...found, ...ports, ...further, ...store, ...(await examineCertificates(clients, rack))]
  } finally {
    clients.close()
  }
}

const inTime = () => ({ abortSignal: AbortSignal.timeout(answerDeadlineMs) })

async function examineCaller({ identity }: AwsClients, { account, region }: AwsPlaces): Promise<Finding> {
  const check = 'credentials'
  try {
    const signal = AbortSignal.timeout(answerDeadlineMs)
    const caller = await readCaller(identity, region, { signal })
    if (caller.account === account)
      return { check, status: 'good', detail: `${caller.arn} in ${account}, ${region}` }
    const detail = `${caller.arn} is of account ${caller.account}, and the rack is in ${account}`
    const fix =
      'See as whom this is called: aws sts get-caller-identity; then choose: export AWS_PROFILE=NAME'
    return { check, status: 'bad', detail, fix }
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    const reach = `See whether this machine reaches AWS: curl -sS https://sts.${region}.amazonaws.com`
    return { check, status: 'bad', detail: error.message, fix: error.hint ?? reach }
  }
}

/** The balancer of ports of their own; nothing where the rack has had none. */
async function examinePorts(clients: AwsClients, rack: string, places: AwsPlaces): Promise<Finding[]> {
  const check = 'balancer'
  const parts = { clients, rack, places, network: { balancer: undefined }, intervals: usualIntervals }
  try {
    const signal = AbortSignal.timeout(answerDeadlineMs)
    const { balancer, lost } = await lookForBalancer(parts, { signal })
    if (balancer) return [{ check, status: 'good', detail: `the network load balancer ${balancer.host}` }]
    if (!lost) return []
    const fix =
      'Deploy an app with a port of tcp, tls or udp: another one is made, whose address is told. What it costs: rack releases promote --plan'
    return [{ check, status: 'bad', detail: lostBalancer(lost), fix }]
  } catch (error) {
    return [unanswered(check, error)]
  }
}

/** Balancers of the web that were made since the installation. */
async function examineFurther(clients: AwsClients, rack: string): Promise<Finding[]> {
  const check = 'balancer'
  const examine = async (balancer: WebBalancer): Promise<Finding> => {
    const detail = `the load balancer ${balancer.host}`
    if (await isBalancerThere({ clients }, balancer, { signal: AbortSignal.timeout(answerDeadlineMs) }))
      return { check, status: 'good', detail }
    const fix = 'Deploy an app that was behind it again: another one is made, whose address is told'
    return { check, status: 'bad', detail: `somebody has deleted ${detail}`, fix }
  }
  try {
    const signal = AbortSignal.timeout(answerDeadlineMs)
    const stacks = await findRackStacks({ clients, rack }, webStackPrefix(rack), { signal })
    return await Promise.all(stacks.flatMap((stack) => balancerOf(stack) ?? []).map(examine))
  } catch (error) {
    return [unanswered(check, error)]
  }
}

/** Of a daemon inside the account; of another one there is none. */
async function examineStore(clients: AwsClients, rack: string): Promise<Finding[]> {
  try {
    const health = await readStoreHealth(clients, rack, { signal: AbortSignal.timeout(answerDeadlineMs) })
    return health === null ? [] : storeFindings(health)
  } catch (error) {
    return [unanswered('store', error)]
  }
}

async function examineCertificates(
  clients: AwsClients,
  { name, places, domain }: ExaminedRack,
): Promise<Finding[]> {
  try {
    const signal = AbortSignal.timeout(answerDeadlineMs)
    const own = await ownCertificates({ clients, rack: name }, { signal })
    return certificateFindings(own, { domain, host: places.balancer.host })
  } catch (error) {
    return [unanswered('certificate', error)]
  }
}

/** @throws what is none of ours */
function unanswered(check: string, error: unknown): Finding {
  if (!(error instanceof RackError)) throw error
  return { check, status: 'bad', detail: error.message, ...(error.hint && { fix: error.hint }) }
}

interface PlaceCheck {
  check: string
  /** What is looked for. */
  what: string
  /** Whether it is there, and as it should be. */
  isThere: () => Promise<boolean>
}

/** Of what the rack's stacks have made, what every deploy stands on. */
function placeChecks(clients: AwsClients, rack: string, places: AwsPlaces): PlaceCheck[] {
  const { cluster, balancer, bucket, zone, namespace, fileSystem } = places
  return [
    {
      check: 'cluster',
      what: `the ECS cluster ${cluster}`,
      async isThere() {
        const { clusters = [] } = await clients.ecs.describeClusters({ clusters: [cluster] }, inTime())
        return clusters.some(({ status }) => status === 'ACTIVE')
      },
    },
    balancerCheck(clients, balancer),
    {
      check: 'bucket',
      what: `the bucket ${bucket}`,
      async isThere() {
        await clients.objects.listObjectsV2({ Bucket: bucket, Prefix: 'rack/', MaxKeys: 1 }, inTime())
        return true
      },
    },
    {
      check: 'names',
      what: `the zone ${zone}, of ${rack}.internal`,
      async isThere() {
        await clients.zones.listResourceRecordSets({ HostedZoneId: zone, MaxItems: 1 }, inTime())
        return true
      },
    },
    {
      check: 'names',
      what: `the namespace ${namespace}, of members.${rack}.internal`,
      async isThere() {
        const Filters = [{ Name: 'NAMESPACE_ID' as const, Values: [namespace], Condition: 'EQ' as const }]
        await clients.discovery.listServices({ Filters, MaxResults: 1 }, inTime())
        return true
      },
    },
    {
      check: 'volumes',
      what: `the file system ${fileSystem}`,
      async isThere() {
        await clients.files.describeAccessPoints({ FileSystemId: fileSystem, MaxResults: 1 }, inTime())
        return true
      },
    },
  ]
}

function balancerCheck({ balancers }: AwsClients, { arn, host }: AwsPlaces['balancer']): PlaceCheck {
  return {
    check: 'balancer',
    what: `the load balancer ${host}`,
    async isThere() {
      const asked = { LoadBalancerArns: [arn] }
      const { LoadBalancers = [] } = await balancers.describeLoadBalancers(asked, inTime())
      return LoadBalancers.some(({ DNSName }) => DNSName === host)
    },
  }
}

const goneNames = [
  'ClusterNotFoundException',
  'LoadBalancerNotFoundException',
  'LoadBalancerNotFound',
  'NoSuchBucket',
  'NoSuchHostedZone',
  'NamespaceNotFound',
  'FileSystemNotFound',
]

async function examinePlace({ check, what, isThere }: PlaceCheck): Promise<Finding> {
  try {
    if (await isThere()) return { check, status: 'good', detail: what }
  } catch (error) {
    if (!(error instanceof RackError) || !isAwsError(error, ...goneNames)) return unanswered(check, error)
  }
  const detail = `${what} is gone: somebody has removed it, or changed the rack's stacks by hand`
  return { check, status: 'bad', detail, fix: 'See what its stacks lack: CloudFormation, "Detect drift"' }
}
