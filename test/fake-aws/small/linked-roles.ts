import type { CreateServiceLinkedRoleRequest, CreateServiceLinkedRoleResponse } from '@aws-sdk/client-iam'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { assertModelled } from '../modelled.ts'

/** Roles as which services of AWS work in an account. */
export interface LinkedRoles {
  actions: FakeService['actions']
  /** A service works as its role, which it makes where it is missing. @throws where it cannot be that one yet */
  assume(service: string): void
}

/** D: what they are called. */
const names: Record<string, string> = {
  'ecs.amazonaws.com': 'AWSServiceRoleForECS',
  'elasticloadbalancing.amazonaws.com': 'AWSServiceRoleForElasticLoadBalancing',
  'rds.amazonaws.com': 'AWSServiceRoleForRDS',
  'elasticache.amazonaws.com': 'AWSServiceRoleForElastiCache',
}
/** What is told of stacks of a new account: D: reports of 2021-03-23 and 2025-05-01; terraform-aws-modules/terraform-aws-rds, 364. */
const told: Record<string, string> = {
  'ecs.amazonaws.com':
    'Invalid request provided: CreateCluster Invalid Request: Unable to assume the service linked role. Please verify that the ECS service linked role exists.',
  'rds.amazonaws.com': 'Missing necessary credentials.',
}
/** D: a role is known everywhere some seconds later; J: how many. */
const knownAfterMs = 10_000

/** @param isThere whether the account has them from the start: one in which nothing was ever run has none */
export function createLinkedRoles({ account, clock }: FakeAccount, isThere: boolean): LinkedRoles {
  const made = new Map(isThere ? Object.keys(names).map((service) => [service, -Infinity]) : [])
  return {
    actions: {
      async CreateServiceLinkedRole(
        input: CreateServiceLinkedRoleRequest,
      ): Promise<CreateServiceLinkedRoleResponse> {
        assertModelled(input, ['AWSServiceName'], 'CreateServiceLinkedRole')
        const service = input.AWSServiceName!
        const RoleName = names[service]
        if (RoleName === undefined)
          throw new AwsError('NotModelledException', `the fake account has no role of ${service}`)
        // D: reports of 2020-01-31 and others.
        if (made.has(service)) {
          const message = `Service role name ${RoleName} has been taken in this account, please try a different suffix.`
          throw new AwsError('InvalidInputException', message)
        }
        made.set(service, clock.now())
        const Path = `/aws-service-role/${service}/`
        const Arn = `arn:aws:iam::${account}:role${Path}${RoleName}`
        return { Role: { Path, RoleName, RoleId: `AROA${RoleName}`, Arn, CreateDate: new Date(clock.now()) } }
      },
    },
    assume(service) {
      if (!made.has(service)) made.set(service, clock.now())
      if (clock.now() - made.get(service)! >= knownAfterMs) return
      throw new Error(told[service])
    },
  }
}
