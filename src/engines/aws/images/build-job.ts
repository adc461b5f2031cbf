import type { Build } from '@aws-sdk/client-codebuild'
import { buildTooLong, type BuiltImages } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { pause } from '../../../lib/poll.ts'
import { bucketVariable, buildspec, ordersVariable } from '../../../aws/build-spec.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { pages } from '../look/found.ts'
import { notThere } from '../not-there.ts'
import type { AwsParts } from '../parts.ts'
import {
  createRecordQueue,
  errorOfRecord,
  readRecord,
  type BuildOrders,
  type BuildRecord,
} from './build-orders.ts'

type Job = Pick<AwsParts, 'clients' | 'places' | 'intervals'>

/** How long the log may keep what a build has said, once it has ended. */
const lateMs = 60_000
/** Lines may be found later than those after them (J), so that the last ones are read again and again. */
const overlapMs = 10_000
/** Asked so often, a build that is still queued is said to wait. */
const saidAfter = 10
/** CodeBuild takes 5 minutes to 36 hours (S). */
const [leastMinutes, mostMinutes] = [5, 2160]

/** Has CodeBuild carry orders out, and says what it says; the end of the signal ends it. @throws what the build threw */
export async function runBuildJob(
  job: Job,
  { key, orders }: { key: string; orders: BuildOrders },
  control: Control,
): Promise<BuiltImages> {
  const { clients, places } = job
  if (places.buildProject === null) throw notThere('build', 'its stack has no project of CodeBuild')
  const minutes = Math.ceil(orders.deadlineMs / 60_000) + leastMinutes
  const { build } = await clients.builds.startBuild(
    {
      projectName: places.buildProject,
      idempotencyToken: orders.build,
      sourceTypeOverride: 'NO_SOURCE',
      buildspecOverride: buildspec,
      timeoutInMinutesOverride: Math.min(minutes, mostMinutes),
      environmentVariablesOverride: [
        { name: bucketVariable, value: places.bucket, type: 'PLAINTEXT' },
        { name: ordersVariable, value: key, type: 'PLAINTEXT' },
      ],
    },
    { abortSignal: control.signal },
  )
  const id = build!.id!
  const last = await lastRecord(job, { id, orders }, control).catch(async (error: unknown) => {
    await stopBuild(job, id)
    throw error
  })
  if (last.says === 'failed') throw errorOfRecord(last)
  return last.images
}

/** Under a signal of its own: a cancelled build does not go on. */
async function stopBuild({ clients }: Job, id: string): Promise<void> {
  const abortSignal = AbortSignal.timeout(30_000)
  const { builds: [found] = [] } = await clients.builds.batchGetBuilds({ ids: [id] }, { abortSignal })
  if (found?.buildComplete !== true) await clients.builds.stopBuild({ id }, { abortSignal })
}

type LastRecord = Exclude<BuildRecord, { says: 'progress' }>

/** Says what the build says until its program has ended; the rest of the build ends by itself. */
async function lastRecord(
  job: Job,
  { id, orders }: { id: string; orders: BuildOrders },
  control: Control,
): Promise<LastRecord> {
  const { clients, intervals } = job
  const queue = createRecordQueue()
  const log = createLogReader(job)
  let waits = 0
  let endedMs: number | null = null
  for (;;) {
    const { builds: [build] = [] } = await clients.builds.batchGetBuilds(
      { ids: [id] },
      { abortSignal: control.signal },
    )
    if (!build) throw new RackError('engine-failed', `CodeBuild knows nothing of the build ${id}`)
    // Every build is queued for a moment.
    if (build.currentPhase === 'QUEUED' && ++waits === saidAfter) {
      sayIn(control, 'waiting for other builds of this account')
    }
    for (const record of queue.push(await log(build, control))) {
      if (record.says === 'progress') control.report(record.progress)
      else return record
    }
    if (build.buildComplete === true) {
      endedMs ??= performance.now()
      // What ended otherwise than by its program says nothing more.
      const isOver = build.buildStatus === 'TIMED_OUT' || build.buildStatus === 'STOPPED'
      if (isOver || performance.now() - endedMs > lateMs) throw endOf(build, orders)
    }
    await pause(intervals.tasks, control.signal)
  }
}

function endOf({ buildStatus, phases = [], id }: Build, { app, deadlineMs }: BuildOrders): RackError {
  if (buildStatus === 'TIMED_OUT') return buildTooLong(app, deadlineMs)
  if (buildStatus === 'STOPPED')
    return new RackError('cancelled', `somebody stopped the build ${id} in the account`)
  const failed = phases.find(({ phaseStatus }) => phaseStatus !== undefined && phaseStatus !== 'SUCCEEDED')
  const [context] = failed?.contexts ?? []
  const why = context?.message ?? `it ended as ${buildStatus}`
  return new RackError('engine-failed', `CodeBuild: ${failed?.phaseType ?? 'the build'}: ${why}`, {
    hint: `See its log in the account: ${id}`,
  })
}

/** New records of a build's log each time that it is called; some come twice. */
function createLogReader({ clients }: Job): (build: Build, control: Control) => Promise<BuildRecord[]> {
  let fromMs = 0
  return async ({ logs }, { signal }) => {
    const { groupName, streamName } = logs ?? {}
    if (!groupName || !streamName) return []
    const list = async (nextToken?: string) => {
      const input = { logGroupName: groupName, logStreamNames: [streamName], startTime: fromMs }
      const answer = await clients.logs.filterLogEvents(
        { ...input, ...(nextToken && { nextToken }) },
        { abortSignal: signal },
      )
      return { items: answer.events ?? [], nextToken: answer.nextToken }
    }
    try {
      const events = await Array.fromAsync(pages(list))
      fromMs = Math.max(fromMs, ...events.map(({ timestamp = 0 }) => timestamp - overlapMs))
      return events.flatMap(({ message = '' }) => readRecord(message.replace(/\n$/, '')) ?? [])
    } catch (error) {
      if (isAwsError(error, 'ResourceNotFoundException')) return []
      throw error
    }
  }
}

function sayIn({ report }: Control, text: string): void {
  report({ type: 'log', text, time: new Date().toISOString() })
}
