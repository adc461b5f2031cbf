import type { LogBudget } from '../domain/parameter.ts'
import { logBudgetOf } from '../domain/parameter.ts'
import type { ParameterStore } from '../domain/stores/rack-stores.ts'

const goodForMs = 5000

/** What the parameters say of the logs, as it was in the store at most some seconds ago; with a store that is away, as it was before. */
export async function openLogBudget(
  parameters: ParameterStore,
  onTrouble: (error: unknown) => void,
): Promise<() => LogBudget> {
  const read = async () => logBudgetOf(await parameters.get('logs.size'), await parameters.get('logs.age'))
  let budget = await read()
  let readAt = performance.now()
  const refresh = async () => {
    readAt = performance.now()
    try {
      budget = await read()
    } catch (error) {
      onTrouble(error)
    }
  }
  return () => {
    if (performance.now() - readAt > goodForMs) void refresh()
    return budget
  }
}
