import { randomBytes } from 'node:crypto'
import * as sdk from '@aws-sdk/client-rds'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import type { TaskNetwork } from '../links.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'
import type { ResourceModel } from '../stacks/models/model.ts'
import { createAuthority, issueCertificate } from '../../../src/lib/x509/issue.ts'
import { startPostgresServer, type DatabaseServer } from './servers.ts'

/** RDS: databases that stacks make, as real servers, and the snapshots that these leave. */
export interface FakeDatabases {
  service: FakeService
  models: Record<string, ResourceModel>
  /** PEM of who signs the certificates that databases show, as RDS has one for each Region. */
  authority: string
}

interface Options {
  account: FakeAccount
  network: TaskNetwork
  /** Has a name of the world lead to an address, or nowhere. */
  nameHost: (host: string, address: string | null) => void
}

type Properties = Record<string, unknown>

interface Database {
  server: DatabaseServer
  host: string
  isProtected: boolean
}

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** J: what RDS takes for a small database, and for its last snapshot. */
const createMs = 300_000
const snapshotMs = 120_000

/** A day back, for clocks; longer than any test. */
const span = () => ({ from: new Date(Date.now() - 86_400_000), until: new Date(Date.now() + 86_400_000) })

export async function createDatabases({ account, network, nameHost }: Options): Promise<FakeDatabases> {
  const databases = new Map<string, Database>()
  const snapshots: sdk.DBSnapshot[] = []
  const settings = new Map<string, Record<string, unknown>>()
  const authority = await createAuthority({ name: `Fake RDS ${account.region}`, ...span() })
  const instance: ResourceModel = {
    takesMs: createMs,
    named: 'DBInstanceIdentifier',
    async create(properties, generated) {
      assertInstance(properties)
      // S: an identifier is kept in small letters, of 63 at most.
      const id = generated.toLowerCase().slice(0, 63)
      const host = `${id}.c${randomBytes(6).toString('hex')}.${account.region}.rds.amazonaws.com`
      const shown = { authority, names: [host], usages: ['server' as const], ...span() }
      const [major = ''] = text(properties['EngineVersion']).split('.')
      const own = settings.get(text(properties['DBParameterGroupName'])) ?? {}
      const server = await startPostgresServer(account, network, {
        image: `postgres:${major}`,
        username: text(properties['MasterUsername']),
        password: text(properties['MasterUserPassword']),
        database: text(properties['DBName']) || null,
        certificate: await issueCertificate(shown),
        // D: "Requiring an SSL connection to a PostgreSQL DB instance": 1 from 15 on, 0 before.
        isTlsForced: Number(own['rds.force_ssl'] ?? (Number(major) >= 15 ? 1 : 0)) === 1,
      })
      nameHost(host, server.address)
      databases.set(id, { server, host, isProtected: isTrue(properties['DeletionProtection']) })
      const arn = `arn:aws:rds:${account.region}:${account.account}:db:${id}`
      const endpoint = { 'Endpoint.Address': host, 'Endpoint.Port': text(properties['Port']) }
      return { physical: id, attributes: { DBInstanceArn: arn, ...endpoint } }
    },
    update({ physical }, properties) {
      databases.get(physical)!.isProtected = isTrue(properties['DeletionProtection'])
    },
    async delete({ physical }, properties, { snapshot }) {
      const database = databases.get(physical)!
      // D: what a protected one says.
      if (database.isProtected) {
        throw new Error(
          'Cannot delete protected DB Instance, please disable deletion protection and try again.',
        )
      }
      if (snapshot !== null) {
        await account.clock.pass(snapshotMs)
        snapshots.push(snapshotOf(account, { id: snapshot, instance: physical, properties }))
      }
      await database.server.remove()
      nameHost(database.host, null)
      databases.delete(physical)
    },
  }
  return {
    authority: authority.certificate,
    models: {
      'AWS::RDS::DBInstance': instance,
      'AWS::RDS::DBSubnetGroup': grouped('DBSubnetGroupName'),
      'AWS::RDS::DBParameterGroup': grouped('DBParameterGroupName', (name, { Parameters }) =>
        settings.set(name, (Parameters ?? {}) as Record<string, unknown>),
      ),
    },
    service: {
      scope: 'rds',
      sdk: { ...sdk },
      actions: {
        async ModifyDBInstance(input: sdk.ModifyDBInstanceMessage): Promise<sdk.ModifyDBInstanceResult> {
          const known = ['DBInstanceIdentifier', 'DeletionProtection', 'ApplyImmediately']
          assertModelled(input, known, 'ModifyDBInstance')
          const id = input.DBInstanceIdentifier ?? ''
          const database = databases.get(id)
          if (!database) throw new AwsError('DBInstanceNotFoundFault', `DBInstance ${id} not found.`, 404)
          database.isProtected = input.DeletionProtection ?? database.isProtected
          return { DBInstance: { DBInstanceIdentifier: id, DeletionProtection: database.isProtected } }
        },
        async DeleteDBSnapshot(input: sdk.DeleteDBSnapshotMessage): Promise<sdk.DeleteDBSnapshotResult> {
          const at = snapshots.findIndex((each) => each.DBSnapshotIdentifier === input.DBSnapshotIdentifier)
          if (at < 0) throw new AwsError('DBSnapshotNotFoundFault', 'DBSnapshot not found.', 404)
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

const isTrue = (value: unknown) => String(value) === 'true'

/** What there is only to be referred to. */
function grouped(
  named: string,
  hear: (name: string, properties: Properties) => void = () => {},
): ResourceModel {
  return {
    takesMs: 2000,
    named,
    create(properties, generated) {
      const physical = generated.toLowerCase()
      hear(physical, properties)
      return { physical, attributes: {} }
    },
    update: ({ physical }, properties) => hear(physical, properties),
    delete: () => {},
  }
}

/** S: of what a database is asked for, what could be wrong. */
function assertInstance(properties: Properties): void {
  const { Engine, DBInstanceClass, MasterUserPassword, AllocatedStorage, DBInstanceIdentifier } = properties
  const { DBName = 'postgres' } = properties
  if (Engine !== 'postgres') throw new NotModelled(`the engine ${text(Engine)}`)
  if (DBInstanceIdentifier !== undefined) throw new NotModelled('a database with a name of its own')
  if (!/^db\.[a-z0-9]+\.[a-z0-9]+$/.test(text(DBInstanceClass)))
    throw new Error(`Invalid DB Instance class: ${text(DBInstanceClass)}`)
  // D: begins with a letter, letters, digits and underscores, 1 to 63.
  if (!/^[a-zA-Z]\w{0,62}$/.test(text(DBName))) throw new Error('DBName must begin with a letter')
  if (Number(AllocatedStorage) < 20) throw new Error('Invalid storage size for engine name postgres')
  // D: 8 to 128 printable characters but / " @ and the space.
  if (!/^[!#-.0-?A-~]{8,128}$/.test(text(MasterUserPassword)))
    throw new Error('The parameter MasterUserPassword is not a valid password.')
}

function snapshotOf(
  { clock }: FakeAccount,
  { id, instance, properties }: { id: string; instance: string; properties: Properties },
): sdk.DBSnapshot {
  const tags = isTrue(properties['CopyTagsToSnapshot']) ? (properties['Tags'] as sdk.Tag[]) : []
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
