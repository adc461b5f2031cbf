import type { FakeClock } from '../clock.ts'
import type { FakeAccount } from '../fake-service.ts'
import type { Repositories } from '../small/images.ts'
import type { LogGroups } from '../small/logs.ts'
import { hex, ingressOf, text, type Inventory, type Properties, type ResourceModel } from './models/model.ts'
import { apiModels } from './models/api.ts'
import { daemonModels, type EcsLinks } from './models/daemon.ts'
import { networkModels } from './models/network.ts'
import { rackModels, type RackLinks } from './models/rack.ts'
import { storageModels, type StorageLinks } from './models/storage.ts'

export interface ResourceLinks {
  account: FakeAccount
  logGroups: LogGroups
  repositories: Repositories
  /** Whether a task stands in it. */
  usesSecurityGroup: (id: string) => boolean
  /** Of types that other rooms of the fake have. */
  models?: Record<string, ResourceModel>
  /** What the stacks of an installation are made in; without it there are the types of an app's stack, and those given. */
  installation?: Omit<RackLinks & StorageLinks, 'account' | 'logGroups'> & {
    ecsActions: EcsLinks['actions']
  }
}

/** The types of our templates; there are no others here. */
export function createModels(
  { account, logGroups, repositories, usesSecurityGroup, installation, models = {} }: ResourceLinks,
  inventory: Inventory,
): Record<string, ResourceModel> {
  const links = installation && { ...installation, account, logGroups }
  return {
    ...(links && {
      ...networkModels(inventory),
      ...storageModels(links, inventory),
      ...rackModels(links, inventory),
      ...apiModels(links.balancers),
      ...daemonModels({ account, actions: links.ecsActions }, inventory),
    }),
    'AWS::Logs::LogGroup': logGroup(logGroups),
    'AWS::ECR::Repository': repository(repositories),
    'AWS::EC2::SecurityGroup': securityGroup(account.clock, inventory, usesSecurityGroup),
    'AWS::EC2::SecurityGroupIngress': ingress(inventory),
    'AWS::IAM::Role': role(account, inventory),
    ...models,
  }
}

function logGroup(groups: LogGroups): ResourceModel {
  const days = ({ RetentionInDays }: Properties) =>
    RetentionInDays === undefined ? undefined : Number(RetentionInDays)
  return {
    takesMs: 2000,
    named: 'LogGroupName',
    create(properties, generated) {
      const name = text(properties['LogGroupName']) ?? generated
      groups.create(name, days(properties))
      return { physical: name, attributes: { Arn: groups.arn(name) } }
    },
    update: ({ physical }, properties) => groups.setRetention(physical, days(properties)),
    delete: ({ physical }) => groups.delete(physical),
  }
}

function repository(repositories: Repositories): ResourceModel {
  return {
    takesMs: 3000,
    named: 'RepositoryName',
    create(properties, generated) {
      const name = text(properties['RepositoryName']) ?? generated.toLowerCase()
      repositories.create(name)
      const { arn, uri } = repositories.about(name)
      return { physical: name, attributes: { Arn: arn, RepositoryUri: uri } }
    },
    update: () => {},
    delete: ({ physical }, { EmptyOnDelete }) =>
      repositories.delete(physical, { isForced: String(EmptyOnDelete) === 'true' }),
  }
}

/** S: characters of a description. */
const description = /^[\w .:/()#,@[\]+=&;{}!$*-]{1,255}$/

/** J: how long a group is tried again that something still stands in. */
const groupPatienceMs = 600_000
const groupIntervalMs = 5000

function securityGroup(
  clock: FakeClock,
  { securityGroups, ingress: open }: Inventory,
  isUsed: ResourceLinks['usesSecurityGroup'],
): ResourceModel {
  const letIn = (id: string, { SecurityGroupIngress }: Properties) => {
    const rules = (SecurityGroupIngress ?? []) as Properties[]
    open.set(
      id,
      rules.flatMap((rule) => ingressOf(id, rule) ?? []),
    )
  }
  return {
    takesMs: 6000,
    named: 'GroupName',
    create(properties) {
      if (!description.test(text(properties['GroupDescription']) ?? ''))
        throw new Error('Invalid security group description.')
      const id = `sg-${hex(8)}0`
      securityGroups.add(id)
      letIn(id, properties)
      return {
        physical: id,
        attributes: { GroupId: id, Id: id, VpcId: text(properties['VpcId']) ?? 'vpc-default' },
      }
    },
    update: ({ physical }, properties) => letIn(physical, properties),
    // D: "Delete stack fails": a group that something stands in cannot go, and is tried again for a while.
    async delete({ physical }) {
      const until = clock.now() + groupPatienceMs
      while (isUsed(physical)) {
        if (clock.now() > until) throw new Error(`resource ${physical} has a dependent object`)
        await clock.pass(groupIntervalMs)
      }
      securityGroups.delete(physical)
      open.delete(physical)
    },
  }
}

/** D: rules of a group, those of IPv4 and of IPv6 apart. */
const mostRules = 60

function ingress({ securityGroups, ingress: open }: Inventory): ResourceModel {
  return {
    takesMs: 2000,
    create(properties) {
      const group = text(properties['GroupId']) ?? ''
      if (!securityGroups.has(group)) throw new Error(`The security group '${group}' does not exist`)
      const id = `sgr-${hex(8)}0`
      const rule = ingressOf(group, properties)
      if (rule) {
        const own = [...open.values()].flat().filter((other) => other.group === group)
        // D: InvalidPermission.Duplicate.
        if (own.some((other) => JSON.stringify(other) === JSON.stringify(rule)))
          throw new Error('the specified rule already exists')
        const isSix = rule.range.includes(':')
        // D: RulesPerSecurityGroupLimitExceeded.
        if (own.filter(({ range }) => range.includes(':') === isSix).length >= mostRules)
          throw new Error('The maximum number of rules per security group has been reached.')
        open.set(id, [rule])
      }
      return { physical: id, attributes: { Id: id } }
    },
    // D: all that such a rule says replaces it.
    update: () => {},
    delete: ({ physical }) => void open.delete(physical),
  }
}

function role({ account }: FakeAccount, { roles }: Inventory): ResourceModel {
  return {
    takesMs: 18_000,
    named: 'RoleName',
    create(properties, generated) {
      const name = text(properties['RoleName']) ?? generated
      // S: length and pattern of a role's name.
      if (!/^[\w+=,.@-]{1,64}$/.test(name))
        throw new Error(`${name} is no name of a role: 1 to 64 characters`)
      const isTaken = [...roles].some((arn) => arn.endsWith(`/${name}`))
      if (isTaken)
        throw new Error(`Resource of type 'AWS::IAM::Role' with identifier '${name}' already exists.`)
      const arn = `arn:aws:iam::${account}:role${text(properties['Path']) ?? '/'}${name}`
      assertPolicies(properties)
      roles.add(arn)
      return { physical: name, attributes: { Arn: arn, RoleId: `AROA${hex(8).toUpperCase()}` } }
    },
    update: (_made, properties) => assertPolicies(properties),
    delete: ({ attributes }) => void roles.delete(attributes['Arn']!),
  }
}

/** D: "IAM and AWS STS quotas": inline policies of a role, white space apart. */
const longestPolicies = 10_240

function assertPolicies({ Policies }: Properties): void {
  const policies = (Policies ?? []) as { PolicyDocument: unknown }[]
  const length = policies.reduce((sum, { PolicyDocument }) => sum + JSON.stringify(PolicyDocument).length, 0)
  if (length > longestPolicies)
    throw new Error(`Maximum policy size of ${longestPolicies} bytes exceeded for role`)
}
