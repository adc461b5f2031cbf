import { RackError } from '../domain/error.ts'
import { checkParameter, parameterNames, parameterOf, type Parameter } from '../domain/parameter.ts'
import type { Control } from '../domain/control.ts'
import type { Context } from './context.ts'
import { openEntrance } from './services/sharing/entrance.ts'

export async function listParameters({ store }: Context): Promise<Parameter[]> {
  return await Promise.all(
    parameterNames.map(async (name) => parameterOf(name, await store.parameters.get(name))),
  )
}

/** Changes all of them or, when one is refused, none. What reads them sees it within seconds. */
export async function changeParameters(
  context: Context,
  values: Record<string, string>,
  control: Control,
): Promise<Parameter[]> {
  const changes = Object.entries(values).map(([name, value]) => ({
    name: checkParameter(name, value),
    value,
  }))
  if (changes.length === 0) throw new RackError('invalid', 'no parameter was to be changed')
  const before = new Map((await listParameters(context)).map(({ name, value }) => [name, value]))
  for (const { name, value } of changes) await context.store.parameters.set(name, value)
  try {
    if (changes.some(({ name }) => name.startsWith('shares.'))) await openEntrance(context, control)
  } catch (error) {
    for (const { name } of changes) await context.store.parameters.set(name, before.get(name)!)
    throw error
  }
  context.log('info', 'parameters are changed', { actor: context.caller.name, values })
  return await listParameters(context)
}
