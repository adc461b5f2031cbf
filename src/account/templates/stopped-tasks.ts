import { att, sub, tagsOf, type Resources } from './template.ts'

/** Where events of stopped tasks go: no app and no service has a name with `_`. */
const logName = (rack: string) => `/rack/${rack}/_stopped`

/** What has stopped is told by ECS for an hour; here it is known for two weeks. */
export function stoppedResources(rack: string): Resources {
  const stopped = 'arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Stopped}'
  const delivery = {
    Effect: 'Allow',
    Principal: { Service: ['events.amazonaws.com', 'delivery.logs.amazonaws.com'] },
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: `${stopped}:*`,
  }
  return {
    Stopped: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: logName(rack), RetentionInDays: 14, Tags: tagsOf(rack) },
    },
    StoppedPolicy: {
      Type: 'AWS::Logs::ResourcePolicy',
      Properties: {
        PolicyName: `rack-${rack}-stopped`,
        PolicyDocument: sub(JSON.stringify({ Version: '2012-10-17', Statement: [delivery] })),
      },
    },
    StoppedTasks: {
      Type: 'AWS::Events::Rule',
      // Without it the first events would be refused.
      DependsOn: 'StoppedPolicy',
      Properties: {
        Description: `tasks of the rack ${rack} that have stopped`,
        EventPattern: {
          source: ['aws.ecs'],
          'detail-type': ['ECS Task State Change'],
          detail: { clusterArn: [att('Cluster', 'Arn')], lastStatus: ['STOPPED'] },
        },
        Targets: [{ Id: 'stopped', Arn: sub(stopped) }],
      },
    },
  }
}
