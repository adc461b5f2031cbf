import { rackItself } from '../domain/caller.ts'
import type { Control } from '../domain/control.ts'
import type { Plan } from '../domain/plan.ts'
import { codeOf } from '../domain/error.ts'
import { tellHoldersTo } from './tell-holders.ts'
import { createAdmissionControl } from './admission-control.ts'
import { createAudit } from './audit.ts'
import { buildApp } from './build-app.ts'
import { buildLog, cancelBuild, deleteBuild } from './builds.ts'
import { createBuildLogs } from './build-logs.ts'
import { cancelApp } from './cancel-app.ts'
import { bindCertificates } from './certificates/bind-certificates.ts'
import { changePolicy } from './change-policy.ts'
import { previewChange } from './change-live.ts'
import type { Context } from './context.ts'
import { createApp } from './create-app.ts'
import { createDoor, type Door } from './door.ts'
import { deleteApp, setLocked } from './delete-app.ts'
import { diffReleases } from './diff-releases.ts'
import { keepCertified } from './acme/keep-certified.ts'
import { addDomain, listDomains, removeDomain } from './domains/domains.ts'
import { findApp, findBuild, findRelease } from './find.ts'
import { createLogParts } from './log-parts.ts'
import { createHealthBoard } from './healing/health-board.ts'
import { keepHealed } from './healing/keep-healed.ts'
import { createImageGate } from './image-gate.ts'
import { createAppTurns } from './journal/app-turns.ts'
import { recover } from './journal/recover.ts'
import { createRecoveryProgress } from './journal/recovery-progress.ts'
import { createRunningOperations } from './journal/running-operations.ts'
import { getKeptSource } from './kept-sources.ts'
import { bindMoves } from './moves/bind-moves.ts'
import { readMetrics } from './metrics/read-metrics.ts'
import { readUsage } from './metrics/read-usage.ts'
import { noteProcesses } from './note-processes.ts'
import type { Operations } from './operations.ts'
import { createLink, deleteLink, listLinks, rotateLink } from './links.ts'
import { checkLinks } from './links/check-links.ts'
import { listProcessLinks } from './links/process-links.ts'
import { appLogs, rackLogs, serviceLogs } from './logs.ts'
import { changeParameters, listParameters } from './parameters.ts'
import { connectInside, copyFiles, execProcess, getProcess, listProcesses, stopProcess } from './processes.ts'
import { promoteRelease, rollbackRelease } from './promote-release.ts'
import { prune } from './prune.ts'
import { backupRack } from './rack-backup/backup-rack.ts'
import { planRackBackup } from './rack-backup/plan-rack-backup.ts'
import { createTakeInProgress } from './rack-backup/take-in-progress.ts'
import { isRestoring, restoreHindrance } from './rack-backup/take-in.ts'
import { getApp, getRack, listApps } from './rack-info.ts'
import { runProcess } from './run-process.ts'
import { addRegistry, removeRegistry } from './registries.ts'
import { getRelease, listReleases } from './list-releases.ts'
import { rebuildApp } from './rebuild-app.ts'
import { restartApp } from './restart-app.ts'
import { getFormation, planScale, scaleProcesses } from './scale-process.ts'
import { addBackup, backupService, deleteBackup, dumpOut, readBackupOut } from './services/backup/backups.ts'
import { findBackup, listBackups } from './services/backup/kept-backups.ts'
import { restoreBackup } from './services/backup/restore-backup.ts'
import {
  createScheduleKeeper,
  getBackupSchedule,
  removeBackupSchedule,
  setBackupSchedule,
} from './services/backup/schedules.ts'
import { deleteService } from './services/delete-service.ts'
import { exportService } from './services/dumps/export-service.ts'
import { importService } from './services/dumps/import-service.ts'
import { dropServiceData } from './services/drop-data.ts'
import { revokeLogins } from './services/logins.ts'
import { planUpdate } from './services/update/plan-update.ts'
import { finishUpdate, updateService } from './services/update/update-service.ts'
import { keepServices } from './services/keep-services.ts'
import { connectService, openConsole } from './services/reach-service.ts'
import { listShares, shareService, unshareService } from './services/sharing/shares.ts'
import {
  cancelService,
  createService,
  getService,
  listServices,
  restartService,
  revealService,
  setServiceUrl,
} from './services/services.ts'
import { livePlansOf } from './read-release.ts'
import { changeEnvironment, diffEnvironment, getEnvironment, processVariables } from './set-environment.ts'
import { createTokenKeeper } from './tokens/token-keeper.ts'
import { createTimerKeeper } from './timers/run-timers.ts'
import { getTimer, listTimers, runTimer, timerHistory } from './timers/timers.ts'
import { backupVolume, dumpVolume } from './volume-data/backup-volume.ts'
import { restoreVolume } from './volume-data/restore-volume.ts'
import { deleteVolume, getVolume, listVolumes } from './volumes.ts'
import { watchEvents } from './watch-events.ts'

