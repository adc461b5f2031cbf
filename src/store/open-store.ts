import { randomBytes as systemRandomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { RackError } from '../domain/error.ts'
import type { Lease, Store } from '../domain/store.ts'
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
import type { PostgresServer } from './postgres.ts'
import { storeFiles } from './store-files.ts'
import { keysOfFile, type StoreKeys } from './store-keys.ts'
import { createSealing } from './stream-encryption.ts'
import { createTimerStore } from './timers.ts'
import { createTokenStore } from './tokens.ts'

/** A store whose secrets are sealed with a key of a file, which is made at first use. */
export interface StoreOptions extends AnyStoreOptions {
  /** Where SQLite's file lies; made when absent. */
  directory?: string | undefined
  /** A Postgres instead: `postgres://…`. Wins over the directory. */
  url?: string | undefined
  /** The key that seals what is secret; made at first use, mode 0600. Without it the store can't be read. */
  keyFile: string
}

/** A store of which nothing is on this machine. */
export interface RemoteStoreOptions extends AnyStoreOptions {
  server: PostgresServer
  keys: StoreKeys
}

interface AnyStoreOptions {
  /** The rack's name; a database belongs to one rack. */
  rack: string
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
 * Makes this the one daemon that works on a store, which need not be open, nor be there: who opens one changes its tables.
 * @throws conflict while another leads; store-failed, disk-full; invalid for a URL that is none
 */
export async function leadStore(options: StoreOptions | RemoteStoreOptions): Promise<Lease> {
  const place = placeOf(options)
  if ('postgres' in place) {
    const { leadPostgres } = await import('./postgres-lead.ts')
    return await leadPostgres(place.postgres)
  }
  const { leadSqlite } = await import('./sqlite-lead.ts')
  return await leadSqlite(place.directory)
}

/**
 * Opens the store, with its tables made or brought up to date.
 * @throws store-failed when the database does not answer, is another rack's or was sealed with another key; disk-full;
 * invalid for a URL that is none
 */
export async function openStore(options: StoreOptions | RemoteStoreOptions): Promise<OpenStore> {
  const { now = () => new Date(), randomBytes = systemRandomBytes } = options
  const { keptOperations = defaultKeptOperations, keptEvents = defaultKeptEvents } = options
  const news = new EventEmitter().setMaxListeners(0)
  const database = await openDatabase(options)
  try {
    await migrate(database)
    const clock = () => now().toISOString()
    const keys = 'keys' in options ? { ...options.keys, paths: [] } : keysOfFile(options.keyFile)
    const { rack, warn = () => undefined } = options
    const seals = await openSeals(database, { ...keys, rack, randomBytes, now: clock })
    const auditChain = await openAuditChain(database, { ...keys, randomBytes, warn })
    const isFile = 'keyFile' in options && !options.url
    const places = { directory: isFile ? options.directory : undefined, keyFiles: keys.paths }
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

async function openDatabase(options: StoreOptions | RemoteStoreOptions): Promise<Database> {
  const place = placeOf(options)
  if ('postgres' in place) {
    // Loaded when asked for: a rack on SQLite has no use for it.
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(place.postgres)
  }
  const { openSqlite } = await import('./sqlite.ts')
  return await openSqlite(place.directory)
}

type Place = { postgres: string | PostgresServer } | { directory: string }

function placeOf(options: StoreOptions | RemoteStoreOptions): Place {
  const postgres = 'server' in options ? options.server : options.url
  if (postgres) return { postgres }
  const { directory } = options as StoreOptions
  if (!directory) throw new RackError('invalid', 'a store needs a directory or the URL of a database')
  return { directory }
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
    close: async () => context.close(),
  }
}
