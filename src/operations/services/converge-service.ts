import type { Control } from '../../domain/control.ts'
import type { Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { deployService, servicePlan } from './bring-up.ts'

/** Has it run as it shall; what does is left as it is. To be called in the service's turn. */
export async function convergeService(context: Context, service: Service, control: Control): Promise<void> {
  const plan = await servicePlan(context, service)
  if (plan)
    await deployService(
      context,
      plan,
      { isNew: false, only: plan.processes.map(({ type }) => type) },
      control,
    )
}
