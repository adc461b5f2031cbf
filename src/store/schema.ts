import type { ColumnType, Generated } from 'kysely'
import type { AppStatus } from '../domain/app.ts'
import type { AuditOutcome } from '../domain/audit.ts'
import type { BuildStatus } from '../domain/build.ts'
import type { RackEvent } from '../domain/event.ts'
import type { Operation, OperationKind } from '../domain/operation.ts'
import type { ProcessKind } from '../domain/process.ts'
import type { ServiceStatus } from '../domain/service.ts'
import type { KeptShare } from '../domain/share.ts'
import type { Overlap, TimerRunStatus } from '../domain/timer.ts'

/**
 * The tables as every database has them: times are RFC 3339 text in UTC, claims are 0 or 1, structures are JSON text,
 * and what is secret is the text of an envelope. `seq` counts the rows in the order in which they were written.
 */
export interface Schema {
  apps: AppsTable
  builds: BuildsTable
  releases: ReleasesTable
  lives: LivesTable
  operations: OperationsTable
  events: EventsTable
  formations: FormationsTable
  subnets: SubnetsTable
  addresses: AddressesTable
  tokens: TokensTable
  audit: AuditTable
  audit_head: AuditHeadTable
  endings: EndingsTable
  processes: ProcessesTable
  process_ends: ProcessEndsTable
  parameters: ParametersTable
  registries: RegistriesTable
  certificates: CertificatesTable
  authorities: AuthoritiesTable
  acme_accounts: AcmeAccountsTable
  acme_orders: AcmeOrdersTable
  domains: DomainsTable
  policies: PoliciesTable
  identity: IdentityTable
  timers: TimersTable
  noticed_ports: NoticedPortsTable
  timer_runs: TimerRunsTable
  services: ServicesTable
  service_versions: ServiceVersionsTable
  release_links: ReleaseLinksTable
  shares: SharesTable
  share_keys: ShareKeysTable
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

/** A row each time that another release became live. */
interface LivesTable {
  seq: Generated<number>
  app: Fixed<string>
  release: Fixed<string>
  since: Fixed<string>
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
  intent: string
  /** What the app was when an exclusive operation began. */
  app_status_before: Fixed<AppStatus>
  started: Fixed<string>
  ended: string | null
  error: string | null
  receipt: string | null
}

/** Without keys to what they tell of: an event outlives its app. */
interface EventsTable {
  seq: Generated<number>
  time: Fixed<string>
  noun: Fixed<RackEvent['noun']>
  change: Fixed<RackEvent['change']>
  app: Fixed<string>
  item: Fixed<string>
  facts: Fixed<string>
}

interface NoticedPortsTable {
  app: Fixed<string>
  process: Fixed<string>
  port: Fixed<number>
  build: Fixed<string>
  speaks_http: Fixed<number>
  is_served: Fixed<number>
}

interface FormationsTable {
  app: Fixed<string>
  process: Fixed<string>
  count: number
  cpu_units: number
  memory_bytes: number
}

interface SubnetsTable {
  /** A key that an engine gave it. */
  network: Fixed<string>
  cidr: Fixed<string>
  /** The address given last, as a number; the next search begins after it. */
  last_given: number
}

interface AddressesTable {
  network: Fixed<string>
  holder: Fixed<string>
  address: Fixed<string>
}

interface TokensTable {
  sha256: Fixed<string>
  name: string
  role: string
  /** JSON of a list; null for all. */
  apps: string | null
  created: Fixed<string>
  expires: string | null
  last_used: string | null
}

interface AuditTable {
  seq: Generated<number>
  caller: Fixed<string>
  verb: Fixed<string>
  /** No key: what was done to an app outlives it. */
  app: Fixed<string | null>
  subject: Fixed<string | null>
  begun: Fixed<string>
  source: Fixed<string | null>
  request: Fixed<string | null>
  ended: string | null
  outcome: AuditOutcome | null
  /** Places in the chain of all that was written, and their codes; null for what was not written by it. */
  begin_no: number | null
  begin_mac: string | null
  end_no: number | null
  end_mac: string | null
}

/** One row: where the chain is, and where what is kept of it begins. */
interface AuditHeadTable {
  single: Fixed<number>
  count: number
  mac: string
  anchor_no: number
  anchor_mac: string
  anchor_seal: string
}

/** What became of processes that ran once. */
interface EndingsTable {
  seq: Generated<number>
  process: Fixed<string>
  app: Fixed<string>
  kind: Fixed<ProcessKind>
  facts: Fixed<string>
}

/** What was told last of a process. */
interface ProcessesTable {
  process: Fixed<string>
  app: Fixed<string>
  facts: string
}

/** How often processes of a type have ended, all of them together. */
interface ProcessEndsTable {
  app: Fixed<string>
  type: Fixed<string>
  restarts: number
  out_of_memory: number
}

interface ParametersTable {
  name: Fixed<string>
  value: string
}

interface RegistriesTable {
  host: Fixed<string>
  username: string
  /** An envelope. */
  password: string
  since: string
}

interface CertificatesTable {
  id: Fixed<string>
  /** JSON: names, issuer, fingerprint, from, until, authority. */
  facts: Fixed<string>
  /** PEM. */
  chain: Fixed<string>
  /** An envelope. */
  key: Fixed<string>
  since: Fixed<string>
}

/** At most one is the authority that is asked. */
interface AcmeAccountsTable {
  directory: Fixed<string>
  email: string | null
  ca: string | null
  url: string | null
  /** An envelope. */
  key: Fixed<string>
  is_asked: number
}

interface AcmeOrdersTable {
  name: Fixed<string>
  /** JSON of the order but its name. */
  facts: string
  /** An envelope; null before there is a key. */
  key: string | null
}

interface DomainsTable {
  name: Fixed<string>
  app: Fixed<string>
  process: Fixed<string | null>
  since: Fixed<string>
}

interface AuthoritiesTable {
  name: Fixed<string>
  certificate: Fixed<string>
  /** An envelope. */
  key: Fixed<string>
}

/** A row each time that the policy was changed. */
interface PoliciesTable {
  revision: Fixed<number>
  policy: Fixed<string>
  actor: Fixed<string>
  since: Fixed<string>
}

/** One row: whose database this is. */
interface IdentityTable {
  single: Fixed<number>
  rack: Fixed<string>
  key_id: string
  created: Fixed<string>
}

/** The timers of what is live. */
interface TimersTable {
  app: Fixed<string>
  process: Fixed<string>
  name: Fixed<string>
  schedule: string
  timezone: string
  overlap: Overlap
  since: string
}

interface TimerRunsTable {
  seq: Generated<number>
  app: Fixed<string>
  process: Fixed<string>
  timer: Fixed<string>
  actor: Fixed<string>
  due: Fixed<string>
  missed: Fixed<number>
  status: TimerRunStatus
  reason: string | null
  operation: string | null
  process_id: string | null
  release: string | null
  started: string | null
  ended: string | null
  exit_code: number | null
}

interface ServicesTable {
  name: Fixed<string>
  type: Fixed<string>
  version: string
  status: ServiceStatus
  /** Envelope of how it runs, as JSON; null for one that somebody else runs. */
  run: string | null
  created: Fixed<string>
}

interface ServiceVersionsTable {
  seq: Generated<number>
  id: Fixed<string>
  service: Fixed<string>
  /** Envelope of the address as JSON. */
  address: Fixed<string>
  created: Fixed<string>
}

/** Without keys to services: what a release was made of outlives them. */
interface ReleaseLinksTable {
  release: Fixed<string>
  alias: Fixed<string>
  service: Fixed<string>
  version: Fixed<string>
  /** `LinkOptions` as JSON; null where it has none. */
  options: Fixed<string | null>
}

/** What other racks have; without a key to the service, since a certificate that was taken back outlives it. */
interface SharesTable {
  seq: Generated<number>
  id: Fixed<string>
  service: Fixed<string>
  consumer: Fixed<string>
  version: Fixed<string>
  serial: Fixed<string>
  /** A JSON list. */
  allow: Fixed<string>
  address: Fixed<string>
  status: KeptShare['status']
  created: Fixed<string>
  expires: Fixed<string | null>
  revoked: string | null
}

/** One row. */
interface ShareKeysTable {
  single: Fixed<number>
  /** An envelope. */
  keys: string
}
