import { RackError } from './error.ts'
import type { Plan } from './plan.ts'

/**
 * An agent runs one copy on every instance, so its count says whether it runs.
 * @throws invalid for a plan that gives an agent another count than 0 or 1
 */
export function checkAgents({ owner, processes }: Plan): void {
  const wrong = processes.find(({ isAgent, count }) => isAgent && count > 1)
  if (!wrong) return
  throw new RackError(
    'invalid',
    `${wrong.type} is an agent, of which every instance runs one copy: its count cannot be ${wrong.count}`,
    { hint: `rack scale ${wrong.type}=1 --app ${owner.name}, or ${wrong.type}=0 to stop it` },
  )
}
