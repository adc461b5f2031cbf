import type { Role } from '../domain/token.ts'
import type { Operations } from './operations.ts'

export type VerbName = keyof Operations

/** Who may call a verb, on which apps, and whether the audit tells of it. */
export type Verb<Call extends AnyCall = AnyCall> = Scope<Call> &
  Told<Call> & {
    /** The least role that may call it. */
    permission: Role
  }

type AnyCall = (...args: never[]) => unknown

type Scope<Call extends AnyCall> =
  /**
   * `app`: the first argument names it. `rack`: all of the rack, so a caller of some apps is refused. `facts`: what
   * every caller may know of the rack, which includes who holds how much of it.
   */
  | { scope: 'app' | 'rack' | 'facts' }
  /** Of many apps: a caller of some apps gets what is of them. */
  | {
      scope: 'apps'
      /** Null is of none, which everybody gets. */
      appOf: (item: ItemOf<Call>) => string | null
      /** The app that was asked for, if one was. */
      asked?: (...args: Parameters<Call>) => string | undefined
    }

type ItemOf<Call extends AnyCall> =
  ReturnType<Call> extends Promise<(infer Item)[]>
    ? Item
    : ReturnType<Call> extends AsyncIterable<infer Item>
      ? Item
      : never

/** What yields its result piece by piece changes nothing, and is not told of. */
type Told<Call extends AnyCall> =
  ReturnType<Call> extends AsyncIterable<unknown>
    ? { yields: true; audited: false; reads?: never }
    : {
        yields?: never
        audited: boolean
        /** Changes and runs nothing, though the audit tells of it: what it gives is secret. */
        reads?: true
        /** What is meant, by its id or name; never a value, and never a command. */
        subject?: (...args: Parameters<Call>) => string | null
        /** What is meant, where only the result says it: told by an entry of its own where the subject is none. */
        found?: (result: Awaited<ReturnType<Call>>) => string
      }

const second = (_app: string, subject: string | null) => subject

/** What is done with one service, which it names first. */
const ofService = {
  permission: 'admin',
  scope: 'rack',
  audited: true,
  subject: (service: string) => service,
} as const

const withConsumer = (service: string, consumer: string | undefined) =>
  consumer === undefined ? service : `${service} ${consumer}`

/**
 * The one place that says what a verb takes. Values of the environment and URLs of services are secrets, so reading them
 * wants more than the role to read, and is told of. `docs/security.md` has the table of it.
 */
