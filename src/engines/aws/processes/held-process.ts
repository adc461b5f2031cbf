import type { Control } from '../../../domain/control.ts'
import type { OneOff } from '../../../domain/engine.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import { imageSettings } from '../images/image-settings.ts'
import type { AwsParts } from '../parts.ts'
import { toolPath } from '../tool-orders.ts'

/**
 * The process of a one-off that a terminal is to be joined to: ECS has no attach, so the tool is process 1, and starts the
 * command when the terminal is there (aws.md 1.4).
 */
export async function heldProcess(
  parts: AwsParts,
  { process: plan, command, timeoutMs }: Pick<OneOff, 'process' | 'command' | 'timeoutMs'>,
  terminal: Pick<Terminal, 'tty' | 'input'>,
  control: Control,
): Promise<ProcessPlan> {
  const ofImage = plan.entrypoint === null ? await imageSettings(parts, plan.image, control) : null
  const entrypoint = plan.entrypoint ?? ofImage?.entrypoint ?? []
  const flags = [
    ...(terminal.tty ? ['-tty'] : []),
    ...(terminal.input === null ? [] : ['-input']),
    ...(timeoutMs === null ? [] : ['-timeout', `${timeoutMs}ms`]),
  ]
  return {
    ...plan,
    entrypoint: [toolPath, 'hold', ...flags, '--', ...entrypoint],
    // None is the image's own, as where no tool stands before it.
    command: command.length > 0 ? command : (ofImage?.command ?? []),
    // The command's terminal is the tool's.
    container: { ...plan.container, tty: false },
  }
}
