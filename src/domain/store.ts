import type { Control } from './control.ts'
import type {
  AppStore,
  BuildStore,
  FormationStore,
  ImportStore,
  NoticedPortStore,
  ReleaseStore,
} from './stores/app-stores.ts'
import type {
  AcmeStore,
  AuditStore,
  CertificateStore,
  DomainStore,
  ParameterStore,
  PolicyStore,
  RegistryStore,
  TokenStore,
} from './stores/rack-stores.ts'
import type { ServiceStore, ShareStore } from './stores/service-stores.ts'
import type {
  EndingStore,
  EventStore,
  OperationStore,
  ProcessStore,
  TimerStore,
} from './stores/work-stores.ts'

/**
 * Everything a rack must not forget. A method that settles has made its change durable: it survives SIGKILL. Every
 * method throws `store-failed` when the database does not answer. `test/contract/store.ts` runs on every database.
 */
export interface Store {
  apps: AppStore
  builds: BuildStore
  releases: ReleaseStore
  operations: OperationStore
  events: EventStore
  formations: FormationStore
  tokens: TokenStore
  audit: AuditStore
  endings: EndingStore
  timers: TimerStore
  noticedPorts: NoticedPortStore
  processes: ProcessStore
  parameters: ParameterStore
  imports: ImportStore
  registries: RegistryStore
  certificates: CertificateStore
  acme: AcmeStore
  domains: DomainStore
  policies: PolicyStore
  services: ServiceStore
  shares: ShareStore
  sealing: Sealing
  /** Seals for whoever holds another key: what leaves the machine. @param key 32 bytes */
  sealingWith(key: Uint8Array): Sealing
  /**
   * All that the store is made of, as files beside the directory of objects, by their paths: a copy of one moment, although
   * others write meanwhile, and the rack's keys.
   * @throws unsupported for a store in a database of its own, before the first
   */
  files(control: Control): AsyncIterable<StoreFile>
  close(): Promise<void>
}

/** Read to its end before the next is asked for. */
export interface StoreFile {
  /** From the rack's directory: `rack.key`, `store/store.sqlite`. */
  path: string
  content: AsyncIterable<Uint8Array>
}

/** Held by the one daemon that works on a store, until it is disposed or the process has ended, however. */
export interface Lease extends AsyncDisposable {
  /** Aborts when another may lead: from then on nothing may be changed. */
  lost: AbortSignal
}

/** Seals what rests outside the store, with the store's own key; streams, of which no more than a piece is held. */
export interface Sealing {
  /** @param place says whose it is: kind, app, id */
  seal(content: AsyncIterable<Uint8Array>, place: string[]): AsyncIterable<Uint8Array>
  /** @throws store-failed for another key, another place, a changed byte or a missing end */
  open(sealed: AsyncIterable<Uint8Array>, place: string[]): AsyncIterable<Uint8Array>
}
