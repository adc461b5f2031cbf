import { randomBytes } from 'node:crypto'
import { NotModelled } from '../modelled.ts'
import type { FakeAccount } from '../fake-service.ts'
import type { TaskNetwork } from '../links.ts'
import type { ResourceModel } from '../stacks/models/model.ts'
import { cacheServers, changeUsers, memcachedServer, newSecret, type CacheUser } from './cache-servers.ts'
import type { ServerCertificates } from './certificates.ts'
import { startServer, type RunningServer } from './servers.ts'

interface Options {
  account: FakeAccount
  network: TaskNetwork
  nameHost: (host: string, address: string | null) => void
  certificateFor: ServerCertificates['issue']
}

type Properties = Record<string, unknown>

interface Cache {
  server: RunningServer
  host: string
  secret: string
  group: string
  version: string
  /** The type of its node. */
  node: string
  /** Names of those who are let in. */
  users: string[]
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')
const texts = (value: unknown) => (Array.isArray(value) ? value : []) as string[]

/** J: what ElastiCache takes for a cache of one node, for a user or a group of them, and for a last snapshot. */
const createMs = 300_000
const usersMs = 30_000
const snapshotMs = 60_000

/** S: of users, of groups of them, and of caches. */
const idPattern = /^[a-z](?:-?[a-z0-9])*$/

/** D: families, of the kinds that there are here. */
const knownFamilies = new Set(['redis7', 'valkey7', 'valkey8', 'valkey9'])

const machineOf = (properties: Properties) => ({
  version: text(properties['EngineVersion']),
  node: text(properties['CacheNodeType']),
})

/** D: "You can upgrade to a newer engine version, but you can't downgrade" (J: the words). */
function assertNewer(before: string, after: string): void {
  if (before.localeCompare(after, 'en', { numeric: true }) >= 0)
    throw new Error(`Cannot downgrade from engine version ${before} to ${after}.`)
}

/** ElastiCache: what stacks make of it, as real servers. */
export function createCaches({ certificateFor, ...options }: Options): Record<string, ResourceModel> {
  const users = new Map<string, CacheUser & { engine: string }>()
  const groups = new Map<string, { engine: string; users: string[] }>()
  const settings = new Map<string, Record<string, string>>()
  /** Of parameter groups, by name. */
  const families = new Map<string, string>()
  const caches = new Map<string, Cache>()

  async function bring(group: string): Promise<void> {
    const after = groups.get(group)!.users.flatMap((id) => users.get(id) ?? [])
    for (const cache of caches.values()) {
      if (cache.group !== group) continue
      await changeUsers(
        { address: cache.server.address, secret: cache.secret },
        { before: cache.users, after },
      )
      cache.users = after.map(({ name }) => name)
    }
  }

  const bringWith = async (user: string) => {
    for (const [name, group] of groups) if (group.users.includes(user)) await bring(name)
  }

  return {
    'AWS::ElastiCache::SubnetGroup': plain('CacheSubnetGroupName'),
    'AWS::ElastiCache::ParameterGroup': {
      ...plain(undefined),
      create({ CacheParameterGroupFamily: family, Properties: given }, generated) {
        if (!knownFamilies.has(text(family)))
          throw new Error(`CacheParameterGroupFamily ${text(family)} is not a valid parameter group family.`)
        const physical = generated.toLowerCase()
        settings.set(physical, given as Record<string, string>)
        families.set(physical, text(family))
        return { physical, attributes: { CacheParameterGroupName: physical } }
      },
    },
    'AWS::ElastiCache::User': {
      takesMs: usersMs,
      named: 'UserId',
      create(properties) {
        const id = text(properties['UserId'])
        if (users.has(id)) throw new Error(`User ${id} already exists.`)
        users.set(id, readUser(properties))
        return { physical: id, attributes: { Status: 'active', Arn: arnOf(options.account, 'user', id) } }
      },
      async update({ physical }, properties) {
        users.set(physical, readUser(properties))
        await bringWith(physical)
      },
      // D: a user that is deleted is taken out of the groups that it is in.
      async delete({ physical }) {
        users.delete(physical)
        await bringWith(physical)
      },
    },
    'AWS::ElastiCache::UserGroup': {
      takesMs: usersMs,
      named: 'UserGroupId',
      create(properties) {
        const id = text(properties['UserGroupId'])
        groups.set(id, readGroup(users, properties))
        return {
          physical: id,
          attributes: { Status: 'active', Arn: arnOf(options.account, 'usergroup', id) },
        }
      },
      async update({ physical }, properties) {
        groups.set(physical, readGroup(users, properties))
        await bring(physical)
      },
      delete({ physical }) {
        const isUsed = [...caches.values()].some(({ group }) => group === physical)
        // D: it must be taken from its caches first.
        if (isUsed) throw new Error(`User group ${physical} is associated with a replication group.`)
        groups.delete(physical)
      },
    },
    'AWS::ElastiCache::ReplicationGroup': {
      takesMs: createMs,
      named: 'ReplicationGroupId',
      async create(properties) {
        const id = assertCache(properties, 'ReplicationGroupId')
        const group = texts(properties['UserGroupIds'])[0] ?? ''
        const isEncrypted = String(properties['TransitEncryptionEnabled']) === 'true'
        // D: users want both.
        if (!isEncrypted || !groups.has(group)) throw new NotModelled('a cache without users, or without TLS')
        const host = hostOf(options.account, `master.${id}`)
        const secret = newSecret()
        const wanted = cacheServers[text(properties['Engine'])]!({
          version: text(properties['EngineVersion']),
          settings: settings.get(text(properties['CacheParameterGroupName']))!,
          certificate: await certificateFor(host),
          secret,
        })
        const server = await startServer(options.account, options.network, wanted)
        options.nameHost(host, server.address)
        caches.set(id, { server, host, secret, group, ...machineOf(properties), users: [] })
        await bring(group)
        const endpoint = {
          'PrimaryEndPoint.Address': host,
          'PrimaryEndPoint.Port': String(properties['Port']),
        }
        return { physical: id, attributes: endpoint }
      },
      // D: "Upgrading engine versions": what is in it stays.
      async update({ physical }, properties) {
        const cache = caches.get(physical)!
        const { version, node } = machineOf(properties)
        if (version !== cache.version) {
          assertNewer(cache.version, version)
          const family = `${text(properties['Engine'])}${version.split('.')[0]}`
          if (families.get(text(properties['CacheParameterGroupName'])) !== family)
            throw new Error(`The parameter group is not of the family ${family}.`)
        }
        Object.assign(cache, { version, node })
      },
      async delete({ physical }, _properties, { snapshot }) {
        if (snapshot !== null) await options.account.clock.pass(snapshotMs)
        await end(physical)
      },
    },
    'AWS::ElastiCache::CacheCluster': {
      takesMs: createMs,
      named: 'ClusterName',
      async create(properties) {
        const id = assertCache(properties, 'ClusterName')
        if (properties['Engine'] !== 'memcached') throw new NotModelled('a cache cluster of another kind')
        const host = hostOf(options.account, `${id}.cfg`)
        const server = await startServer(options.account, options.network, memcachedServer)
        options.nameHost(host, server.address)
        caches.set(id, {
          server,
          host,
          secret: '',
          group: '',
          ...machineOf(properties),
          users: [],
        })
        const endpoint = {
          'ConfigurationEndpoint.Address': host,
          'ConfigurationEndpoint.Port': String(properties['Port']),
        }
        return { physical: id, attributes: endpoint }
      },
      // D: the resource's page: of a Memcached the node type is not to be changed (J: the words).
      async update({ physical }, properties) {
        const cache = caches.get(physical)!
        const { version, node } = machineOf(properties)
        if (node !== cache.node)
          throw new Error('Changing the CacheNodeType of a Memcached cluster is not supported.')
        if (version === cache.version) return
        assertNewer(cache.version, version)
        // D: "Upgrading engine versions": all that is in it is gone.
        await cache.server.restart()
        options.nameHost(cache.host, cache.server.address)
        cache.version = version
      },
      delete: async ({ physical }) => await end(physical),
    },
  }

  async function end(id: string): Promise<void> {
    const { server, host } = caches.get(id)!
    await server.remove()
    options.nameHost(host, null)
    caches.delete(id)
  }
}

const arnOf = ({ region, account }: FakeAccount, kind: string, id: string) =>
  `arn:aws:elasticache:${region}:${account}:${kind}:${id}`

/** J: the last words are of the account. */
const hostOf = ({ region }: FakeAccount, id: string) =>
  `${id}.${randomBytes(3).toString('hex')}.${region}.cache.amazonaws.com`

function plain(named: string | undefined): ResourceModel {
  return {
    takesMs: 2000,
    ...(named !== undefined && { named }),
    create: (_properties, generated) => ({ physical: generated.toLowerCase(), attributes: {} }),
    update: () => {},
    delete: () => {},
  }
}

function assertCache(properties: Properties, named: string): string {
  const { CacheNodeType, Engine } = properties
  const id = text(properties[named])
  if (!idPattern.test(id) || id.length > 40) throw new Error(`${id} is not a valid identifier.`)
  if (!/^cache\.[a-z0-9]+\.[a-z0-9]+$/.test(text(CacheNodeType)))
    throw new Error(`Invalid Cache Node Type: ${text(CacheNodeType)}`)
  if (Engine !== 'memcached' && !Object.hasOwn(cacheServers, text(Engine)))
    throw new NotModelled(`the engine ${text(Engine)}`)
  return id
}

function readUser(properties: Properties): CacheUser & { engine: string } {
  const { UserId, UserName, AccessString, Passwords, Engine } = properties
  if (!idPattern.test(text(UserId)) || text(UserId).length > 40)
    throw new Error(`${text(UserId)} is not a valid identifier.`)
  const passwords = texts(Passwords)
  // D: one or two, of 16 to 128 characters.
  if (
    passwords.length === 0 ||
    passwords.length > 2 ||
    passwords.some((each) => !/^[!-~]{16,128}$/.test(each))
  )
    throw new Error('Passwords length must be between 16-128 characters.')
  return { name: text(UserName), rights: text(AccessString), passwords, engine: text(Engine) }
}

function readGroup(
  users: ReadonlyMap<string, CacheUser & { engine: string }>,
  { Engine, UserIds }: Properties,
): { engine: string; users: string[] } {
  const ids = texts(UserIds)
  const found = ids.map((id) => users.get(id))
  if (found.includes(undefined)) throw new Error('User not found.')
  if (found.some((user) => user!.engine !== Engine)) throw new Error('Engine of users and group differ.')
  const names = found.map((user) => user!.name)
  // D: of Redis there must be one that is called so.
  if (!names.includes('default')) throw new Error('User group must contain a default user.')
  if (new Set(names).size !== names.length) throw new Error('Duplicate user name.')
  // D: "Quotas for ElastiCache".
  if (ids.length > 100) throw new Error('Number of users exceeds the quota of 100 users per user group.')
  return { engine: text(Engine), users: ids }
}
