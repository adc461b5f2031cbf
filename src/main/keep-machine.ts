import type { Logger } from 'pino'
import type { Control } from '../domain/control.ts'
import type { PolicyKeeper } from '../domain/policy.ts'
import type { DockerEngine } from '../engines/docker/docker-engine.ts'
import type { Firewall } from '../host/firewall.ts'
import type { NameTable } from '../host/name-table.ts'
import type { Router } from '../router/router.ts'
import { repeatTelling } from './repeat.ts'

const routerPeriodMs = 1000
const firewallPeriodMs = 5000
const namesPeriodMs = 2000

interface KeptMachine {
  router: Router
  engine: DockerEngine
  firewall: Firewall
  nameTable: NameTable
  policy: PolicyKeeper
  log: Logger
}

/**
 * Keeps what a machine has beside its engine until the signal ends: revives the router, and makes the firewall's table
 * and the rules of names anew when somebody has flushed them.
 */
export async function keepMachine(kept: KeptMachine, control: Control): Promise<void> {
  await Promise.all([
    superviseRouter(kept, control),
    superviseFirewall(kept, control),
    superviseNames(kept, control),
  ])
}

async function superviseRouter({ router, log }: KeptMachine, control: Control): Promise<void> {
  const work = async () => void (await router.ensureRunning(control))
  await repeatTelling({ periodMs: routerPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the router cannot be revived')
  })
}

async function superviseFirewall({ firewall, policy, log }: KeptMachine, control: Control): Promise<void> {
  const work = async () => await applyPolicy(firewall, policy, control)
  await repeatTelling({ periodMs: firewallPeriodMs, work }, control, (error) => {
    const whether = policy.current().metadata ? 'may be kept from' : 'reach'
    log.warn({ err: error }, `apps ${whether} the machine's metadata service, against the policy`)
  })
}

async function superviseNames({ engine, nameTable, log }: KeptMachine, control: Control): Promise<void> {
  const work = async () => {
    await nameTable.writeDown()
    if (await engine.mendNames(control))
      log.warn('somebody has changed the rules that names stand on: made anew')
  }
  await repeatTelling({ periodMs: namesPeriodMs, work }, control, (error) => {
    log.error({ err: error }, 'the rules that names stand on cannot be kept')
  })
}

async function applyPolicy(firewall: Firewall, policy: PolicyKeeper, control: Control): Promise<void> {
  const mayAsk = policy.current().metadata
  const isClosed = await firewall.isClosed(control)
  if (mayAsk && isClosed) await firewall.open(control)
  if (!mayAsk && !isClosed) await firewall.close(control)
}
