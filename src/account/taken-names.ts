import { paginateListPolicies, paginateListRoles, type IAM } from '@aws-sdk/client-iam'
import type { AwsClients } from '../aws/clients.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'

/**
 * Whether a rack of which the Region has no stack may be called so. Names of IAM are of all Regions of an account, and a
 * cluster that is there already would be taken for the rack's own: ECS gives it to whoever makes one of its name (S).
 * @throws exists with all that has its names
 */
export async function assertNamesFree(
  { clients: { ecs }, roles: client }: { clients: Pick<AwsClients, 'ecs'>; roles: IAM },
  rack: string,
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<void> {
  const { clusters = [] } = await ecs.describeClusters({ clusters: [rack] }, { abortSignal })
  const taken = clusters
    // D: one that was deleted is told for a while yet.
    .filter(({ status }) => status !== 'INACTIVE')
    .map(({ clusterName }) => `the cluster ${clusterName} of ECS`)
  const PathPrefix = `/rack/${rack}/`
  for await (const { Roles = [] } of paginateListRoles({ client }, { PathPrefix }, { abortSignal }))
    taken.push(...Roles.map(({ RoleName }) => `the role ${RoleName}`))
  const own = { PathPrefix, Scope: 'Local' as const }
  for await (const { Policies = [] } of paginateListPolicies({ client }, own, { abortSignal }))
    taken.push(...Policies.map(({ PolicyName }) => `the policy ${PolicyName}`))
  if (taken.length === 0) return
  throw new RackError('exists', `the account has what a rack "${rack}" would make: ${taken.join(', ')}`, {
    hint: 'Roles and policies are of all its Regions: another one may have a rack of that name, or what is left of it. Choose another: --name NAME',
    details: { taken },
  })
}
