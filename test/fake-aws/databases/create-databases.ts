import { randomBytes } from 'node:crypto'
import * as sdk from '@aws-sdk/client-rds'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { inBackground } from '../in-background.ts'
import type { TaskNetwork } from '../links.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'
import type { LinkedRoles } from '../small/linked-roles.ts'
import type { ResourceModel } from '../stacks/models/model.ts'
import type { ServerCertificates } from './certificates.ts'
import { databaseServers, moveData, type WantedDatabase } from './rds-servers.ts'
import { startServer, type RunningServer } from './servers.ts'

/** RDS: databases that stacks make, as real servers, and the snapshots that these leave. */
export interface FakeDatabases {
  service: FakeService
  /** Deletes a database of a stack, past that stack and without a snapshot. */
  deleteByHand(stack: string): Promise<void>
  models: Record<string, ResourceModel>
}

interface Options {
  account: FakeAccount
  network: TaskNetwork
  /** Has a name of the world lead to an address, or nowhere. */
  nameHost: (host: string, address: string | null) => void
  certificateFor: ServerCertificates['issue']
  linkedRoles: Pick<LinkedRoles, 'assume'>
}

type Properties = Record<string, unknown>

interface Database {
  server: RunningServer
  host: string
  wanted: WantedDatabase & { engine: string }
  /** D: "Viewing Amazon RDS DB instance status". */
  status: 'available' | 'rebooting' | 'backing-up'
  isProtected: boolean
  properties: Properties
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** J: what RDS takes for a small database, for its last snapshot, to reboot it and to upgrade it. */
const createMs = 300_000
const snapshotMs = 120_000
const rebootMs = 60_000
const upgradeMs = 200_000

export function createDatabases({
  account,
  network,
  nameHost,
  certificateFor,
  linkedRoles,
}: Options): FakeDatabases {
  const databases = new Map<string, Database>()
  const snapshots: sdk.DBSnapshot[] = []
  /** Parameter groups, by name. */
  const groups = new Map<string, ParameterGroup>()
  const arnOf = (id: string) => `arn:aws:rds:${account.region}:${account.account}:db:${id}`
  const instance: ResourceModel = {
    takesMs: createMs,
    named: 'DBInstanceIdentifier',
    longestName: 63,
    async create(properties, generated) {
      assertInstance(properties)
      // S: an identifier is kept in small letters.
      const id = generated.toLowerCase()
      const host = `${id}.c${randomBytes(6).toString('hex')}.${account.region}.rds.amazonaws.com`
      const wanted = { ...wantedOf(properties), certificate: await certificateFor(host) }
      const server = await startServer(account, network, databaseServers[wanted.engine]!(wanted))
      nameHost(host, server.address)
      const isProtected = isTrue(properties['DeletionProtection'])
      databases.set(id, { server, host, wanted, status: 'available', isProtected, properties })
      const endpoint = { 'Endpoint.Address': host, 'Endpoint.Port': text(properties['Port']) }
      return { physical: id, attributes: { DBInstanceArn: arnOf(id), ...endpoint } }
    },
    async update({ physical }, properties) {
      const database = databases.get(physical)!
      const isProtected = isTrue(properties['DeletionProtection'])
      Object.assign(database, { isProtected, properties })
      const { certificate } = database.wanted
      const wanted = { ...wantedOf(properties), certificate }
      if (wanted.version !== database.wanted.version) await upgrade(database, wanted, properties)
    },
    async delete({ physical }, properties, { snapshot }) {
      const database = databases.get(physical)
      // J: what is gone already need not go.
      if (!database) return
      // D: what a protected one says.
      if (database.isProtected) {
        throw new Error(
          'Cannot delete protected DB Instance, please disable deletion protection and try again.',
        )
      }
      if (snapshot !== null) {
        await account.clock.pass(snapshotMs)
        const tags = isTrue(properties['CopyTagsToSnapshot']) ? (properties['Tags'] as sdk.Tag[]) : []
        snapshots.push(snapshotOf(account, { id: snapshot, instance: physical, properties, tags }))
      }
      await end(physical, database)
    },
  }

  async function end(id: string, { server, host }: Database): Promise<void> {
    await server.remove()
    nameHost(host, null)
    databases.delete(id)
  }

  const wantedOf = (properties: Properties) => ({
    engine: text(properties['Engine']),
    version: text(properties['EngineVersion']),
    username: text(properties['MasterUsername']),
    password: text(properties['MasterUserPassword']),
    database: text(properties['DBName']) || null,
    settings: groups.get(text(properties['DBParameterGroupName']))?.settings ?? {},
  })

  /** D: "Upgrading a DB instance engine version": forward, where it stands, with settings of the new family. */
  async function upgrade(
    database: Database,
    wanted: Database['wanted'],
    properties: Properties,
  ): Promise<void> {
    const { engine, version: from } = database.wanted
    const [before, after] = [from, wanted.version].map(Number)
    if (engine !== 'postgres') throw new NotModelled('another version of a mysql')
    if (!(after! > before!)) throw new Error(`Cannot upgrade ${engine} from ${from} to ${wanted.version}`)
    if (!isTrue(properties['AllowMajorVersionUpgrade']))
      throw new Error(
        'The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.',
      )
    const family = groups.get(text(properties['DBParameterGroupName']))?.family
    if (family !== `${engine}${wanted.version}`)
      throw new Error(
        `The parameter group with DBParameterGroupFamily ${family} cannot be used for this instance.`,
      )
    const old = database.server
    await account.clock.pass(upgradeMs)
    nameHost(database.host, null)
    database.server = await startServer(account, network, databaseServers[engine]!(wanted))
    await database.server.run(moveData(old.address))
    await old.remove()
    database.wanted = wanted
    nameHost(database.host, database.server.address)
  }

  async function reboot(database: Database): Promise<void> {
    nameHost(database.host, null)
    await Promise.all([database.server.restart(), account.clock.pass(rebootMs)])
    nameHost(database.host, database.server.address)
    database.status = 'available'
  }

  function find(id = ''): Database {
    const database = databases.get(id)
    if (database) return database
    throw new AwsError('DBInstanceNotFoundFault', `DBInstance ${id} not found.`, 404)
  }

  const told = (id: string, { status, wanted, isProtected, properties }: Database): sdk.DBInstance => {
    const number = (name: string) => (name in properties ? Number(properties[name]) : undefined)
    return {
      DBInstanceIdentifier: id,
      DBInstanceArn: arnOf(id),
      DBInstanceStatus: status,
      EngineVersion: wanted.version,
      DeletionProtection: isProtected,
      AllocatedStorage: number('AllocatedStorage'),
      MaxAllocatedStorage: number('MaxAllocatedStorage'),
      BackupRetentionPeriod: number('BackupRetentionPeriod') ?? 1,
    }
  }

  return {
    async deleteByHand(stack) {
      const found = [...databases].find(([id]) => id.startsWith(`${stack}-`))
      if (!found) throw new Error(`${stack} has no database`)
      await end(...found)
    },
    models: {
      'AWS::RDS::DBInstance': instance,
      'AWS::RDS::DBSubnetGroup': subnetGroup(linkedRoles),
      'AWS::RDS::DBParameterGroup': parameterGroup(groups),
    },
    service: {
      scope: 'rds',
      sdk: { ...sdk },
      actions: {
        async ModifyDBInstance(input: sdk.ModifyDBInstanceMessage): Promise<sdk.ModifyDBInstanceResult> {
          const known = ['DBInstanceIdentifier', 'DeletionProtection', 'ApplyImmediately']
          assertModelled(input, known, 'ModifyDBInstance')
          const id = input.DBInstanceIdentifier ?? ''
          const database = find(id)
          assertAvailable(id, database)
          database.isProtected = input.DeletionProtection ?? database.isProtected
          return { DBInstance: told(id, database) }
        },
        // D: "RebootDBInstance": an outage in which it is `rebooting`; one that is not available is refused.
        async RebootDBInstance(input: sdk.RebootDBInstanceMessage): Promise<sdk.RebootDBInstanceResult> {
          assertModelled(input, ['DBInstanceIdentifier'], 'RebootDBInstance')
          const id = input.DBInstanceIdentifier ?? ''
          const database = find(id)
          assertAvailable(id, database)
          database.status = 'rebooting'
          inBackground(account, reboot(database))
          return { DBInstance: told(id, database) }
        },
        async DescribeDBInstances(input: sdk.DescribeDBInstancesMessage): Promise<sdk.DBInstanceMessage> {
          assertModelled(input, ['DBInstanceIdentifier'], 'DescribeDBInstances')
          const id = input.DBInstanceIdentifier ?? ''
          return { DBInstances: [told(id, find(id))] }
        },
        // Nothing is ever due here.
        async DescribePendingMaintenanceActions(
          input: sdk.DescribePendingMaintenanceActionsMessage,
        ): Promise<sdk.PendingMaintenanceActionsMessage> {
          assertModelled(input, ['ResourceIdentifier'], 'DescribePendingMaintenanceActions')
          if (![...databases.keys()].some((id) => arnOf(id) === input.ResourceIdentifier))
            throw new AwsError('ResourceNotFoundFault', 'The specified resource is not found.', 404)
          return { PendingMaintenanceActions: [] }
        },
        async CreateDBSnapshot(input: sdk.CreateDBSnapshotMessage): Promise<sdk.CreateDBSnapshotResult> {
          const known = ['DBInstanceIdentifier', 'DBSnapshotIdentifier', 'Tags']
          assertModelled(input, known, 'CreateDBSnapshot')
          const id = input.DBSnapshotIdentifier ?? ''
          // D: what a name of a snapshot may be.
          if (!/^(?=.{1,255}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/i.test(id))
            throw new AwsError(
              'InvalidParameterValue',
              `The parameter DBSnapshotIdentifier is not a valid identifier.`,
            )
          const instance = input.DBInstanceIdentifier ?? ''
          const database = find(instance)
          assertAvailable(instance, database)
          if (snapshots.some((each) => each.DBSnapshotIdentifier === id))
            throw new AwsError('DBSnapshotAlreadyExistsFault', `Cannot create the snapshot ${id}: it exists.`)
          const { properties } = database
          // D: with tags of its own none of the database's are copied.
          const snapshot = {
            ...snapshotOf(account, { id, instance, properties, tags: input.Tags ?? [] }),
            Status: 'creating',
          }
          snapshots.push(snapshot)
          database.status = 'backing-up'
          inBackground(
            account,
            account.clock.pass(snapshotMs).then(() => {
              database.status = 'available'
              snapshot.Status = 'available'
            }),
          )
          return { DBSnapshot: { ...snapshot } }
        },
        async DeleteDBSnapshot(input: sdk.DeleteDBSnapshotMessage): Promise<sdk.DeleteDBSnapshotResult> {
          const at = snapshots.findIndex((each) => each.DBSnapshotIdentifier === input.DBSnapshotIdentifier)
          if (at < 0) throw new AwsError('DBSnapshotNotFoundFault', 'DBSnapshot not found.', 404)
          if (snapshots[at]!.Status !== 'available')
            throw new AwsError('InvalidDBSnapshotStateFault', 'The snapshot is not in the available state.')
          const [gone] = snapshots.splice(at, 1)
          return { DBSnapshot: { ...gone!, Status: 'deleted' } }
        },
        async DescribeDBSnapshots(input: sdk.DescribeDBSnapshotsMessage): Promise<sdk.DBSnapshotMessage> {
          assertModelled(input, ['SnapshotType', 'Marker'], 'DescribeDBSnapshots')
          if (input.SnapshotType !== 'manual') throw new NotModelled('snapshots that RDS takes by itself')
          const { page, next } = paged(snapshots, input.Marker, {
            pageSize: 20,
            key: ({ DBSnapshotIdentifier = '' }) => DBSnapshotIdentifier,
          })
          return { DBSnapshots: page, ...(next && { Marker: next }) }
        },
      },
    },
  }
}

/** D: what takes a snapshot or a change. */
function assertAvailable(id: string, { status }: Database): void {
  if (status === 'available') return
  throw new AwsError('InvalidDBInstanceState', `Instance ${id} is not in available state.`)
}

const isTrue = (value: unknown) => String(value) === 'true'

/** What there is only to be referred to. */
function grouped(named: string): ResourceModel {
  return {
    takesMs: 2000,
    named,
    create: (_properties, generated) => ({ physical: generated.toLowerCase(), attributes: {} }),
    update: () => {},
    delete: () => {},
  }
}

/** S: the first that RDS is asked for by a stack. */
function subnetGroup(linkedRoles: Pick<LinkedRoles, 'assume'>): ResourceModel {
  const plain = grouped('DBSubnetGroupName')
  return {
    ...plain,
    create(properties, generated) {
      linkedRoles.assume('rds.amazonaws.com')
      return plain.create(properties, generated)
    },
  }
}

/** D: families of RDS, of the kinds that there are here. */
const families = new Set(['13', '14', '15', '16', '17', '18'].map((version) => `postgres${version}`))
for (const version of ['8.0', '8.4']) families.add(`mysql${version}`)

interface ParameterGroup {
  family: string
  settings: Record<string, string>
}

function parameterGroup(groups: Map<string, ParameterGroup>): ResourceModel {
  return {
    ...grouped('DBParameterGroupName'),
    create({ Family, Parameters }, generated) {
      // D: what RDS says of one that it has not.
      if (!families.has(text(Family))) throw new Error(`ParameterGroupFamily ${text(Family)} is not valid.`)
      const physical = generated.toLowerCase()
      groups.set(physical, { family: text(Family), settings: Parameters as Record<string, string> })
      return { physical, attributes: {} }
    },
  }
}

/** S: of what a database is asked for, what could be wrong. */
function assertInstance(properties: Properties): void {
  const { Engine, DBInstanceClass, MasterUserPassword, AllocatedStorage, DBInstanceIdentifier } = properties
  const { DBName = 'postgres' } = properties
  if (!Object.hasOwn(databaseServers, text(Engine))) throw new NotModelled(`the engine ${text(Engine)}`)
  if (DBInstanceIdentifier !== undefined) throw new NotModelled('a database with a name of its own')
  if (!/^db\.[a-z0-9]+\.[a-z0-9]+$/.test(text(DBInstanceClass)))
    throw new Error(`Invalid DB Instance class: ${text(DBInstanceClass)}`)
  // D: begins with a letter, letters, digits and underscores, 1 to 63.
  if (!/^[a-zA-Z]\w{0,62}$/.test(text(DBName))) throw new Error('DBName must begin with a letter')
  if (Number(AllocatedStorage) < 20) throw new Error(`Invalid storage size for engine name ${text(Engine)}`)
  // D: 8 to 128 printable characters but / " @ and the space.
  if (!/^[!#-.0-?A-~]{8,128}$/.test(text(MasterUserPassword)))
    throw new Error('The parameter MasterUserPassword is not a valid password.')
}

function snapshotOf(
  { clock }: FakeAccount,
  {
    id,
    instance,
    properties,
    tags,
  }: { id: string; instance: string; properties: Properties; tags: sdk.Tag[] },
): sdk.DBSnapshot {
  return {
    DBSnapshotIdentifier: id,
    DBInstanceIdentifier: instance,
    SnapshotType: 'manual',
    Status: 'available',
    SnapshotCreateTime: new Date(clock.now()),
    Engine: text(properties['Engine']),
    TagList: tags,
  }
}
