import type { Control } from '../../domain/control.ts'
import type { Duplex } from '../../domain/engine.ts'
import { RackError } from '../../domain/error.ts'
import type { ExitCode } from '../../domain/process.ts'
import { hostedType, refuseUnready } from '../../domain/service.ts'
import type { Terminal } from '../../domain/terminal.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'
import { findRunning, noneOf } from './running-service.ts'
import { findService } from './services.ts'

/** The type's own client, as its administrator, on a terminal or on what is piped. @throws unsupported where there is none */
export async function openConsole(
  context: Context,
  name: string,
  { database }: { database: string | null },
  terminal: Terminal,
  control: Control,
): Promise<ExitCode> {
  const { service, type, copy } = await findRunning(context, name, 'console', control)
  if (!type.console) throw noneOf(service, 'console')
  const { command } = type.console(database)
  return await context.engine.exec(copy, [...command], terminal, control)
}

/** A byte stream to the port of a service. @throws conflict for one that does not run here; unreachable */
export async function connectService(context: Context, name: string, control: Control): Promise<Duplex> {
  const service = await findService(context, name)
  const run = await context.store.services.run(name)
  if (!run) {
    const hint =
      service.type === hostedType
        ? `Its URL is: rack services info ${name} --reveal`
        : 'Ask the rack that shares it.'
    throw new RackError('conflict', `${name} does not run here: somebody else runs it`, { hint })
  }
  refuseUnready(service)
  const address = { owner: serviceOwner(name), host: service.type, port: run.port }
  return await context.engine.connect(address, control)
}
