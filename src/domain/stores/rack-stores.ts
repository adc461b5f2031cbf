import type { AuditEntry, AuditNote, AuditOutcome, AuditProof, AuditQuery } from '../audit.ts'
import type { AcmeAccount, KeptOrder } from '../certificate-order.ts'
import type { KeptCertificate } from '../certificate.ts'
import type { Domain } from '../domain-name.ts'
import type { Policy } from '../policy.ts'
import type { Registry, RegistryLogin } from '../registry.ts'
import type { Token } from '../token.ts'

export interface TokenStore {
  /** Keeps a hash only; a hash that is known takes the new name, role, apps and end. */
  add(token: Omit<KeptToken, 'created' | 'lastUsed'>): Promise<void>
  /** By name. */
  list(): Promise<KeptToken[]>
  /** Says when it was used last. */
  noteUse(sha256: string, time: string): Promise<void>
  /** Safe to repeat. */
  remove(sha256: string): Promise<void>
}

export interface KeptToken extends Token {
  /** Of the token itself, in hexadecimal. */
  sha256: string
}

export interface AuditStore {
  /** Adds an entry without an outcome, and forgets the oldest of very many; gives its id. */
  begin(note: AuditNote): Promise<number>
  /** Safe to repeat; one that was forgotten is no fault. */
  end(id: number, outcome: AuditOutcome): Promise<void>
  /** Newest first; by their places with `after`. */
  list(query: AuditQuery): Promise<AuditEntry[]>
  /** Whether all that is kept is as it was written. */
  verify(): Promise<AuditProof>
}

/** The rack's policy and all that it was. */
export interface PolicyStore {
  /** What holds; null before `seed`. */
  newest(): Promise<PolicyRevision | null>
  /** Keeps the first; one that is kept already stands. @returns what holds */
  seed(policy: Policy, actor: string): Promise<PolicyRevision>
  /** Keeps what follows on a revision. @throws conflict when another has followed on it */
  replace(revision: number, policy: Policy, actor: string): Promise<PolicyRevision>
}

export interface PolicyRevision {
  /** Counted from 1. */
  revision: number
  policy: Policy
  /** Who wanted it: the name of the token, or `install`. */
  actor: string
  since: string
}

/** Logins at registries of images; passwords are encrypted at rest. */
export interface RegistryStore {
  /** By host. */
  list(): Promise<Registry[]>
  /** The same, with their passwords. */
  logins(): Promise<RegistryLogin[]>
  /** Replaces that of the same host. */
  set(login: RegistryLogin): Promise<void>
  /** False when there was none. */
  remove(host: string): Promise<boolean>
}

export interface ParameterStore {
  get(name: string): Promise<string | null>
  set(name: string, value: string): Promise<void>
}

/** Certificates that were brought, and the rack's own authorities; keys are encrypted at rest. */
export interface CertificateStore {
  /** Newest first. */
  list(): Promise<KeptCertificate[]>
  add(certificate: Omit<KeptCertificate, 'since'>): Promise<void>
  /** False when there was none. */
  remove(id: string): Promise<boolean>
  /** The authority of a name: the first that was made stays. */
  authority(
    name: string,
    make: () => Promise<{ certificate: string; key: string }>,
  ): Promise<{ certificate: string; key: string }>
}

/** Accounts at authorities, and certificates that are being had of them; keys are encrypted at rest. */
export interface AcmeStore {
  /** Of the authority that is asked; null where none is. */
  asked(): Promise<AcmeAccount | null>
  /** That of a directory, whether it is asked or not. */
  account(directory: string): Promise<AcmeAccount | null>
  /** Keeps an account, and asks its authority and no other from then on. The key that is there stays. */
  ask(account: AcmeAccount): Promise<void>
  /** Asks none; accounts stay. Safe to repeat. */
  askNone(): Promise<void>
  /** By name. */
  orders(): Promise<KeptOrder[]>
  /** Replaces that of the same name. */
  keepOrder(order: KeptOrder): Promise<void>
  /** Safe to repeat. */
  removeOrder(name: string): Promise<void>
}

/** Domains of apps; those of an app go with it. */
export interface DomainStore {
  /** By name. */
  list(): Promise<Domain[]>
  /** The one of this name: what was there before, where something was. */
  add(domain: Omit<Domain, 'since'>): Promise<Domain>
  /** False when the app had none of that name. */
  remove(app: string, name: string): Promise<boolean>
}
