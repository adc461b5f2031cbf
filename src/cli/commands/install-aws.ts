import type { CommandSpec } from '../command-spec.ts'
import { defaultRackName } from '../find-installation.ts'

/** `rack install aws`. What does the work is loaded when it is asked for: the SDK is large. */
export const installAws: CommandSpec = {
  name: 'aws',
  summary: 'install a rack whose processes run in your AWS account',
  description: [
    'Makes two CloudFormation stacks, rack-NAME-base and rack-NAME: a network of its own unless --vpc names one, a key, a',
    'bucket, a file system, names, an ECS cluster, a load balancer. The daemon is a service in the account, with a database',
    'for what it knows, and builds are made there; or, with --daemon here, it runs on this machine, which then has to reach',
    'the addresses of that network. docs/aws.md says what it costs and how to leave.',
    'Credentials are those of the AWS CLI. Shows who calls, all that it would make and an estimate, and asks, unless --yes.',
    'Interrupted, what the account makes goes on being made: the same command goes on with it.',
  ].join('\n'),
  examples: [
    'install aws --region eu-west-1 --plan',
    'install aws --region eu-west-1 --policy > policy.json',
    'install aws --region eu-west-1 --domain apps.example.com --api-allow 203.0.113.0/24',
    'install aws --region eu-west-1 --daemon here --vpc vpc-0a1b --subnets subnet-0a,subnet-0b --domain apps.example.com',
  ],
  options: [
    { flags: '--region <region>', meaning: 'where it is to stand, such as eu-west-1' },
    { flags: '--name <name>', meaning: `the rack's name ("${defaultRackName}")` },
    {
      flags: '--api-allow <ranges>',
      meaning: 'from which addresses alone the API of the daemon is reached: four ranges at most',
      multiple: true,
    },
    {
      flags: '--node-image <image>',
      meaning: 'with Node 24, that anybody may pull: what the image of the daemon is made on',
    },
    { flags: '--daemon <where>', meaning: 'here: on this machine, not in the account' },
    {
      flags: '--daemon-from <ranges>',
      meaning:
        'from which addresses this machine comes to the network (its own towards it, as in 10.9.8.7/32)',
      multiple: true,
    },
    { flags: '--plan', meaning: 'show all that it would make, with an estimate, and change nothing' },
    { flags: '--policy', meaning: 'print the IAM policy that it needs, and ask nobody' },
    { flags: '--vpc <id>', meaning: 'a network of yours, with --subnets' },
    { flags: '--subnets <ids>', meaning: 'of it, where processes run: two or more, one a zone' },
    { flags: '--balancer-subnets <ids>', meaning: 'where the load balancer stands, if elsewhere' },
    { flags: '--private', meaning: 'its subnets have a way out: processes get no public address' },
    { flags: '--nat', meaning: 'processes of a network of its own have no public address' },
    { flags: '--ports', meaning: 'a second load balancer at once, for external tcp, tls and udp ports' },
    { flags: '--cpu <units>', meaning: 'what apps may have in total; 1024 units are a vCPU (8192)' },
    { flags: '--memory <size>', meaning: 'what apps may have in total, such as 4g (16g)' },
    { flags: '--domain <domain>', meaning: 'apps are reached as <app>.<domain> (NAME.internal)' },
    { flags: '--certificate <arn>', meaning: 'of ACM, issued for *.DOMAIN: apps are reached by TLS' },
    { flags: '--permissions-boundary <arn>', meaning: 'a policy that bounds every role that it makes' },
    { flags: '--dir <directory>', meaning: 'where the files of a daemon that is here lie' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'nothing',
  async run(session) {
    const { installInAccount } = await import('../account/install-in-account.ts')
    return await installInAccount(session)
  },
}
