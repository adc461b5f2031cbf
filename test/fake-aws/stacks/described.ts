import type * as sdk from '@aws-sdk/client-cloudformation'
import type { ChangeSet } from './change-sets.ts'
import type { Stack } from './stack.ts'
import type { Template } from './template.ts'

export function described(stack: Stack): sdk.Stack {
  return {
    StackId: stack.id,
    StackName: stack.name,
    ChangeSetId: stack.changeSet,
    Description: stack.template?.description,
    Parameters: shown(stack.parameters, stack.template),
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    Capabilities: stack.capabilities as sdk.Capability[],
    Outputs: stack.outputs,
    Tags: stack.tags,
    ...(stack.role !== undefined && { RoleARN: stack.role }),
    EnableTerminationProtection: stack.isProtected,
  }
}

export function summary(stack: Stack): sdk.StackSummary {
  return {
    StackId: stack.id,
    StackName: stack.name,
    TemplateDescription: stack.template?.description,
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
  }
}

/** D: what is not to be echoed is four asterisks. */
function shown(values: Record<string, string>, template: Template | null): sdk.Parameter[] {
  return Object.entries(values).map(([ParameterKey, value]) => {
    const isHidden = String(template?.parameters[ParameterKey]?.NoEcho) === 'true'
    return { ParameterKey, ParameterValue: isHidden ? '****' : value }
  })
}

export function describedSet(set: ChangeSet): sdk.DescribeChangeSetOutput {
  return {
    ChangeSetId: set.id,
    ChangeSetName: set.name,
    StackId: set.stack.id,
    StackName: set.stack.name,
    Status: set.status,
    StatusReason: set.reason,
    ExecutionStatus: set.status === 'CREATE_COMPLETE' ? 'AVAILABLE' : 'UNAVAILABLE',
    CreationTime: set.createdAt,
    Changes: set.changes,
    Parameters: shown(set.parameters, set.template),
    Capabilities: set.input.Capabilities,
    Tags: set.input.Tags,
    Description: set.input.Description,
  }
}
