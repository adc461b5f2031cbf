import type {
  GetMetricDataCommandInput,
  GetMetricDataCommandOutput,
  MetricDataQuery,
} from '@aws-sdk/client-cloudwatch'
import type { Control } from '../../../domain/control.ts'
import type { Counts } from '../../../domain/deployment.ts'
import { pause } from '../../../lib/poll.ts'
import { pages } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'

/** What is asked about: requests that came to target groups in a time. */
export interface Counted {
  /** ARN of the one that leads to them. */
  balancer: string
  /** ARNs of target groups; those of tcp ports have no requests. */
  groups: readonly string[]
  /** As the account's clock has it. */
  from: Date
  to: Date
}

/** Queries of one call (D). */
const mostQueries = 500
const minuteMs = 60_000

/**
 * What the balancer counted, by whole minutes: known only a while after `to`, for which this waits (aws.md 4.2).
 * `failed` are requests whose copy could not be reached. What the balancer answers by itself it counts for all apps
 * together, so that it would tell of the failures of others.
 */
export async function countRequests(
  parts: Pick<AwsParts, 'clients' | 'intervals'>,
  counted: Counted,
  { signal }: Pick<Control, 'signal'>,
): Promise<Counts> {
  await pause(parts.intervals.metrics, signal)
  const LoadBalancer = metricName(counted.balancer)
  const queries = counted.groups.slice(0, mostQueries / 2).flatMap((arn, index) => {
    const dimensions = { LoadBalancer, TargetGroup: metricName(arn) }
    return [
      query(`requests${index}`, 'RequestCount', dimensions),
      query(`failed${index}`, 'TargetConnectionErrorCount', dimensions),
    ]
  })
  const counts = { requests: 0, failed: 0, longestStallMs: null, held: null }
  if (queries.length === 0) return counts
  const list = async (NextToken?: string) => {
    const input: GetMetricDataCommandInput = {
      MetricDataQueries: queries,
      StartTime: counted.from,
      EndTime: new Date(counted.to.getTime() + minuteMs),
      ...(NextToken !== undefined && { NextToken }),
    }
    const answer: GetMetricDataCommandOutput = await parts.clients.metrics.getMetricData(input, {
      abortSignal: signal,
    })
    return { items: answer.MetricDataResults ?? [], nextToken: answer.NextToken }
  }
  for await (const { Id = '', Values = [] } of pages(list)) {
    const sum = Values.reduce((sum, value) => sum + value, 0)
    counts[Id.startsWith('failed') ? 'failed' : 'requests'] += sum
  }
  return counts
}

/** As metrics name what an ARN means: `app/rack-R/1`, `targetgroup/r-1/2` (D). */
const metricName = (arn: string) =>
  arn
    .split(':')
    .at(-1)!
    .replace(/^loadbalancer\//, '')

function query(Id: string, MetricName: string, dimensions: Record<string, string>): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }))
  const Metric = { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions }
  return { Id, MetricStat: { Metric, Period: 60, Stat: 'Sum' } }
}
