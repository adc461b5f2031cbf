import type { CertificateSource } from '../domain/certificate.ts'
import type { ChallengeSource } from '../domain/certificate-order.ts'
import type { Control } from '../domain/control.ts'
import type { DomainSource } from '../domain/domain-name.ts'
import type { Engine } from '../domain/engine.ts'
import type { Objects } from '../domain/objects.ts'
import type { Plan } from '../domain/plan.ts'
import type { PolicyKeeper } from '../domain/policy.ts'
import type { Host } from '../operations/context.ts'
import type { OpenStore } from '../store/open-store.ts'

/** Where the processes of a rack run, a machine or an account, with all that is there for them. */
export interface Site {
  engine: Engine
  objects: Objects
  host: Host
  /** How many graphics processors there are. */
  gpus: number
  /** Looks at paths that a policy is to open to processes. @throws invalid */
  checkBinds(paths: string[]): Promise<void>
  /** Settles when the engine answers. @throws engine-unavailable */
  reach(control: Control): Promise<void>
  /** Takes up what a daemon before left half way. Safe to repeat. */
  start(control: Control): Promise<void>
  /** Settles when the engine goes away. @throws cancelled when the signal ends */
  waitForLoss(control: Control): Promise<void>
  /** Keeps what is there beside the engine as it should be until the signal ends. */
  keep(policy: PolicyKeeper, control: Control): Promise<void>
  /** Lets go of everything; processes run on. */
  close(): Promise<void>
}

/** What a site is told of. */
export interface Sources {
  store: OpenStore
  certificates: CertificateSource
  orders: ChallengeSource
  domains: DomainSource
  /** What is live of all apps. */
  livePlans: () => Promise<Plan[]>
}
