import type { CloudFormation } from '@aws-sdk/client-cloudformation'
import type { Control } from '../domain/control.ts'

export interface StackOptions {
  stacks: CloudFormation
  /** How often a stack is asked how far it is, ms. */
  intervalMs: number
  /** What a change of a stack may take, ms; ten minutes when absent. */
  deadlineMs?: number
  /** ARN of the role by which CloudFormation makes what is in them; as whoever calls it when absent. */
  role?: string
  /**
   * Names of resources that a rollback leaves as they are where it would stay stuck on them; the next change brings them
   * to what the template says.
   */
  mayBeSkipped?: readonly string[]
}

/** Who reports hears of each event of a stack while it is waited for. */
export type StackControl = Pick<Control, 'signal'> & Partial<Pick<Control, 'report'>>

export const usualDeadlineMs = 600_000
