import { randomBytes as systemRandomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { dirname, join } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { Store } from '../domain/store.ts'
import { createAcmeStore } from './acme.ts'
import { createAddressTable, type AddressTable } from './addresses.ts'
import { createAppStore } from './apps.ts'
import { createAuditStore } from './audit/audit.ts'
import type { Warn } from './audit/head-file.ts'
import { openAuditChain } from './audit/open-chain.ts'
import { createBuildStore } from './builds.ts'
import { createCertificateStore } from './certificates.ts'
import type { StoreContext } from './context.ts'
import type { Database } from './database.ts'
import { createDomainStore } from './domains.ts'
import { createEndingStore } from './endings.ts'
import { createEventStore } from './events.ts'
import { createFormationStore } from './formations.ts'
import { createImportStore } from './imports.ts'
import { openSeals } from './identity.ts'
import { migrate } from './migrate.ts'
import { createNoticedPortStore } from './noticed-ports.ts'
import { createOperationStore } from './operations.ts'
import { createProcessStore } from './processes.ts'
import { createParameterStore } from './parameters.ts'
import { createPolicyStore } from './policies.ts'
import { createRegistryStore } from './registries.ts'
import { createReleaseStore } from './releases.ts'
import { createServiceStore } from './services.ts'
import { createShareStore } from './shares.ts'
import { storeFiles } from './store-files.ts'
import { createSealing } from './stream-encryption.ts'
import { createTimerStore } from './timers.ts'
import { createTokenStore } from './tokens.ts'

export interface StoreOptions {
  /** The rack's name; a database belongs to one rack. */
  rack: string
  /** Where SQLite's file lies; made when absent. */
  directory?: string | undefined
  /** A Postgres instead: `postgres://…`. Wins over the directory. */
  url?: string | undefined
  /** The key that seals what is secret; made at first use, mode 0600. Without it the store can't be read. */
  keyFile: string
  randomBytes?: (count: number) => Uint8Array
  now?: () => Date
  /** How many of an app's newest operations the journal keeps. */
  keptOperations?: number
  /** How many events the rack keeps. */
  keptEvents?: number
  /** What is wrong with the audit and refuses nothing; said nowhere unless given. */
  warn?: Warn
}

/** The store, and what lies in the same database beside it. */
export interface OpenStore extends Store {
  addresses: AddressTable
}

const defaultKeptOperations = 500
const defaultKeptEvents = 10_000

/**
 * Opens the store, with its tables made or brought up to date.
 * @throws store-failed when the database does not answer, is another rack's or was sealed with another key; disk-full;
 * invalid for a URL that is none
 */
export async function openStore(options: StoreOptions): Promise<OpenStore> {
  const { now = () => new Date(), randomBytes = systemRandomBytes } = options
  const { keptOperations = defaultKeptOperations, keptEvents = defaultKeptEvents } = options
  const news = new EventEmitter().setMaxListeners(0)
  const database = await openDatabase(options)
  try {
    await migrate(database)
    const clock = () => now().toISOString()
    const seals = await openSeals(database, { ...options, randomBytes, now: clock })
    const { keyFile, warn = () => undefined } = options
    const audit = auditFiles(keyFile)
    const auditChain = await openAuditChain(database, { ...audit, randomBytes, warn })
    const places = {
      directory: options.url ? undefined : options.directory,
      keyFile,
      auditKeyFile: audit.keyFile,
      auditHeadFile: audit.headFile,
    }
    return assemble(
      {
        ...database,
        ...seals,
        auditChain,
        randomBytes,
        now: clock,
        keptOperations,
        keptEvents,
        news,
      },
      places,
    )
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Beside the rack's key, so that who has the database alone can neither write the audit nor cut it. */
function auditFiles(keyFile: string) {
  const directory = dirname(keyFile)
  return { keyFile: join(directory, 'audit.key'), headFile: join(directory, 'audit.head') }
}

async function openDatabase({ url, directory }: StoreOptions): Promise<Database> {
  if (url) {
    // Loaded when asked for: a rack on SQLite has no use for it.
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(url)
  }
  if (!directory) throw new RackError('invalid', 'a store needs a directory or the URL of a database')
  const { openSqlite } = await import('./sqlite.ts')
  return await openSqlite(directory)
}

function assemble(context: StoreContext, places: Parameters<typeof storeFiles>[1]): OpenStore {
  return {
    apps: createAppStore(context),
    builds: createBuildStore(context),
    releases: createReleaseStore(context),
    operations: createOperationStore(context),
    events: createEventStore(context),
    formations: createFormationStore(context),
    addresses: createAddressTable(context),
    tokens: createTokenStore(context),
    audit: createAuditStore(context),
    endings: createEndingStore(context),
    timers: createTimerStore(context),
    noticedPorts: createNoticedPortStore(context),
    processes: createProcessStore(context),
    parameters: createParameterStore(context),
    imports: createImportStore(context),
    registries: createRegistryStore(context),
    certificates: createCertificateStore(context),
    acme: createAcmeStore(context),
    domains: createDomainStore(context),
    policies: createPolicyStore(context),
    services: createServiceStore(context),
    shares: createShareStore(context),
    sealing: context.sealing,
    sealingWith: (key) => createSealing(Buffer.from(key), context.randomBytes),
    files: () => storeFiles(context, places),
    lead: async ({ signal }) => {
      signal.throwIfAborted()
      return await context.lead()
    },
    close: async () => context.close(),
  }
}
