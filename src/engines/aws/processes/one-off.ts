import type { Control } from '../../../domain/control.ts'
import type { OneOff, RunningOneOff } from '../../../domain/engine.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { Process } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import { mainContainer } from '../definition/task-definition.ts'
import { ensureAccessPoints } from '../deploy/access-points.ts'
import { ensureApp } from '../deploy/app-places.ts'
import { makeDefinition } from '../deploy/make-parts.ts'
import { removeDefinition } from '../leaving/remove-parts.ts'
import { joinHeld } from '../exec/exec.ts'
import { commandName } from '../jobs/jobs.ts'
import type { FoundTask } from '../look/found.ts'
import { generationName, makeGenerationId, type GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { findVolumes } from '../volumes/find-volumes.ts'
import { describeProcess } from './describe-process.ts'
import { endOfOneOff } from './end-of-one-off.ts'
import { heldProcess } from './held-process.ts'
import { leaveMs, startTask, stopTask, type OneOffRun } from './start-one-off.ts'

/** Starts one process outside the formation; what it was made from goes when it has ended. */
export async function runOneOff(
  parts: AwsParts,
  oneOff: OneOff,
  terminal: Terminal | null,
  control: Control,
): Promise<RunningOneOff> {
  const { owner } = oneOff
  const generation = familyOf(parts, oneOff)
  const held = terminal ? await heldProcess(parts, oneOff, terminal, control) : null
  const process = { ...(held ?? { ...oneOff.process, command: oneOff.command }), ...alone }
  const plan: Plan = {
    rack: parts.rack,
    owner,
    release: oneOff.release,
    build: '',
    processes: [process],
    volumes: [],
  }
  const accessPoints = await ensureAccessPoints(parts, plan, control)
  const volumes = await findVolumes(parts, { owner }, control)
  const app = await ensureApp(parts, { owner, accessPoints: volumes.map(({ id }) => id) }, control)
  const order = { plan, process }
  const name = generationName(generation)
  parts.preparing.add(name)
  try {
    const definition = await makeDefinition({ parts, app, accessPoints }, { generation, order }, control)
    const run: OneOffRun = { parts, oneOff, app, definition }
    const task = await startTask(run, control)
    parts.adopted.add(task.arn)
    const carried = terminal ? await join(run, task, terminal, control) : null
    const exit = endOfOneOff(parts, {
      arn: task.arn,
      // Release commands belong to a deploy, which clears up after itself.
      generation: oneOff.kind === 'release-command' ? null : generation,
      operation: oneOff.operation,
      command: oneOff.command,
      timeoutMs: terminal ? null : oneOff.timeoutMs,
      given: carried ? carried.carried.catch(toldUnless(control.signal, parts)) : null,
    })
    return { process: describe(run, task), exit }
  } catch (error) {
    await removeDefinition(parts, generation, { signal: AbortSignal.timeout(leaveMs) })
    throw error
  } finally {
    parts.preparing.delete(name)
  }
}

/** A client that goes away breaks the streams: the exit tells what became of the process. */
function toldUnless(client: AbortSignal, { onTrouble }: AwsParts): (error: unknown) => void {
  return (error) => {
    if (!client.aborted) onTrouble(error)
  }
}

/** Nothing of a type that is reached or checked applies. */
const alone: Pick<ProcessPlan, 'ports' | 'internalPorts' | 'aliases' | 'healthcheck'> = {
  ports: [],
  internalPorts: [],
  aliases: [],
  healthcheck: null,
}

/** A release command is looked for by what it is made from: once a release. */
function familyOf(parts: AwsParts, { owner, process: { type }, kind, release }: OneOff): GenerationName {
  if (kind === 'release-command') return commandName({ rack: parts.rack, owner, type, release })
  return { owner, type, id: makeGenerationId(parts.randomBytes) }
}

/** Settles when the terminal is joined to the command, or that has ended. */
async function join(
  { parts }: OneOffRun,
  { arn, process: id }: FoundTask,
  terminal: Terminal,
  control: Control,
): Promise<{ carried: Promise<unknown> }> {
  const { promise: started, resolve: onStarted, reject } = Promise.withResolvers<void>()
  const place = { taskArn: arn, container: mainContainer, process: id }
  const carried = joinHeld(parts, place, { terminal, onStarted }, control)
  carried.catch(reject)
  try {
    await started
    return { carried }
  } catch (error) {
    await stopTask(parts, arn, 'its client has left', AbortSignal.timeout(leaveMs))
    throw error
  }
}

function describe({ oneOff }: OneOffRun, last: FoundTask): Process {
  const known = { last, before: [], generation: null, definition: null, isVacant: false }
  return { ...describeProcess(known), command: oneOff.command }
}
