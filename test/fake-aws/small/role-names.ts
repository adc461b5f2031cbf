import type { ListPoliciesRequest, ListRolesRequest, Policy, Role } from '@aws-sdk/client-iam'
import type { FakeService } from '../fake-service.ts'
import { assertModelled } from '../modelled.ts'
import { paged } from '../paging.ts'
import type { Inventory } from '../stacks/models/model.ts'

/** Pages of both are short, so that there is a next one. */
const pageSize = 1

/** What IAM tells of the roles and policies of stacks, by their paths. */
export function createRoleNames(inventory: () => Inventory): FakeService['actions'] {
  const list = (arns: string[], kind: string, { PathPrefix = '/', Marker }: ListRolesRequest) => {
    const found = arns.flatMap((Arn) => {
      const [, Path = '', name = ''] = new RegExp(`:${kind}(/(?:.+/)?)([^/]+)$`).exec(Arn) ?? []
      return Path.startsWith(PathPrefix) ? [{ Arn, Path, name }] : []
    })
    const { page, next } = paged(found, Marker, { pageSize, key: ({ Arn }) => Arn, error: 'InvalidInput' })
    return { page, more: { IsTruncated: next !== undefined, ...(next !== undefined && { Marker: next }) } }
  }
  return {
    async ListRoles(input: ListRolesRequest) {
      assertModelled(input, ['PathPrefix', 'Marker'], 'ListRoles')
      const { page, more } = list([...inventory().roles], 'role', input)
      const Roles = page.map(({ Arn, Path, name }): Role => {
        return { Arn, Path, RoleName: name, RoleId: `AROA${name}`, CreateDate: new Date(0) }
      })
      return { Roles, ...more }
    },
    async ListPolicies({ Scope, ...input }: ListPoliciesRequest) {
      assertModelled(input, ['PathPrefix', 'Marker'], 'ListPolicies')
      const prefix = 'AWS::IAM::ManagedPolicy '
      const arns = [...inventory().there].flatMap((each) =>
        each.startsWith(prefix) ? [each.slice(prefix.length)] : [],
      )
      // D: those of AWS come too, unless it is asked for the account's own.
      const { page, more } = list(
        Scope === 'Local' ? arns : [...arns, 'arn:aws:iam::aws:policy/AdministratorAccess'],
        'policy',
        input,
      )
      return {
        Policies: page.map(({ Arn, Path, name }): Policy => ({ Arn, Path, PolicyName: name })),
        ...more,
      }
    },
  }
}
