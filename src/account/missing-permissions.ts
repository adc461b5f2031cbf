import type { IAM, EvaluationResult } from '@aws-sdk/client-iam'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { isAwsError } from '../aws/errors.ts'
import { mapBounded } from '../lib/semaphore.ts'
import type { Caller } from './caller.ts'
import { questionsOf, type Question } from './asked-actions.ts'
import { installerPermissions } from './installer-policy.ts'

export interface MissingPermission {
  /** As `ecs:CreateCluster`. */
  action: string
  /** An ARN such as it would be, or `*`. */
  resource: string
  /** Who says no, where it is not that nobody says yes. */
  by: 'nobody' | 'a policy that denies it' | 'a permissions boundary' | 'the organization'
}

export interface PermissionCheck {
  missing: MissingPermission[]
  /** Why nothing, or not all, could be asked; null where all was. */
  unknown: string | null
}

/** What IAM says where it does not answer: to whoever may not ask, too often, or what it cannot evaluate. */
const unanswered = ['AccessDenied', 'NoSuchEntity', 'InvalidInput', 'PolicyEvaluation', 'Throttling'].flatMap(
  (name) => [name, `${name}Exception`],
)
const atOnce = 3
const mostResults = 1000

/**
 * Asks the account, before anything is changed, whether the caller may do what an installation does. Each action is
 * asked on what it is judged on.
 */
export async function findMissingPermissions(
  permissions: IAM,
  { caller, rack }: { caller: Caller; rack: string },
  control: Pick<Control, 'signal'>,
): Promise<PermissionCheck> {
  // Whoever the account belongs to may do everything that its organization lets it.
  if (caller.kind === 'root') return { missing: [], unknown: null }
  if (caller.kind === 'federated') {
    return { missing: [], unknown: `the account cannot say what ${caller.name} may do` }
  }
  try {
    const source = await sourceArn(permissions, caller, control)
    const { region, account } = caller
    const scope = { rack, region, account }
    const questions = questionsOf(installerPermissions(scope), scope)
    const found = await mapBounded(questions, atOnce, async (question) => {
      const answers = await simulate(permissions, { source, region, ...question }, control)
      return answers
        .filter(({ EvalDecision }) => EvalDecision !== 'allowed')
        .map((answer) => ({ answer, resource: question.resource, open: openConditions(answer) }))
    })
    const denied = found.flat()
    const missing = denied.filter(({ open }) => open.length === 0).map(missingOf)
    const open = new Set(denied.flatMap((each) => each.open))
    const unknown = open.size > 0 ? `it hangs on ${[...open].toSorted().join(', ')}` : null
    return { missing, unknown }
  } catch (error) {
    control.signal.throwIfAborted()
    // Whether the caller may do the rest is then seen when it does it.
    if (!isAwsError(error, ...unanswered)) throw error
    return { missing: [], unknown: (error as Error).message }
  }
}

/** Names what is missing. @throws engine-failed with all of it */
export function assertPermitted(
  { missing }: PermissionCheck,
  { caller, rack }: { caller: Caller; rack: string },
): void {
  if (missing.length === 0) return
  const lines = missing.map(({ action, resource, by }) => {
    const on = resource === '*' ? '' : ` on ${resource}`
    return `  ${action}${on}${by === 'nobody' ? '' : `: not allowed by ${by}`}`
  })
  throw new RackError(
    'engine-failed',
    `${caller.name} of the account ${caller.account} lacks permissions that an installation needs; nothing was changed\n${lines.join('\n')}`,
    {
      hint: `All that it needs, as a policy: rack install aws --policy --region ${caller.region} --name ${rack}`,
      details: { missing },
    },
  )
}

/** Policies belong to a role, not to its session, whose ARN lacks the role's path. */
async function sourceArn(
  permissions: IAM,
  { kind, arn, name }: Caller,
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  if (kind !== 'role' || !arn.startsWith('arn:aws:sts:')) return arn
  const { Role } = await permissions.getRole(
    { RoleName: name.slice('role/'.length) },
    { abortSignal: signal },
  )
  return Role?.Arn ?? arn
}

async function simulate(
  permissions: IAM,
  { source, region, actions, resource }: Question & { source: string; region: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<EvaluationResult[]> {
  const answers: EvaluationResult[] = []
  let marker: string | undefined
  do {
    const page = await permissions.simulatePrincipalPolicy(
      {
        PolicySourceArn: source,
        ActionNames: actions,
        ResourceArns: [resource],
        ContextEntries: [
          { ContextKeyName: 'aws:RequestedRegion', ContextKeyType: 'string', ContextKeyValues: [region] },
        ],
        MaxItems: mostResults,
        ...(marker && { Marker: marker }),
      },
      { abortSignal: signal },
    )
    answers.push(...(page.EvaluationResults ?? []))
    marker = page.IsTruncated ? page.Marker : undefined
  } while (marker)
  return answers
}

/** Of conditions of the policies those that are known only when it is done, such as whether the caller has shown a second factor. */
function openConditions({
  MissingContextValues = [],
  ResourceSpecificResults = [],
}: EvaluationResult): string[] {
  // D: where a resource is asked about, with it.
  return [
    ...MissingContextValues,
    ...ResourceSpecificResults.flatMap((each) => each.MissingContextValues ?? []),
  ]
}

function missingOf({ answer, resource }: { answer: EvaluationResult; resource: string }): MissingPermission {
  return { action: answer.EvalActionName ?? '', resource, by: whoDenies(answer) }
}

function whoDenies(answer: EvaluationResult): MissingPermission['by'] {
  if (answer.OrganizationsDecisionDetail?.AllowedByOrganizations === false) return 'the organization'
  if (answer.PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false) {
    return 'a permissions boundary'
  }
  return answer.EvalDecision === 'explicitDeny' ? 'a policy that denies it' : 'nobody'
}