export const verbs: { [Name in VerbName]: Verb<Operations[Name]> } = {
  getRack: { permission: 'read', scope: 'facts', audited: false },
  // Names every app.
  readMetrics: { permission: 'metrics', scope: 'rack', audited: false },
  getCapacity: { permission: 'read', scope: 'facts', audited: false },
  getPolicy: { permission: 'read', scope: 'facts', audited: false },
  listParameters: { permission: 'read', scope: 'facts', audited: false },
  changeParameters: { permission: 'admin', scope: 'rack', audited: true },
  changePolicy: { permission: 'admin', scope: 'rack', audited: true },
  listRegistries: { permission: 'read', scope: 'rack', audited: false },
  addRegistry: { permission: 'admin', scope: 'rack', audited: true, subject: ({ host }) => host },
  removeRegistry: { permission: 'admin', scope: 'rack', audited: true, subject: (host) => host },
  listTokens: { permission: 'admin', scope: 'rack', audited: false },
  createToken: { permission: 'admin', scope: 'rack', audited: true, subject: ({ name }) => name },
  revokeToken: { permission: 'admin', scope: 'rack', audited: true, subject: (name) => name },
  planRackBackup: { permission: 'admin', scope: 'rack', audited: false },
  // All that there is, secrets included; sealed by a key of the caller's.
  backupRack: { permission: 'admin', scope: 'rack', audited: true },
  prune: { permission: 'admin', scope: 'rack', audited: true },
  listAudit: { permission: 'admin', scope: 'rack', audited: false },
  verifyAudit: { permission: 'admin', scope: 'rack', audited: false },
  listCertificates: { permission: 'read', scope: 'rack', audited: false },
  getCertificate: { permission: 'read', scope: 'rack', audited: false },
  addCertificate: { permission: 'admin', scope: 'rack', audited: true },
  removeCertificate: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (certificate) => certificate,
  },
  renewCertificate: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (certificate) => certificate,
  },
  getAcme: { permission: 'read', scope: 'rack', audited: false },
  changeAcme: { permission: 'admin', scope: 'rack', audited: true },
  getAuthority: { permission: 'read', scope: 'facts', audited: false },

  listApps: { permission: 'read', scope: 'apps', appOf: ({ name }) => name, audited: false },
  getApp: { permission: 'read', scope: 'app', audited: false },
  createApp: { permission: 'deploy', scope: 'app', audited: true },
  deleteApp: { permission: 'admin', scope: 'app', audited: true },
  setLocked: { permission: 'admin', scope: 'app', audited: true },
  cancelApp: { permission: 'deploy', scope: 'app', audited: true },
  planAppExport: { permission: 'admin', scope: 'app', audited: false },
  // Its environment, and all of its data.
  exportApp: { permission: 'admin', scope: 'app', audited: true },
  // It may take domains, and logins of services.
  importApp: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (_content, { name }) => name ?? null,
    found: ({ app }) => app,
  },

  // A hash tells what a file may hold.
  getKeptSource: { permission: 'deploy', scope: 'app', audited: false },
  buildApp: { permission: 'deploy', scope: 'app', audited: true },
  rebuildApp: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  listBuilds: { permission: 'read', scope: 'app', audited: false },
  getBuild: { permission: 'read', scope: 'app', audited: false },
  buildLog: { permission: 'read', scope: 'app', audited: false, yields: true },
  cancelBuild: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  deleteBuild: { permission: 'admin', scope: 'app', audited: true, subject: second },

  listReleases: { permission: 'read', scope: 'app', audited: false },
  getRelease: { permission: 'read', scope: 'app', audited: false },
  releaseManifest: { permission: 'read', scope: 'app', audited: false },
  diffReleases: { permission: 'read', scope: 'app', audited: false },
  planPromotion: { permission: 'read', scope: 'app', audited: false },
  promoteRelease: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  rollbackRelease: { permission: 'deploy', scope: 'app', audited: true, subject: second },

  listServices: { permission: 'read', scope: 'rack', audited: false },
  getService: { permission: 'read', scope: 'rack', audited: false },
  createService: { permission: 'admin', scope: 'rack', audited: true, subject: ({ name }) => name },
  setServiceUrl: ofService,
  revealService: { ...ofService, reads: true },
  restartService: ofService,
  planServiceUpdate: { permission: 'read', scope: 'rack', audited: false },
  updateService: ofService,
  finishServiceUpdate: ofService,
  cancelService: ofService,
  deleteService: ofService,
  dropServiceData: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (service, data) => `${service} ${data}`,
  },
  // Whoever has the line has the service's data.
  shareService: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (service, { consumer }) => withConsumer(service, consumer),
  },
  unshareService: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (service, { consumer }) => withConsumer(service, consumer),
  },
  listShares: { permission: 'read', scope: 'rack', audited: false },
  serviceLogs: { permission: 'read', scope: 'rack', audited: false, yields: true },
  listBackups: { permission: 'read', scope: 'rack', audited: false },
  getBackup: { permission: 'read', scope: 'rack', audited: false },
  backupService: ofService,
  addBackup: { permission: 'admin', scope: 'rack', audited: true },
  // All that apps keep there, so whoever reads it could as well be the service's administrator.
  readBackup: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    reads: true,
    subject: (backup) => backup,
  },
  dumpService: ofService,
  restoreBackup: { permission: 'admin', scope: 'rack', audited: true, subject: (backup) => backup },
  deleteBackup: { permission: 'admin', scope: 'rack', audited: true, subject: (backup) => backup },
  getBackupSchedule: { permission: 'read', scope: 'rack', audited: false },
  setBackupSchedule: ofService,
  removeBackupSchedule: ofService,
  exportService: ofService,
  importService: ofService,
  openConsole: ofService,
  connectService: ofService,
  listLinks: {
    permission: 'read',
    scope: 'apps',
    appOf: ({ app }) => app,
    asked: ({ app }) => app,
    audited: false,
  },
  listProcessLinks: {
    permission: 'read',
    scope: 'apps',
    appOf: ({ app }) => app,
    asked: ({ app }) => app,
    audited: false,
  },
  // Runs programs in processes, and logs in as they do.
  checkLinks: {
    permission: 'deploy',
    scope: 'apps',
    appOf: ({ app }) => app,
    asked: ({ app }) => app,
    audited: true,
    subject: ({ app }) => app ?? null,
  },
  createLink: { permission: 'deploy', scope: 'app', audited: true, subject: (_app, { service }) => service },
  rotateLink: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  revokeLogins: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  deleteLink: { permission: 'deploy', scope: 'app', audited: true, subject: second },

  getEnvironment: { permission: 'deploy', scope: 'app', audited: true, reads: true },
  processEnvironment: { permission: 'deploy', scope: 'app', audited: true, reads: true, subject: second },
  changeEnvironment: {
    permission: 'deploy',
    scope: 'app',
    audited: true,
    subject: (_app, { set, unset }) =>
      [...Object.keys(set ?? {}), ...(unset ?? []).map((name) => `-${name}`)].join(' '),
  },
  diffEnvironment: { permission: 'read', scope: 'app', audited: false },

  listProcesses: { permission: 'read', scope: 'app', audited: false },
  getProcess: { permission: 'read', scope: 'app', audited: false },
  readUsage: {
    permission: 'read',
    scope: 'apps',
    appOf: ({ app }) => app,
    asked: ({ app }) => app,
    audited: false,
  },
  stopProcess: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  runProcess: { permission: 'deploy', scope: 'app', audited: true, subject: (_app, { type }) => type },
  execProcess: {
    permission: 'deploy',
    scope: 'app',
    audited: true,
    subject: (_app, { process: processId }) => processId,
  },
  copyFiles: {
    permission: 'deploy',
    scope: 'app',
    audited: true,
    subject: (_app, { process: processId }) => processId,
  },
  connectInside: { permission: 'deploy', scope: 'app', audited: true, subject: (_app, { host }) => host },

  getFormation: { permission: 'read', scope: 'app', audited: false },
  planScale: { permission: 'read', scope: 'app', audited: false },
  scaleProcesses: { permission: 'deploy', scope: 'app', audited: true },
  restartApp: { permission: 'deploy', scope: 'app', audited: true, subject: second },

  listDomains: {
    permission: 'read',
    scope: 'apps',
    appOf: ({ app }) => app,
    asked: ({ app }) => app,
    audited: false,
  },
  addDomain: { permission: 'admin', scope: 'app', audited: true, subject: (_app, { name }) => name },
  removeDomain: { permission: 'admin', scope: 'app', audited: true, subject: second },

  listVolumes: {
    permission: 'read',
    scope: 'apps',
    appOf: ({ app }) => app,
    asked: ({ app }) => app,
    audited: false,
  },
  getVolume: { permission: 'read', scope: 'app', audited: false },
  deleteVolume: { permission: 'admin', scope: 'app', audited: true, subject: second },
  backupVolume: { permission: 'admin', scope: 'app', audited: true, subject: (_app, { volume }) => volume },
  dumpVolume: { permission: 'admin', scope: 'app', audited: true, subject: (_app, { volume }) => volume },
  // A backup may be of another app's volume.
  restoreVolume: {
    permission: 'admin',
    scope: 'rack',
    audited: true,
    subject: (app, volume, { backup }) => `${app}/${volume} ${backup}`,
  },

  listTimers: { permission: 'read', scope: 'app', audited: false },
  getTimer: { permission: 'read', scope: 'app', audited: false },
  runTimer: { permission: 'deploy', scope: 'app', audited: true, subject: second },
  timerHistory: { permission: 'read', scope: 'app', audited: false },

  appLogs: { permission: 'read', scope: 'app', audited: false, yields: true },
  rackLogs: { permission: 'read', scope: 'apps', appOf: ({ app }) => app, audited: false, yields: true },

  watchEvents: {
    permission: 'read',
    scope: 'apps',
    appOf: (record) => (record.type === 'event' ? record.app : null),
    audited: false,
    yields: true,
  },
}
