import { mask, maskText, type Environment } from './environment.ts'
import type { Plan } from './plan.ts'
import { maskRouting } from './routing.ts'

/**
 * The plan as a person may see it: names stay, every value and every file's content is masked, also where the compose
 * file has put a value of the app's environment into a command, a check, a label or a kernel parameter.
 */
export function maskPlan(plan: Plan, environment: Environment): Plan {
  const words = (list: string[]) => list.map((word) => maskText(word, environment))
  const values = (record: Record<string, string>) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, maskText(value, environment)]))
  const processes = plan.processes.map((processPlan) => ({
    ...processPlan,
    environment: Object.fromEntries(Object.keys(processPlan.environment).map((name) => [name, mask])),
    command: processPlan.command && words(processPlan.command),
    entrypoint: processPlan.entrypoint && words(processPlan.entrypoint),
    releaseCommand: processPlan.releaseCommand && words(processPlan.releaseCommand),
    timers: processPlan.timers.map((timer) => ({
      ...timer,
      command: maskText(timer.command, environment),
    })),
    routing: maskRouting(processPlan.routing),
    ...(processPlan.shared && {
      shared: processPlan.shared.map((led) => ({ ...led, end: { ...led.end, certificate: mask } })),
    }),
    healthcheck: processPlan.healthcheck && {
      ...processPlan.healthcheck,
      test: words(processPlan.healthcheck.test),
    },
    labels: values(processPlan.labels),
    files: processPlan.files.map((file) => ({ ...file, content: mask })),
    container: { ...processPlan.container, sysctls: values(processPlan.container.sysctls) },
  }))
  return { ...plan, processes }
}
