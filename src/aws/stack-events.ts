import type { StackEvent } from '@aws-sdk/client-cloudformation'
import type { Control } from '../domain/control.ts'
import { isAwsError } from './errors.ts'
import type { StackControl, StackOptions } from './stack-options.ts'

const ownType = 'AWS::CloudFormation::Stack'

/** Where the newest operation began; a rollback that is continued belongs to it. */
function isBeginning(event: StackEvent): boolean {
  const isOwn = event.ResourceType === ownType && event.PhysicalResourceId === event.StackId
  const isBegun = /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(event.ResourceStatus ?? '')
  return isOwn && isBegun
}

/** Events of the newest operation, oldest first, up to those that are known already. */
async function newestEvents(
  { stacks }: StackOptions,
  nameOrId: string,
  known: ReadonlySet<string>,
  { signal }: StackControl,
): Promise<StackEvent[]> {
  const found: StackEvent[] = []
  let token: string | undefined
  do {
    const input = { StackName: nameOrId, ...(token && { NextToken: token }) }
    const page = await stacks.describeStackEvents(input, { abortSignal: signal })
    for (const event of page.StackEvents ?? []) {
      if (known.has(event.EventId ?? '')) return found.toReversed()
      found.push(event)
      if (isBeginning(event)) return found.toReversed()
    }
    token = page.NextToken
  } while (token)
  return found.toReversed()
}

/** Reports what happens to a stack, each event once. */
export function createEventTeller(
  options: StackOptions,
  nameOrId: string,
): (control: StackControl) => Promise<void> {
  const known = new Set<string>()
  return async (control) => {
    if (!control.report) return
    try {
      for (const event of await newestEvents(options, nameOrId, known, control)) {
        known.add(event.EventId!)
        tell(event, control.report)
      }
    } catch (error) {
      // It has gone meanwhile.
      if (!isAwsError(error, 'ValidationError')) throw error
    }
  }
}

/** In AWS's own words, so that they are found in its pages. */
function tell(event: StackEvent, report: Control['report']): void {
  const { StackName, LogicalResourceId, ResourceStatus, ResourceStatusReason: reason, Timestamp } = event
  const words = [`${StackName}: ${LogicalResourceId} ${ResourceStatus}`, ...(reason ? [reason] : [])]
  report({ type: 'log', text: words.join(', '), time: (Timestamp ?? new Date()).toISOString() })
}

/** What failed in the newest operation, oldest first. */
export async function failuresOf(
  options: StackOptions,
  nameOrId: string,
  control: StackControl,
): Promise<StackEvent[]> {
  const events = await newestEvents(options, nameOrId, new Set(), control)
  return events.filter(
    ({ ResourceStatus = '', ResourceType }) => ResourceStatus.endsWith('_FAILED') && ResourceType !== ownType,
  )
}

export interface KeptResource {
  /** As CloudFormation calls it: `AWS::S3::Bucket`. */
  type: string
  /** Its own name in the account. */
  id: string
}

/** What a resource of a stack was called when its newest operation met it; null where there was none. */
export async function nameInEvents(
  options: StackOptions,
  { id, resource }: { id: string; resource: string },
  control: StackControl,
): Promise<string | null> {
  const events = await newestEvents(options, id, new Set(), control)
  const found = events.find(
    ({ LogicalResourceId, PhysicalResourceId }) => LogicalResourceId === resource && PhysicalResourceId,
  )
  return found?.PhysicalResourceId ?? null
}

/** What the removal of a stack left where it is. */
export async function keptResources(
  options: StackOptions,
  id: string,
  control: StackControl,
): Promise<KeptResource[]> {
  const events = await newestEvents(options, id, new Set(), control)
  return events
    .filter(({ ResourceStatus }) => ResourceStatus === 'DELETE_SKIPPED')
    .map(({ ResourceType = '', PhysicalResourceId = '' }) => ({ type: ResourceType, id: PhysicalResourceId }))
}