/** The verbs, and what only the daemon that runs them may do. */
export interface OperationsRoom {
  operations: Door
  /** Keeps the hash of a token that somebody on the machine has made, for all that a rack can do. Safe to repeat. */
  takeInToken(name: string, sha256: string): Promise<void>
  /** Finishes or undoes what a dead daemon left, then brings every live plan about; also when the engine is back. */
  recover(control: Control): Promise<boolean>
  /** Tells what becomes of processes as events, until the signal ends. */
  noteProcesses(control: Control): Promise<void>
  /** Sees to the timers: to be called every second or so while the engine is there. */
  runTimers(control: Control): Promise<void>
  /** Brings back what is missing of what is live, until the signal ends. */
  keepHealed(control: Control): Promise<void>
  /** Has certificates of an authority, and renews them, until the signal ends. */
  keepCertified(control: Control): Promise<void>
  /** What is live of all apps, as it should run now. */
  livePlans(): Promise<Plan[]>
  /** Open rows of the journal that nobody works at here: they could not be closed, as on a full disk. */
  abandoned(): Promise<string[]>
  /** Ends what runs here for the daemon's stop; the journal keeps it for the next start. */
  interrupt(): Promise<void>
}

export type OperationsParts = Pick<
  Context,
  | 'rack'
  | 'store'
  | 'engine'
  | 'objects'
  | 'policy'
  | 'certificates'
  | 'orders'
  | 'domains'
  | 'host'
  | 'log'
  | 'now'
>

/** Binds every verb to one rack's store, engine and objects. */
export function createOperations(parts: OperationsParts): OperationsRoom {
  const context: Context = {
    ...parts,
    caller: rackItself,
    tokens: createTokenKeeper({ ...parts, store: parts.store.tokens }),
    running: createRunningOperations(),
    recovery: createRecoveryProgress(),
    takingIn: createTakeInProgress(),
    health: createHealthBoard(),
    firstMinutes: new Map(),
    resting: new Map(),
    turns: createAppTurns(),
    admission: createAdmissionControl({ engine: parts.engine, journal: parts.store.operations }),
    images: createImageGate(),
    buildLogs: createBuildLogs(createLogParts(parts.objects), (build, error) =>
      parts.log('warn', `the log of ${build} is not whole, or in parts`, { code: codeOf(error) }),
    ),
  }
  const timers = createTimerKeeper(context)
  const backups = createScheduleKeeper(context)
  return {
    operations: createDoor({
      authenticate: (token) => context.tokens.authenticate(token),
      verbsFor: (caller) => bindOperations({ ...context, caller }),
      audit: createAudit(parts.store.audit, parts.log),
      hindrance: () => restoreHindrance(context),
    }),
    takeInToken: (name, sha256) => context.tokens.takeIn(name, sha256),
    recover: (control) => context.recovery.during(() => recover(context, control)),
    noteProcesses: (control) => noteProcesses(context, control),
    runTimers: async (control) => {
      if (await isRestoring(context)) return
      await Promise.all([timers.run(control), backups.run(control)])
    },
    keepHealed: async (control) => {
      await Promise.all([keepHealed(context, control), keepServices(context, control)])
    },
    keepCertified: (control) => keepCertified(context, control),
    livePlans: () => livePlansOf(context),
    async abandoned() {
      const open = await context.store.operations.running()
      // The end of its process closes a run.
      const changes = open.filter(({ kind }) => kind !== 'run')
      return changes.map(({ id }) => id).filter((id) => !context.running.has(id))
    },
    async interrupt() {
      const haveEnded = await context.running.interruptAll()
      if (!haveEnded) context.log('warn', 'what still runs is left to the next start')
    },
  }
}

function bindOperations(context: Context): Operations {
  const { store, admission } = context
  return {
    getRack: (control) => getRack(context, control),
    readMetrics: (control) => readMetrics(context, control),
    getCapacity: async (control) => tellHoldersTo(context.caller, await admission.capacity(control)),
    planRackBackup: async (scope, control) => (await planRackBackup(context, scope, control)).contents,
    backupRack: bind(context, backupRack),
    prune: (options, control) => prune(context, options, control),
    listTokens: () => context.tokens.list(),
    createToken: (token) => context.tokens.create(token),
    revokeToken: (name) => context.tokens.revoke(name),
    listAudit: (query) => store.audit.list(query),
    verifyAudit: () => store.audit.verify(),
    listApps: () => listApps(context),
    getApp: (app) => getApp(context, app),
    createApp: bind(context, createApp),
    setLocked: bind(context, setLocked),
    deleteApp: bind(context, deleteApp),
    cancelApp: (app) => cancelApp(context, app),
    ...bindMoves(context),
    ...bindBuildsAndReleases(context),
    ...bindEnvironmentAndProcesses(context),
    ...bindServicesAndLinks(context),
    listDomains: bind(context, listDomains),
    addDomain: bind(context, addDomain),
    removeDomain: bind(context, removeDomain),
    getPolicy: async () => context.policy.current(),
    changePolicy: bind(context, changePolicy),
    listParameters: bind(context, listParameters),
    changeParameters: bind(context, changeParameters),
    listRegistries: () => store.registries.list(),
    addRegistry: bind(context, addRegistry),
    removeRegistry: bind(context, removeRegistry),
    ...bindCertificates(context),
    ...bindVolumes(context),
    listTimers: bind(context, listTimers),
    getTimer: bind(context, getTimer),
    runTimer: bind(context, runTimer),
    timerHistory: bind(context, timerHistory),
    watchEvents: bind(context, watchEvents),
  }
}

