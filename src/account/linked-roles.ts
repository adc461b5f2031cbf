import { isAwsError } from '../aws/errors.ts'
import type { Control } from '../domain/control.ts'
import type { InstallationAccount } from './installation-account.ts'

/** Of which a rack is made, and which work in an account as a role of its own. */
const services = ['ecs', 'elasticloadbalancing', 'rds', 'elasticache']

/**
 * Makes the roles as which services of AWS work in an account. Each makes its own at its first call, and mostly cannot be
 * it yet then, so that the cluster or the database fails (D): they are to be there some seconds before. What the account
 * does not let be made is told, since it may be there. Safe to repeat.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAM.ServiceLinkedRoles.html
 */
export async function ensureLinkedRoles(
  { roles }: Pick<InstallationAccount, 'roles'>,
  { signal, report }: Control,
): Promise<void> {
  for (const service of services) {
    const order = { AWSServiceName: `${service}.amazonaws.com` }
    try {
      await roles.createServiceLinkedRole(order, { abortSignal: signal })
    } catch (error) {
      // AWS says so of one that is there.
      if (isAwsError(error, 'InvalidInputException', 'InvalidInput')) continue
      if (!isAwsError(error, 'AccessDenied', 'AccessDeniedException')) throw error
      const text = `whether the account has the role of ${service} is not known: ${(error as Error).message}`
      report({ type: 'log', text, time: new Date().toISOString() })
    }
  }
}
