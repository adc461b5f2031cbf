import * as sdk from '@aws-sdk/client-iam'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

/** A statement of a policy, as a test gives it. */
export interface GivenStatement {
  Effect: 'Allow' | 'Deny'
  Action: string[]
  Resource: string[]
  /** By operator, then by key: looked at where somebody simulates, and holding elsewhere. */
  Condition?: Record<string, Record<string, string | string[]>>
}

export interface GivenPolicy {
  Statement: GivenStatement[]
  /** `organization`: what a service control policy lets through; `boundary`: what a boundary does. */
  limits?: { organization?: GivenStatement[]; boundary?: GivenStatement[] }
}

/** Who may do what, of whom a test has said so. Nobody else is kept from anything, and no call but the question looks here. */
export interface Permissions {
  service: FakeService
  /** To the caller of a key; replaces what it had. */
  give(accessKeyId: string, policy: GivenPolicy): void
}

/** D: "the wildcard * stands for any characters, ? for one"; names of actions know no case. */
function matches(patterns: string[], text: string, flags = ''): boolean {
  return patterns.some((pattern) => {
    const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, flags).test(text)
  })
}

const named = (statements: GivenStatement[], effect: GivenStatement['Effect'], call: [string, string]) =>
  statements.some(
    ({ Effect, Action, Resource }) =>
      Effect === effect && matches(Action, call[0], 'i') && matches(Resource, call[1]),
  )

/** D: "Policy evaluation logic": a denial wins, then the organization, then the boundary, then who allows. */
export function evaluate({ Statement, limits }: GivenPolicy, action: string, resource: string) {
  const call: [string, string] = [action, resource]
  const isWithin = (limit: GivenStatement[] | undefined) =>
    !limit || (named(limit, 'Allow', call) && !named(limit, 'Deny', call))
  const isAllowed = named(Statement, 'Allow', call)
  const [byOrganization, byBoundary] = [isWithin(limits?.organization), isWithin(limits?.boundary)]
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: named(Statement, 'Deny', call)
      ? ('explicitDeny' as const)
      : isAllowed && byOrganization && byBoundary
        ? ('allowed' as const)
        : ('implicitDeny' as const),
    MatchedStatements: [],
    MissingContextValues: [],
    ...(limits?.organization && {
      OrganizationsDecisionDetail: { AllowedByOrganizations: byOrganization },
    }),
    ...(limits?.boundary && {
      PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: byBoundary },
    }),
  } satisfies sdk.EvaluationResult
}

interface Simulated {
  action: string
  resource: string
  ContextEntries: sdk.ContextEntry[]
}

/** D: what a condition needs and nobody has given is told: with the resource, where one is asked about. */
function simulate(
  { Statement, limits = {} }: GivenPolicy,
  { action, resource, ContextEntries }: Simulated,
): sdk.EvaluationResult {
  const given = new Map(ContextEntries.map((each) => [each.ContextKeyName!, each.ContextKeyValues ?? []]))
  const asked = (statements: GivenStatement[]) =>
    statements.filter(({ Condition = {} }) => doesHold(Condition, given))
  const policy = { Statement: asked(Statement), limits }
  const { EvalResourceName: _asked, ...answer } = evaluate(policy, action, resource)
  const keys = Statement.flatMap(({ Condition = {} }) => Object.values(Condition).flatMap(Object.keys))
  const missing = [...new Set(keys)].filter((key) => !given.has(key))
  if (resource === '*') return { ...answer, EvalResourceName: '*', MissingContextValues: missing }
  const specific = {
    EvalResourceName: resource,
    EvalResourceDecision: answer.EvalDecision,
    MissingContextValues: missing,
  }
  return { ...answer, ResourceSpecificResults: [specific] }
}

/** D: a key that is not there holds where the operator ends with `IfExists`, and nowhere else. */
function doesHold(
  conditions: NonNullable<GivenStatement['Condition']>,
  given: ReadonlyMap<string, string[]>,
): boolean {
  return Object.entries(conditions).every(([operator, keys]) => {
    if (!/^(Bool|StringEquals)(IfExists)?$/.test(operator)) throw new NotModelled(`the condition ${operator}`)
    return Object.entries(keys).every(
      ([key, wanted]) =>
        given.get(key)?.some((value) => [wanted].flat().includes(value)) ?? operator.endsWith('IfExists'),
    )
  })
}

const everything: GivenPolicy = { Statement: [{ Effect: 'Allow', Action: ['*'], Resource: ['*'] }] }

export function createPermissions({ account }: FakeAccount): Permissions {
  const given = new Map<string, GivenPolicy>()
  /** Of users, and of the one role that each key has taken on (J). */
  const ownerOf = (arn: string) => {
    const [, key] = new RegExp(`^arn:aws:iam::${account}:(?:user|role)/(?:.*/)?([^/]+)$`).exec(arn) ?? []
    if (key === undefined) throw new AwsError('InvalidInput', `Invalid entity arn: ${arn}`)
    return key
  }
  return {
    give: (accessKeyId, policy) => void given.set(accessKeyId, policy),
    service: {
      scope: 'iam',
      sdk,
      actions: {
        // A role that somebody has taken on is not below the root of names (D: those of IAM Identity Center are not).
        GetRole: async ({ RoleName = '' }: sdk.GetRoleRequest): Promise<sdk.GetRoleResponse> => ({
          Role: {
            Path: '/sessions/',
            RoleName,
            RoleId: `AROA${RoleName}`,
            Arn: `arn:aws:iam::${account}:role/sessions/${RoleName}`,
            CreateDate: new Date(0),
          },
        }),
        SimulatePrincipalPolicy: async (
          input: sdk.SimulatePrincipalPolicyRequest,
        ): Promise<sdk.SimulatePolicyResponse> => {
          const known = ['PolicySourceArn', 'ActionNames', 'ResourceArns', 'ContextEntries']
          assertModelled(input, [...known, 'MaxItems', 'Marker'], 'SimulatePrincipalPolicy')
          const { PolicySourceArn = '', ActionNames = [], ResourceArns = ['*'], ContextEntries = [] } = input
          const [resource = '*', ...others] = ResourceArns
          if (others.length > 0) throw new NotModelled('SimulatePrincipalPolicy of several resources')
          const policy = given.get(ownerOf(PolicySourceArn)) ?? everything
          const patterns = ActionNames.filter((name) => !/^[a-z0-9-]+:[A-Za-z0-9]+$/.test(name))
          // D: ActionNames takes names of API operations; J: a wildcard among them is refused.
          if (patterns.length > 0) throw new AwsError('InvalidInput', `Invalid action: ${patterns[0]}`)
          const results = ActionNames.map((action) => simulate(policy, { action, resource, ContextEntries }))
          // Shorter than AWS's 100, so that there is a next one.
          const { page, next } = paged(results, input.Marker, {
            pageSize: Math.min(input.MaxItems ?? 100, 10),
            key: ({ EvalActionName = '' }) => EvalActionName,
            error: 'InvalidInput',
          })
          return {
            EvaluationResults: page,
            IsTruncated: next !== undefined,
            ...(next !== undefined && { Marker: next }),
          }
        },
      },
    },
  }
}
