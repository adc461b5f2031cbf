import { randomUUID } from 'node:crypto'
import type { Output, ResourceStatus, StackEvent, StackStatus, Tag } from '@aws-sdk/client-cloudformation'
import type { FakeAccount } from '../fake-service.ts'
import { type Made, type Policy, resolved, type Template, type Values } from './template.ts'

/** A resource as it stands. */
export interface StackResource {
  name: string
  type: string
  made: Made
  properties: Record<string, unknown>
  /** What becomes of its data when it goes. */
  onDelete: Policy
  /** The same when another one takes its place. */
  onReplace: Policy
}

/** A resource as it was before a change, for the way back. */
export interface TakenBack {
  name: string
  before: StackResource | null
}

/** One stack, what happened to it, and the template that it stands by. */
export class Stack {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  readonly events: StackEvent[] = []
  readonly resources = new Map<string, StackResource>()
  status: StackStatus = 'REVIEW_IN_PROGRESS'
  reason: string | undefined
  /** By which it stands; null in review. */
  template: Template | null = null
  parameters: Record<string, string> = {}
  tags: Tag[] = []
  capabilities: string[] = []
  outputs: Output[] = []
  changeSet: string | undefined
  /** By which its resources are made: the one that was given last (D). */
  role: string | undefined
  isProtected = false
  /** What a rollback that failed has still to take back, newest last. */
  leftToTakeBack: TakenBack[] = []
  updatedAt: Date | undefined
  deletedAt: Date | undefined
  readonly #account: FakeAccount

  constructor(account: FakeAccount, name: string) {
    this.#account = account
    this.name = name
    this.id = `arn:aws:cloudformation:${account.region}:${account.account}:stack/${name}/${randomUUID()}`
    this.createdAt = new Date(account.clock.now())
  }

  get isGone(): boolean {
    return this.status === 'DELETE_COMPLETE'
  }

  get isBusy(): boolean {
    return this.status.endsWith('_IN_PROGRESS') && this.status !== 'REVIEW_IN_PROGRESS'
  }

  become(status: StackStatus, reason?: string): void {
    this.status = status
    this.reason = reason
    const about = { name: this.name, physical: this.id, type: 'AWS::CloudFormation::Stack' }
    this.note(about, status as ResourceStatus, reason)
  }

  note(
    { name, physical, type }: { name: string; physical?: string | undefined; type: string },
    status: ResourceStatus,
    reason?: string,
  ): void {
    this.events.push({
      StackId: this.id,
      StackName: this.name,
      EventId: `${String(this.events.length).padStart(6, '0')}-${randomUUID()}`,
      LogicalResourceId: name,
      PhysicalResourceId: physical,
      ResourceType: type,
      ResourceStatus: status,
      ResourceStatusReason: reason,
      Timestamp: new Date(this.#account.clock.now()),
    })
  }

  /** What references in the stack's template mean now. */
  values(parameters = this.parameters): Values {
    const { region, account } = this.#account
    return {
      parameters,
      pseudo: {
        'AWS::Region': region,
        'AWS::AccountId': account,
        'AWS::Partition': 'aws',
        'AWS::URLSuffix': 'amazonaws.com',
        'AWS::StackName': this.name,
        'AWS::StackId': this.id,
      },
      made: new Map([...this.resources].map(([name, { made }]) => [name, made])),
    }
  }

  settleOutputs(template: Template): void {
    this.outputs = Object.entries(template.outputs).map(([name, { Value, Description }]) => ({
      OutputKey: name,
      OutputValue: resolved(Value, this.values()) as string,
      ...(Description !== undefined && { Description }),
    }))
  }
}
