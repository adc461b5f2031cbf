import type { Control } from '../../domain/control.ts'
import { readDomain, type Domain, type ToldDomain } from '../../domain/domain-name.ts'
import { processNamePattern } from '../../domain/manifest.ts'
import type { Plan } from '../../domain/plan.ts'
import type { Port } from '../../domain/port.ts'
import { RackError } from '../../domain/error.ts'
import type { Context } from '../context.ts'
import { findApp } from '../find.ts'
import { refuseComing } from '../journal/start-operation.ts'
import { livePlanOf } from '../read-release.ts'

/** Of one app or of all, by name. */
export async function listDomains(context: Context, { app }: { app?: string }): Promise<ToldDomain[]> {
  if (app !== undefined) await findApp(context, app)
  const all = context.domains.current().filter((domain) => app === undefined || domain.app === app)
  return all.map((domain) => told(context, domain))
}

function told({ host, rack }: Context, domain: Domain): ToldDomain {
  const state = host.nameStates().find(({ name }) => name === domain.name)
  // Below the rack's own the record of that leads, or one that the rack has put there.
  const balancer = domain.name.endsWith(`.${rack.domain}`) ? null : host.balancerOf(domain.app)
  return {
    ...domain,
    ...(state && { certificate: { state: state.state, record: state.record, reason: state.reason } }),
    ...(balancer !== null && { balancer }),
  }
}

/**
 * Gives an app a domain, which is served at once where the app is; no release is made. Safe to repeat.
 * @param domain of one process, or of the app's only HTTP process or `web`
 * @throws invalid for what is no domain; conflict for one that another app has, or that is an app's own name; not-found for
 * a process that serves no HTTP; whatever the engine says where a process has too many names
 */
export async function addDomain(
  context: Context,
  app: string,
  domain: { name: string; process: string | null },
  control: Control,
): Promise<ToldDomain> {
  const { domains, host, caller } = context
  const name = readDomain(domain.name)
  await findApp(context, app)
  await refuseComing(context, app)
  await refuseOwnNames(context, name)
  const plan = await livePlanOf(context, app)
  control.signal.throwIfAborted()
  checkProcess(app, plan, domain.process)
  if (plan) refuseTooMany(context, plan, { name, app, process: domain.process })
  const kept = await domains.add({ name, app, process: domain.process })
  if (kept.app !== app || kept.process !== domain.process) throw heldDomain(kept)
  await host.updateRouter(control)
  context.log('info', 'a domain is added', { app, domain: name, actor: caller.name })
  return told(context, kept)
}

/** @throws not-found */
export async function removeDomain(
  context: Context,
  app: string,
  text: string,
  control: Control,
): Promise<void> {
  const { domains, host } = context
  await findApp(context, app)
  await refuseComing(context, app)
  const name = readDomain(text)
  if (!(await domains.remove(app, name))) {
    throw new RackError('not-found', `${app} has no domain ${name}`, {
      hint: `See them with: rack domains --app ${app}`,
    })
  }
  await host.updateRouter(control)
}

/**
 * Refuses an app whose own name somebody has as a domain.
 * @throws conflict
 */
export function refuseHeldName({ domains, rack }: Context, app: string): void {
  const own = `${app}.${rack.domain}`
  const holder = domains.current().find(({ name }) => name === own || name.endsWith(`.${own}`))
  if (holder) throw heldDomain(holder)
}

/**
 * Refuses a domain that an app that is not there yet cannot have.
 * @param domain as a rack keeps it
 * @throws conflict, which names the holder; invalid
 */
export async function refuseHeldDomain(
  context: Context,
  { name, process }: { name: string; process: string | null },
): Promise<void> {
  if (readDomain(name) !== name || (process !== null && !processNamePattern.test(process)))
    throw new RackError('invalid', `${JSON.stringify(name)} is no domain as a rack writes it`)
  await refuseOwnNames(context, name)
  const holder = context.domains.current().find((domain) => domain.name === name)
  if (holder) throw heldDomain(holder)
}

/** `<app>.<domain>` and all below are the app's by its name. */
async function refuseOwnNames({ store, rack }: Context, name: string): Promise<void> {
  const end = `.${rack.domain}`
  if (name === rack.domain) {
    throw new RackError(
      'conflict',
      `${name} cannot be given away: it is the rack's own, and its API is there`,
      {
        hint: `Take a name below it, or another one: rack domains add www.${name} --app APP`,
      },
    )
  }
  if (!name.endsWith(end)) return
  const app = name.slice(0, -end.length).split('.').at(-1)!
  if (app !== '*' && !(await store.apps.get(app))) return
  const whose = app === '*' ? 'apps have names of that kind' : `${app} has it by its name`
  throw new RackError('conflict', `${name} cannot be given away: ${whose}`, {
    hint: 'Apps are reached as <app>.' + rack.domain,
  })
}

/** Beside those that it has; of an app that is not live yet its first deploy says so. */
function refuseTooMany({ engine, domains }: Context, plan: Plan, domain: Omit<Domain, 'since'>): void {
  const since = new Date(0).toISOString()
  const [obstacle] = engine.nameObstacles(plan, [...domains.current(), { ...domain, since }])
  if (obstacle) throw obstacle
}

/** An app that is not live yet may have any process. */
function checkProcess(app: string, plan: Plan | null, process: string | null): void {
  if (!plan) return
  const all = plan.processes.filter(({ hosts }) => hosts.length > 0).map(({ type }) => type)
  const raw = plan.processes.filter(({ ports }) => ports.some(endsTls)).map(({ type }) => type)
  const web = all.length > 0 && process === null ? all : [...new Set([...all, ...raw])]
  if (process === null ? web.length === 1 || web.includes('web') : web.includes(process)) return
  const names = web.length > 0 ? `it has ${web.join(', ')}` : 'it has none'
  const what = process === null ? 'no HTTP process of that is the main one' : `no HTTP process ${process}`
  throw new RackError('not-found', `${app} has ${what}: ${names}`, {
    hint: web.length > 0 ? `Name one: --process ${web[0]}` : 'Open a port: "80:5000"',
  })
}

/** Of a port by tcp, where it is led by the name that clients ask TLS for. */
function endsTls({ external, protocol }: Port): boolean {
  return external !== null && protocol === 'tls'
}

/** What is said of a domain that another app has. */
export function heldDomain({ name, app, process }: Domain): RackError {
  const which = process === null ? app : `${app} (${process})`
  return new RackError('conflict', `the domain ${name} is held by ${which}`, {
    hint: `Take it away there first: rack domains remove ${name} --app ${app}`,
    details: { domain: name, app },
  })
}
