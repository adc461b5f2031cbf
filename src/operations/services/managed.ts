import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Service, ServiceRun } from '../../domain/service.ts'
import type { ServiceType } from '../../services/service-type.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'
import type { NewService } from './service-operations.ts'

/** Whoever asks for one knows that it is made elsewhere, and costs there. @throws unsupported; invalid */
export function refuseUnmanaged(
  { engine }: Pick<Context, 'engine'>,
  type: ServiceType | null,
  { type: word, managed = false }: NewService,
): void {
  if (!managed) return
  const { managedServices } = engine.features
  if (type?.managed && managedServices.includes(type.name)) return
  const can =
    managedServices.length === 0
      ? 'this rack runs all services itself'
      : `it has these run by its account: ${managedServices.join(', ')}`
  throw new RackError('unsupported', `nobody runs a ${word} for this rack: ${can}`, {
    hint: 'Leave out --managed: the rack runs it from an image. Or give the URL of one: rack services create url',
    details: { type: word, managedServices },
  })
}

/** @throws unsupported for what only one that runs here can be asked for */
export function refuseManaged({ name }: Pick<Service, 'name'>, run: ServiceRun, what: string): void {
  if (!run.managed) return
  throw new RackError('unsupported', `the account runs ${name}: ${what}`, {
    hint: `A backup of it makes a service beside it: rack services backup ${name}, rack services restore ID --into NAME`,
  })
}

/** Has the cloud run a service that it is to run, and writes down where it is. Safe to repeat. */
export async function provisionService(
  context: Context,
  { name, type: word }: Pick<Service, 'name' | 'type'>,
  control: Control,
): Promise<void> {
  const { engine, store } = context
  const run = await store.services.run(name)
  if (!run?.managed) return
  const { host: _host, ...asked } = run.managed
  say(context, control, `the account makes a ${asked.kind} for ${name}; that takes some ten minutes`)
  const address = await engine.provision({ name, ...asked }, control)
  const environment = { ...run.environment, ...findServiceType(word)!.managed!(address) }
  await store.services.change(name, {
    run: { ...run, port: address.port, environment, managed: { ...run.managed, host: address.host } },
  })
}

/** Has the cloud take it away; gives what that keeps of its data. Safe to repeat. */
export async function deprovisionService(
  context: Context,
  { name }: Pick<Service, 'name'>,
  control: Control,
): Promise<string | null> {
  const { engine, store } = context
  if (!(await store.services.run(name))?.managed) return null
  const kept = await engine.deprovision(name, control)
  if (kept !== null) say(context, control, `the account keeps the last snapshot of ${name}: ${kept}`)
  return kept
}
