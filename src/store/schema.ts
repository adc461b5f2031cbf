import type { ColumnType, Generated } from 'kysely'
import type { AppStatus } from '../domain/app.ts'
import type { BuildStatus } from '../domain/build.ts'
import type { Operation, OperationKind } from '../domain/operation.ts'
import type { Permission } from '../domain/store.ts'

/**
 * The tables as every database has them: times are RFC 3339 text in UTC, claims are 0 or 1, structures are JSON text,
 * and what is secret is the text of an envelope. `seq` counts the rows in the order in which they were written.
 */
export interface Schema {
  apps: AppsTable
  builds: BuildsTable
  releases: ReleasesTable
  operations: OperationsTable
  formations: FormationsTable
  subnets: SubnetsTable
  addresses: AddressesTable
  tokens: TokensTable
  parameters: ParametersTable
  identity: IdentityTable
}

/** A column that is written once. */
type Fixed<T> = ColumnType<T, T, never>

interface AppsTable {
  name: string
  status: AppStatus
  release: string | null
  locked: number
  created: Fixed<string>
}

interface BuildsTable {
  seq: Generated<number>
  id: Fixed<string>
  app: Fixed<string>
  status: BuildStatus
  description: Fixed<string | null>
  release: string | null
  reason: string | null
  /** Envelope of the content as JSON; null until the build is complete. */
  content: string | null
  created: Fixed<string>
  started: string | null
  ended: string | null
}

interface ReleasesTable {
  seq: Generated<number>
  id: Fixed<string>
  app: Fixed<string>
  build: Fixed<string | null>
  description: Fixed<string>
  based_on: Fixed<string | null>
  /** Envelope of the environment as JSON. */
  environment: Fixed<string>
  created: Fixed<string>
}

interface OperationsTable {
  seq: Generated<number>
  id: Fixed<string>
  app: Fixed<string>
  kind: Fixed<OperationKind>
  /** At most one running row with 1 per app: a unique index holds it. */
  is_exclusive: Fixed<number>
  actor: Fixed<string>
  status: Operation['status']
  intent: Fixed<string>
  /** What the app was when an exclusive operation began. */
  app_status_before: Fixed<AppStatus>
  started: Fixed<string>
  ended: string | null
  error: string | null
  receipt: string | null
}

interface FormationsTable {
  app: Fixed<string>
  process: Fixed<string>
  count: number
  cpu_units: number
  memory_bytes: number
}

interface SubnetsTable {
  app: Fixed<string>
  cidr: Fixed<string>
  /** The address given last, as a number; the next search begins after it. */
  last_given: number
}

interface AddressesTable {
  app: Fixed<string>
  holder: Fixed<string>
  address: Fixed<string>
}

interface TokensTable {
  sha256: Fixed<string>
  name: string
  permission: Permission
  created: Fixed<string>
}

interface ParametersTable {
  name: Fixed<string>
  value: string
}

/** One row: whose database this is. */
interface IdentityTable {
  single: Fixed<number>
  rack: Fixed<string>
  key_id: string
  created: Fixed<string>
}