function bindVolumes(context: Context) {
  return {
    listVolumes: bind(context, listVolumes),
    getVolume: bind(context, getVolume),
    deleteVolume: bind(context, deleteVolume),
    backupVolume: bind(context, backupVolume),
    dumpVolume: bind(context, dumpVolume),
    restoreVolume: bind(context, restoreVolume),
  }
}

function bindBuildsAndReleases(context: Context) {
  const { store } = context
  return {
    getKeptSource: bind(context, getKeptSource),
    buildApp: bind(context, buildApp),
    rebuildApp: bind(context, rebuildApp),
    async listBuilds(app: string, limit: number) {
      await findApp(context, app)
      return store.builds.list(app, limit)
    },
    getBuild: bind(context, findBuild),
    buildLog: bind(context, buildLog),
    cancelBuild: (app: string, build: string) => cancelBuild(context, app, build),
    deleteBuild: bind(context, deleteBuild),
    listReleases: bind(context, listReleases),
    getRelease: bind(context, getRelease),
    async releaseManifest(app: string, release: string) {
      const { build } = await findRelease(context, app, release)
      if (build === null) return ''
      const { source } = await store.builds.content(build)
      return source.files.map(({ text }) => text).join('---\n')
    },
    diffReleases: bind(context, diffReleases),
    planPromotion: (app: string, release: string, control: Control) =>
      previewChange(context, { app, release, underPolicy: true }, control),
    promoteRelease: bind(context, promoteRelease),
    rollbackRelease: bind(context, rollbackRelease),
  }
}

function bindServicesAndLinks(context: Context) {
  return {
    listServices: bind(context, listServices),
    getService: bind(context, getService),
    createService: bind(context, createService),
    setServiceUrl: bind(context, setServiceUrl),
    revealService: bind(context, revealService),
    restartService: bind(context, restartService),
    shareService: bind(context, shareService),
    unshareService: bind(context, unshareService),
    listShares: bind(context, listShares),
    planServiceUpdate: bind(context, planUpdate),
    updateService: bind(context, updateService),
    finishServiceUpdate: bind(context, finishUpdate),
    cancelService: bind(context, cancelService),
    deleteService: bind(context, deleteService),
    serviceLogs: bind(context, serviceLogs),
    listBackups: bind(context, listBackups),
    getBackup: bind(context, findBackup),
    backupService: bind(context, backupService),
    addBackup: bind(context, addBackup),
    readBackup: bind(context, readBackupOut),
    dumpService: bind(context, dumpOut),
    restoreBackup: bind(context, restoreBackup),
    deleteBackup: bind(context, deleteBackup),
    getBackupSchedule: bind(context, getBackupSchedule),
    setBackupSchedule: bind(context, setBackupSchedule),
    removeBackupSchedule: bind(context, removeBackupSchedule),
    exportService: bind(context, exportService),
    importService: bind(context, importService),
    openConsole: bind(context, openConsole),
    connectService: bind(context, connectService),
    listLinks: bind(context, listLinks),
    listProcessLinks: bind(context, listProcessLinks),
    checkLinks: bind(context, checkLinks),
    createLink: bind(context, createLink),
    rotateLink: bind(context, rotateLink),
    deleteLink: bind(context, deleteLink),
    revokeLogins: bind(context, revokeLogins),
    dropServiceData: bind(context, dropServiceData),
  }
}

function bindEnvironmentAndProcesses(context: Context) {
  return {
    getEnvironment: bind(context, getEnvironment),
    processEnvironment: bind(context, processVariables),
    changeEnvironment: bind(context, changeEnvironment),
    diffEnvironment: bind(context, diffEnvironment),
    listProcesses: bind(context, listProcesses),
    getProcess: bind(context, getProcess),
    readUsage: bind(context, readUsage),
    stopProcess: bind(context, stopProcess),
    runProcess: bind(context, runProcess),
    execProcess: bind(context, execProcess),
    copyFiles: bind(context, copyFiles),
    connectInside: bind(context, connectInside),
    getFormation: bind(context, getFormation),
    planScale: bind(context, planScale),
    scaleProcesses: bind(context, scaleProcesses),
    restartApp: bind(context, restartApp),
    appLogs: bind(context, appLogs),
    rackLogs: bind(context, rackLogs),
  }
}

function bind<Rest extends unknown[], Result>(
  context: Context,
  verb: (context: Context, ...rest: Rest) => Result,
): (...rest: Rest) => Result {
  return (...rest) => verb(context, ...rest)
}
