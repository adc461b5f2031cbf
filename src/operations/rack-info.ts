import type { Control } from '../domain/control.ts'
import type { Context } from './context.ts'
import { endpointsOf } from './endpoints.ts'
import { findApp } from './find.ts'
import { changeOf } from './journal/start-operation.ts'
import type { AppInfo, RackInfo } from './operations.ts'
import { livePlanOf } from './read-release.ts'

export async function getRack(context: Context, isConverging: boolean, control: Control): Promise<RackInfo> {
  const { rack, store, running, desk } = context
  const [apps, router, engine, capacity] = await Promise.all([
    store.apps.list(),
    rack.router(),
    rack.engineVersion(),
    desk.capacity(control),
  ])
  const changing = running.size > 0 ? 'updating' : 'running'
  return {
    name: rack.name,
    status: isConverging ? 'converging' : changing,
    version: rack.version,
    domain: rack.domain,
    http: rack.httpPort === 80 ? 'http://localhost' : `http://localhost:${rack.httpPort}`,
    daemon: rack.daemon(),
    router,
    engine,
    capacity,
    apps: apps.length,
  }
}

export async function getApp(context: Context, name: string): Promise<AppInfo> {
  const app = await findApp(context, name)
  const plan = await livePlanOf(context, name)
  return {
    ...app,
    endpoints: plan ? endpointsOf(plan, context.rack) : [],
    formation: await context.store.formations.get(name),
    operation: await changeOf(context, name),
  }
}
