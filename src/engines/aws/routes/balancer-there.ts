import { isAwsError } from '../../../aws/errors.ts'
import type { Control } from '../../../domain/control.ts'
import type { AwsParts } from '../parts.ts'

/** How AWS says that there is no such balancer. */
export const balancerIsGone = ['LoadBalancerNotFoundException', 'LoadBalancerNotFound']

/** Whether a balancer is there, of whatever kind: somebody may have deleted it, and left its stack. */
export async function isBalancerThere(
  { clients }: Pick<AwsParts, 'clients'>,
  { arn }: { arn: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  try {
    await clients.balancers.describeLoadBalancers({ LoadBalancerArns: [arn] }, { abortSignal: signal })
    return true
  } catch (error) {
    if (isAwsError(error, ...balancerIsGone)) return false
    throw error
  }
}
