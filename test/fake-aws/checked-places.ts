import { type Action, AwsError } from './fake-service.ts'

/** What tasks of the account may stand in and act as. */
export interface KnownPlaces {
  isSubnet(id: string): boolean
  isSecurityGroup(id: string): boolean
  /** By ARN. */
  isRole(arn: string): boolean
}

interface Placed {
  networkConfiguration?: { awsvpcConfiguration?: { subnets?: string[]; securityGroups?: string[] } }
  executionRoleArn?: string
  taskRoleArn?: string
}

const invalid = (message: string) => new AwsError('InvalidParameterException', message)

function assertPlace({ networkConfiguration }: Placed, places: KnownPlaces): void {
  const { subnets = [], securityGroups = [] } = networkConfiguration?.awsvpcConfiguration ?? {}
  const subnet = subnets.find((id) => !places.isSubnet(id))
  if (subnet !== undefined) {
    throw invalid(
      `Error retrieving subnet information for [${subnet}]: The subnet ID '${subnet}' does not exist (ErrorCode: InvalidSubnetID.NotFound)`,
    )
  }
  const group = securityGroups.find((id) => !places.isSecurityGroup(id))
  if (group !== undefined) {
    throw invalid(
      `Error retrieving security group information for [${group}]: The security group '${group}' does not exist (ErrorCode: InvalidGroup.NotFound)`,
    )
  }
}

/** The actions of ECS, which find subnets, groups and roles of a request only where a stack has made them (D: "API failure reasons"). */
export function withKnownPlaces(
  actions: Record<string, Action>,
  places: KnownPlaces,
): Record<string, Action> {
  const checked = (action: string, check: (input: Placed) => void): [string, Action] => [
    action,
    async (input: Placed, call) => {
      check(input)
      return await actions[action]!(input, call)
    },
  ]
  const assertRoles = ({ executionRoleArn, taskRoleArn }: Placed) => {
    for (const arn of [executionRoleArn, taskRoleArn]) {
      if (arn !== undefined && !places.isRole(arn)) throw new AwsError('ClientException', 'Role is not valid')
    }
  }
  const changed = [
    checked('CreateService', (input) => assertPlace(input, places)),
    checked('RunTask', (input) => assertPlace(input, places)),
    checked('RegisterTaskDefinition', assertRoles),
  ]
  return { ...actions, ...Object.fromEntries(changed) }
}
