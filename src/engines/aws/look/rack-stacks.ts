import type { Stack } from '@aws-sdk/client-cloudformation'
import { isBusy, outputsOf } from '../../../aws/stack-state.ts'
import type { Control } from '../../../domain/control.ts'
import { readAwsTags } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { pages } from './found.ts'

export interface RackStack {
  /** What follows the prefix in its name. */
  word: string
  outputs: Record<string, string>
  isBusy: boolean
}

/** The rack's stacks of which the names begin so. */
export async function findRackStacks(
  { clients, rack }: Pick<AwsParts, 'clients' | 'rack'>,
  prefix: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<RackStack[]> {
  const list = async (NextToken?: string) => {
    const answer = await clients.stacks.describeStacks(
      { ...(NextToken && { NextToken }) },
      { abortSignal: signal },
    )
    return { items: answer.Stacks ?? [], nextToken: answer.NextToken }
  }
  const all = await Array.fromAsync(pages(list))
  // The name of another rack may begin like one of our stacks.
  const isOwn = ({ Tags }: Stack) => readAwsTags(Tags).rack === rack
  return all.flatMap((stack) => {
    const { StackName = '' } = stack
    if (!StackName.startsWith(prefix) || !isOwn(stack)) return []
    return [{ word: StackName.slice(prefix.length), outputs: outputsOf(stack), isBusy: isBusy(stack) }]
  })
}
