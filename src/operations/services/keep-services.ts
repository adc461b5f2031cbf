import type { Control } from '../../domain/control.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import { ownerKey } from '../../domain/owner.ts'
import type { Process } from '../../domain/process.ts'
import type { Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { isRestoring } from '../rack-backup/take-in.ts'
import { watchApps } from '../watch-apps.ts'
import { serviceOwner } from './bring-up.ts'
import { convergeService } from './converge-service.ts'
import { revokeBehind } from './logins.ts'
import { isChanging } from './service-work.ts'
import { endShares } from './sharing/shares.ts'

/** How soon one is looked at again that could not be brought back. */
const laterMs = 10_000

/** Of a copy in one of these the engine itself takes care. */
const there: ReadonlySet<Process['status']> = new Set([
  'starting',
  'running',
  'unhealthy',
  'restarting',
  'crashed',
])

/** Brings back services whose copy somebody has stopped or removed, until the signal ends. */
export async function keepServices(context: Context, control: Control): Promise<void> {
  const watcher = {
    of: 'service' as const,
    failure: 'services that shall run are not compared with what runs',
    look: async (name: string | null, again: (name: string, inMs: number) => void, own: Control) => {
      // Their data is not there yet; what is brought about afterwards is seen.
      if (await isRestoring(context)) return
      const running = (await context.store.services.list()).filter(({ status }) => status === 'running')
      if (name === null) {
        await endShares(context, own)
        await revokeBehind(context, own)
      }
      for (const service of running.filter((each) => name === null || each.name === name)) {
        if (await mend(context, service, own)) continue
        again(service.name, laterMs)
      }
    },
  }
  await watchApps(context, watcher, control)
}

/** False when it is to be looked at again. */
async function mend(context: Context, service: Service, control: Control): Promise<boolean> {
  const { name } = service
  if (isChanging(context, name) || context.recovery.isConverging()) return false
  try {
    await context.turns.run(ownerKey(serviceOwner(name)), control.signal, async () => {
      const lacks =
        (await context.store.services.run(name)) !== null && !(await isThere(context, name, control))
      if (!lacks || (await context.store.services.get(name))?.status !== 'running') return
      context.log('warn', `the service ${name} does not run, and is brought back`)
      await convergeService(context, service, control)
    })
    return true
  } catch (error) {
    if (control.signal.aborted) throw error
    const facts = { code: codeOf(error), reason: knownError(error).message }
    context.log('warn', `the service ${name} cannot be brought back`, facts)
    return false
  }
}

async function isThere({ engine }: Context, name: string, control: Control): Promise<boolean> {
  const found = await engine.processes({ owner: serviceOwner(name), all: true }, control)
  return found.some(({ kind, status }) => kind === 'process' && there.has(status))
}
