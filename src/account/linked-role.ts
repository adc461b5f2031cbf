import { isAwsError } from '../aws/errors.ts'
import type { Control } from '../domain/control.ts'
import type { InstallationAccount } from './installation-account.ts'

/**
 * Makes the role as which ECS works in an account. ECS makes it with the first cluster, and mostly cannot be it yet then,
 * so that the cluster fails (D): it is to be there some seconds before. Safe to repeat.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
 */
export async function ensureLinkedRole(
  { roles }: Pick<InstallationAccount, 'roles'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await roles.createServiceLinkedRole({ AWSServiceName: 'ecs.amazonaws.com' }, { abortSignal: signal })
  } catch (error) {
    // AWS says so of one that is there.
    if (!isAwsError(error, 'InvalidInputException')) throw error
  }
}
