import { createHash } from 'node:crypto'
import { checkAppName } from '../domain/app.ts'
import type { Control } from '../domain/control.ts'
import { codeOf } from '../domain/error.ts'
import type { Release } from '../domain/release.ts'
import { createAdmissionDesk } from './admission-desk.ts'
import { buildApp } from './build-app.ts'
import { buildLog, cancelBuild, deleteBuild } from './builds.ts'
import { createBuildLogs } from './build-logs.ts'
import { cancelApp } from './cancel-app.ts'
import { changePolicy } from './change-policy.ts'
import { previewChange } from './change-live.ts'
import type { Context } from './context.ts'
import { deleteApp } from './delete-app.ts'
import { diffReleases } from './diff-releases.ts'
import { findApp, findBuild, findRelease } from './find.ts'
import { createImageGate } from './image-gate.ts'
import { createAppTurns } from './journal/app-turns.ts'
import { recover } from './journal/recover.ts'
import { createRunningOperations } from './journal/running-operations.ts'
import type { Operations, ReleaseInfo } from './operations.ts'
import { appLogs, execProcess, getProcess, listProcesses, runProcess, stopProcess } from './processes.ts'
import { promoteRelease, rollbackRelease } from './promote-release.ts'
import { prune } from './prune.ts'
import { getApp, getRack } from './rack-info.ts'
import { restartApp } from './restart-app.ts'
import { getFormation, planScale, scaleProcesses } from './scale-process.ts'
import { changeEnvironment, diffEnvironment, getEnvironment, processVariables } from './set-environment.ts'
import { deleteVolume, getVolume, listVolumes } from './volumes.ts'

/** The verbs, and what only the daemon that runs them may do. */
export interface OperationsRoom {
  operations: Operations
  /** Finishes or undoes what a dead daemon left, then brings every live plan about; also when the engine is back. */
  recover(control: Control): Promise<boolean>
  /** Ends what runs here for the daemon's stop; the journal keeps it for the next start. */
  interrupt(): Promise<void>
}

export type OperationsParts = Pick<
  Context,
  'rack' | 'store' | 'engine' | 'objects' | 'policy' | 'log' | 'now'
>

/** Binds every verb to one rack's store, engine and objects. */
export function createOperations(parts: OperationsParts): OperationsRoom {
  const context: Context = {
    ...parts,
    running: createRunningOperations(),
    turns: createAppTurns(),
    desk: createAdmissionDesk(parts.engine),
    images: createImageGate(),
    buildLogs: createBuildLogs(parts.objects, (build, error) =>
      parts.log('warn', `the log of ${build} is not whole`, { code: codeOf(error) }),
    ),
  }
  let converging = 0
  return {
    operations: bindOperations(context, () => converging > 0),
    async recover(control) {
      converging++
      try {
        return await recover(context, control)
      } finally {
        converging--
      }
    },
    async interrupt() {
      const haveEnded = await context.running.interruptAll()
      if (!haveEnded) context.log('warn', 'what still runs is left to the next start')
    },
  }
}

function bindOperations(context: Context, isConverging: () => boolean): Operations {
  const { store, rack, desk } = context
  return {
    authenticate: (token) => store.tokens.find(createHash('sha256').update(token).digest('hex')),
    getRack: (control) => getRack(context, isConverging(), control),
    getCapacity: (control) => desk.capacity(control),
    prune: (options, control) => prune(context, options, control),
    listApps: () => store.apps.list(),
    getApp: (app) => getApp(context, app),
    async createApp(app) {
      checkAppName(app, rack.name)
      await store.apps.create(app)
      await store.apps.setStatus(app, 'running')
      return findApp(context, app)
    },
    async setLocked(app, locked) {
      await findApp(context, app)
      await store.apps.setLocked(app, locked)
      return findApp(context, app)
    },
    deleteApp: bind(context, deleteApp),
    cancelApp: (app) => cancelApp(context, app),
    ...bindBuildsAndReleases(context),
    ...bindEnvironmentAndProcesses(context),
    listVolumes: bind(context, listVolumes),
    getPolicy: async () => context.policy.current(),
    changePolicy: bind(context, changePolicy),
    getVolume: bind(context, getVolume),
    deleteVolume: bind(context, deleteVolume),
  }
}

function bindBuildsAndReleases(context: Context) {
  const { store } = context
  return {
    buildApp: bind(context, buildApp),
    async listBuilds(app: string, limit: number) {
      await findApp(context, app)
      return store.builds.list(app, limit)
    },
    getBuild: bind(context, findBuild),
    buildLog: bind(context, buildLog),
    cancelBuild: (app: string, build: string) => cancelBuild(context, app, build),
    deleteBuild: bind(context, deleteBuild),
    async listReleases(app: string, limit: number) {
      const { release: live } = await findApp(context, app)
      return (await store.releases.list(app, limit)).map((release) => withLive(release, live))
    },
    async getRelease(app: string, release: string) {
      const found = await findRelease(context, app, release)
      return withLive(found, (await findApp(context, app)).release)
    },
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

function bindEnvironmentAndProcesses(context: Context) {
  return {
    getEnvironment: bind(context, getEnvironment),
    processEnvironment: bind(context, processVariables),
    changeEnvironment: bind(context, changeEnvironment),
    diffEnvironment: bind(context, diffEnvironment),
    listProcesses: bind(context, listProcesses),
    getProcess: bind(context, getProcess),
    stopProcess: bind(context, stopProcess),
    runProcess: bind(context, runProcess),
    execProcess: bind(context, execProcess),
    getFormation: bind(context, getFormation),
    planScale: bind(context, planScale),
    scaleProcesses: bind(context, scaleProcesses),
    restartApp: bind(context, restartApp),
    appLogs: bind(context, appLogs),
  }
}

function bind<Rest extends unknown[], Result>(
  context: Context,
  verb: (context: Context, ...rest: Rest) => Result,
): (...rest: Rest) => Result {
  return (...rest) => verb(context, ...rest)
}

function withLive(release: Release, live: string | null): ReleaseInfo {
  return { ...release, live: release.id === live }
}
