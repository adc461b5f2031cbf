import type { Control } from '../domain/control.ts'
import type { AppLogLine, LogQuery } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { appOwner, isOfApp, ofApp } from '../domain/owner.ts'
import type { Context } from './context.ts'
import { findApp } from './find.ts'
import { findService } from './services/services.ts'

type Asked = Omit<LogQuery, 'owner'>

export async function* appLogs(
  context: Context,
  app: string,
  query: Asked,
  control: Control,
): AsyncIterable<AppLogLine> {
  refuseContradiction(query)
  await findApp(context, app)
  const lines = context.engine.logs({ ...query, owner: appOwner(app) }, control)
  for await (const line of lines) yield ofApp(line)
}

/** @throws not-found */
export async function* serviceLogs(
  context: Context,
  service: string,
  query: Asked,
  control: Control,
): AsyncIterable<AppLogLine> {
  refuseContradiction(query)
  await findService(context, service)
  const owner = { kind: 'service' as const, name: service }
  for await (const line of context.engine.logs({ ...query, owner }, control)) yield ofApp(line)
}

export async function* rackLogs(context: Context, query: Asked, control: Control): AsyncIterable<AppLogLine> {
  refuseContradiction(query)
  for await (const line of context.engine.logs(query, control)) if (isOfApp(line)) yield ofApp(line)
}

function refuseContradiction({ after, tail }: Asked): void {
  if (after === undefined || tail === undefined) return
  throw new RackError('usage', 'after and tail contradict each other', {
    hint: 'What comes behind a line is all wanted: leave tail out.',
  })
}
