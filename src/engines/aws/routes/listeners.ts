import type { CreateListenerCommandInput, Listener } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { tlsPolicy } from '../../../aws/tls-policy.ts'
import type { Way } from '../../../domain/ways.ts'
import { pages } from '../look/found.ts'
import { notThere } from '../not-there.ts'
import type { AwsParts } from '../parts.ts'
import { untilKnown } from '../until-known.ts'
import { defaultCertificate } from '../web/default-certificate.ts'
import { balancerIsGone } from './balancer-there.ts'
import { findNetworkBalancer } from './network-balancer.ts'

/** Ports that the security group of the network balancer closes: listeners there wait for their turn. */
const firstWaiting = 60_000
const lastWaiting = 65_535

/** A listener of the network balancer, which leads to one target group. */
export interface FoundListener {
  arn: string
  port: number
  protocol: ListenerProtocol
  group: string
  /** How it ends TLS, where it does. */
  policy: string | null
}

type ListenerProtocol = 'TCP' | 'TLS' | 'UDP'

/** How the network balancer takes a port of its own. Pure. */
export function listenerProtocol({ port }: Pick<Way, 'port'>): ListenerProtocol {
  return port.protocol === 'tls' ? 'TLS' : port.protocol === 'udp' ? 'UDP' : 'TCP'
}

export const isWaitingPort = (port: number): boolean => port >= firstWaiting

export async function findListeners(
  parts: AwsParts,
  control: Pick<Control, 'signal'>,
): Promise<FoundListener[]> {
  const balancer = await findNetworkBalancer(parts, control)
  if (!balancer) return []
  const { clients } = parts
  const { signal } = control
  const found: FoundListener[] = []
  const list = async (Marker?: string) => {
    const input = { LoadBalancerArn: balancer.arn, ...(Marker && { Marker }) }
    const answer = await clients.balancers.describeListeners(input, { abortSignal: signal })
    return { items: answer.Listeners ?? [], nextToken: answer.NextMarker }
  }
  try {
    for await (const listener of pages(list)) found.push(toListener(listener))
  } catch (error) {
    if (!isAwsError(error, ...balancerIsGone)) throw error
    // Somebody has taken it away: it is looked for anew.
    parts.network.balancer = undefined
    return []
  }
  return found
}

function toListener({
  ListenerArn = '',
  Port = 0,
  Protocol,
  DefaultActions = [],
  SslPolicy,
}: Listener): FoundListener {
  const [action] = DefaultActions
  const group = action?.TargetGroupArn ?? action?.ForwardConfig?.TargetGroups?.[0]?.TargetGroupArn ?? ''
  const protocol = Protocol === 'TLS' || Protocol === 'UDP' ? Protocol : 'TCP'
  return { arn: ListenerArn, port: Port, protocol, group, policy: SslPolicy ?? null }
}

/** One on a closed port, by which the targets of a generation are checked before any request. */
export async function makeWaitingListener(
  parts: AwsParts,
  { group, protocol }: Pick<WantedListener, 'group' | 'protocol'>,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  for (;;) {
    const bytes = parts.randomBytes(4)
    const number = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
    const port = firstWaiting + (number % (lastWaiting - firstWaiting + 1))
    try {
      await makeListener(parts, { port, group, protocol }, control)
      return
    } catch (error) {
      if (!isAwsError(error, 'DuplicateListenerException', 'DuplicateListener')) throw error
    }
  }
}

interface WantedListener {
  port: number
  protocol: ListenerProtocol
  /** ARN. */
  group: string
}

/** Gives its ARN. */
async function makeListener(
  parts: AwsParts,
  { port, protocol, group }: WantedListener,
  control: Pick<Control, 'signal'>,
): Promise<string> {
  const balancer = await findNetworkBalancer(parts, control)
  if (!balancer) {
    throw new RackError('engine-failed', 'the network load balancer is gone: somebody has deleted it', {
      hint: 'Deploy again: another one is made then, with another address.',
    })
  }
  const input: CreateListenerCommandInput = {
    LoadBalancerArn: balancer.arn,
    Port: port,
    Protocol: protocol,
    ...(protocol === 'TLS' && {
      Certificates: await ownCertificate(parts, control),
      SslPolicy: tlsPolicy,
    }),
    DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
  }
  const { signal } = control
  const create = async () => await parts.clients.balancers.createListener(input, { abortSignal: signal })
  const { Listeners } = await untilKnown(parts, create, signal)
  return Listeners![0]!.ListenerArn!
}

/** Of the rack's domain: what the web shows to whom it knows no better for. */
async function ownCertificate(
  parts: AwsParts,
  control: Pick<Control, 'signal'>,
): Promise<{ CertificateArn: string }[]> {
  const arn = await defaultCertificate(parts, control)
  if (arn === null) throw notThere('end TLS at a port', 'it has no certificate without a domain')
  return [{ CertificateArn: arn }]
}

/** Leads a port to a group, opening it where it is closed; gives the ARN of the listener where it has made one. */
export async function leadPort(
  parts: AwsParts,
  listeners: readonly FoundListener[],
  wanted: WantedListener,
  control: Pick<Control, 'signal'>,
): Promise<string | null> {
  const { port, protocol, group } = wanted
  const found = listeners.find((listener) => listener.port === port)
  if (!found) return await makeListener(parts, wanted, control)
  if (found.protocol !== protocol) {
    await removeListener(parts, found.arn, control)
    return await makeListener(parts, wanted, control)
  }
  const policy = protocol === 'TLS' ? tlsPolicy : null
  if (found.group === group && found.policy === policy) return null
  await parts.clients.balancers.modifyListener(
    {
      ListenerArn: found.arn,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
      ...(policy !== null && { SslPolicy: policy }),
    },
    { abortSignal: control.signal },
  )
  return null
}

/** Safe to repeat. */
export async function removeListener(
  { clients }: Pick<AwsParts, 'clients'>,
  arn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await clients.balancers.deleteListener({ ListenerArn: arn }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'ListenerNotFoundException', 'ListenerNotFound')) throw error
  }
}
