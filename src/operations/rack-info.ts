import type { App } from '../domain/app.ts'
import type { Control } from '../domain/control.ts'
import type { UnservedPort } from '../domain/endpoint.ts'
import type { Operation } from '../domain/operation.ts'
import { isOneOf, type Caller } from '../domain/caller.ts'
import type { Context } from './context.ts'
import { endpointsOf } from './endpoints.ts'
import type { RouterLoad } from '../domain/router-load.ts'
import { findApp } from './find.ts'
import type { ToldLack } from './healing/health-board.ts'
import { changeOf } from './journal/start-operation.ts'
import type { AppInfo, AppSummary, RackInfo } from './operations.ts'
import { restoringOf } from './rack-backup/take-in.ts'
import { livePlanOf } from './read-release.ts'
import { tellHoldersTo } from './tell-holders.ts'

export async function getRack(context: Context, control: Control): Promise<RackInfo> {
  const { rack, store, running, recovery, admission, caller } = context
  const [all, host, unservedPorts, engine, capacity, restoring] = await Promise.all([
    store.apps.list(),
    context.host.describe(),
    context.host.unservedPorts(),
    context.engine.about(control),
    admission.capacity(control),
    restoringOf(context),
  ])
  const apps = all.filter(({ name }) => isOneOf(caller, name))
  const changing = running.size > 0 ? 'updating' : 'running'
  return {
    name: rack.name,
    // Between two tries too.
    status: recovery.isConverging() || restoring ? 'converging' : changing,
    version: rack.version,
    domain: rack.domain,
    ...host,
    router: { ...host.router, load: host.router.load && loadFor(caller, host.router.load) },
    engine,
    capacity: tellHoldersTo(caller, capacity),
    apps: apps.length,
    degraded: apps.flatMap((app) => (lacksIn(context, app).length > 0 ? [app.name] : [])),
    comingBack: recovery.waiting(apps.filter(({ release }) => release !== null).map(({ name }) => name)),
    unservedPorts: unservedPorts.filter(({ app }) => app === null || isOneOf(caller, app)),
    // It names apps and services.
    restoring: caller.apps === null ? restoring : null,
  }
}

function loadFor(caller: Caller, load: RouterLoad): RouterLoad {
  const apps = Object.entries(load.apps).filter(([app]) => isOneOf(caller, app))
  return { ...load, apps: Object.fromEntries(apps) }
}

export async function listApps(context: Context): Promise<AppSummary[]> {
  const [apps, unserved] = await Promise.all([context.store.apps.list(), context.host.unservedPorts()])
  return apps.map((app) => summarize(context, app, unserved))
}

export async function getApp(context: Context, name: string): Promise<AppInfo> {
  const { store, engine } = context
  const app = await findApp(context, name)
  const unserved = await context.host.unservedPorts()
  const plan = await livePlanOf(context, name)
  const latest = await store.operations.list(name, historyLimit)
  return {
    ...summarize(context, app, unserved),
    endpoints: plan ? endpointsOf(engine, plan) : [],
    formation: await store.formations.get(name),
    operation: await changeOf(context, name),
    changed: latest.find(isDone) ?? null,
    healed: latest.find(({ kind }) => kind === 'heal') ?? null,
  }
}

/** What somebody asked for, and the rack when it went back. */
function isDone({ kind, receipt }: Operation): boolean {
  return kind !== 'heal' && receipt !== null
}

/** How far back it is told what was done, and that copies were brought back. */
const historyLimit = 50

function summarize(context: Context, app: App, unserved: UnservedPort[]): AppSummary {
  const lacks = lacksIn(context, app)
  return {
    ...app,
    status: lacks.length > 0 ? 'degraded' : app.status,
    lacks,
    unservedPorts: unserved.filter((port) => port.app === app.name),
  }
}

/** While it is changed what is there says nothing. */
function lacksIn({ health }: Context, { name, status }: App): ToldLack[] {
  return status === 'running' ? health.lacksOf(name) : []
}
