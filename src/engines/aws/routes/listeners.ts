import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Control } from '../../../domain/control.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { pages } from '../look/found.ts'
import { notThere } from '../not-there.ts'
import type { AwsParts } from '../parts.ts'

/** Ports that the security group of the network balancer closes: listeners there wait for their turn. */
const firstWaiting = 60_000
const lastWaiting = 65_535

/** A listener of the network balancer, which leads to one target group. */
export interface FoundListener {
  arn: string
  port: number
  group: string
}

export const isWaitingPort = (port: number): boolean => port >= firstWaiting

export async function findListeners(
  { clients, places }: AwsParts,
  { signal }: Pick<Control, 'signal'>,
): Promise<FoundListener[]> {
  const balancer = places.networkBalancer
  if (!balancer) return []
  const found: FoundListener[] = []
  const list = async (Marker?: string) => {
    const input = { LoadBalancerArn: balancer.arn, ...(Marker && { Marker }) }
    const answer = await clients.balancers.describeListeners(input, { abortSignal: signal })
    return { items: answer.Listeners ?? [], nextToken: answer.NextMarker }
  }
  for await (const listener of pages(list)) found.push(toListener(listener))
  return found
}

function toListener({ ListenerArn = '', Port = 0, DefaultActions = [] }: Listener): FoundListener {
  const [action] = DefaultActions
  const group = action?.TargetGroupArn ?? action?.ForwardConfig?.TargetGroups?.[0]?.TargetGroupArn ?? ''
  return { arn: ListenerArn, port: Port, group }
}

/** One on a closed port, by which the targets of a generation are checked before any request. */
export async function makeWaitingListener(
  parts: AwsParts,
  group: string,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  for (;;) {
    const bytes = parts.randomBytes(4)
    const number = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
    const port = firstWaiting + (number % (lastWaiting - firstWaiting + 1))
    try {
      return await makeListener(parts, { port, group }, control)
    } catch (error) {
      if (!isAwsError(error, 'DuplicateListenerException', 'DuplicateListener')) throw error
    }
  }
}

async function makeListener(
  { clients, places }: AwsParts,
  { port, group }: { port: number; group: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  if (!places.networkBalancer) throw notThere(`open port ${port}`, 'it has no network balancer yet')
  await clients.balancers.createListener(
    {
      LoadBalancerArn: places.networkBalancer.arn,
      Port: port,
      Protocol: 'TCP',
      DefaultActions: [{ Type: 'forward', TargetGroupArn: group }],
    },
    { abortSignal: signal },
  )
}

/** Leads a port to a group, opening it where it is closed. */
export async function leadPort(
  parts: AwsParts,
  listeners: readonly FoundListener[],
  { port, group }: { port: number; group: string },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const found = listeners.find((listener) => listener.port === port)
  if (!found) return await makeListener(parts, { port, group }, control)
  if (found.group === group) return
  await parts.clients.balancers.modifyListener(
    { ListenerArn: found.arn, DefaultActions: [{ Type: 'forward', TargetGroupArn: group }] },
    { abortSignal: control.signal },
  )
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
