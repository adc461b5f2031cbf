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
 * `failed` is an upper bound where something failed: the balancer does not say for whom it answered by itself.
 */
export async function countRequests(
  parts: Pick<AwsParts, 'clients' | 'places' | 'intervals'>,
  counted: Counted,
  { signal }: Pick<Control, 'signal'>,
): Promise<Counts> {
  await pause(parts.intervals.metrics, signal)
  const balancer = metricName(parts.places.balancer.arn)
  const queries = [
    query('failed', 'HTTPCode_ELB_5XX_Count', { LoadBalancer: balancer }),
    ...counted.groups.map((arn, index) =>
      query(`requests${index}`, 'RequestCount', { LoadBalancer: balancer, TargetGroup: metricName(arn) }),
    ),
  ].slice(0, mostQueries)
  const counts = { requests: 0, failed: 0, longestStallMs: null, held: null }
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
  for await (const { Id, Values = [] } of pages(list)) {
    const sum = Values.reduce((sum, value) => sum + value, 0)
    counts[Id === 'failed' ? 'failed' : 'requests'] += sum
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
