import type {
  Dimension,
  GetMetricDataInput,
  MetricDataQuery,
  MetricDataResult,
} from '@aws-sdk/client-cloudwatch'
import { AwsError, type Action } from '../fake-service.ts'
import type { FakeClock } from '../clock.ts'
import { paged } from '../paging.ts'

export type CountName = 'RequestCount' | 'TargetConnectionErrorCount' | 'HTTPCode_ELB_5XX_Count'

const periodMs = 60_000
/** A period is told one to three minutes after its end (J). */
const leastLateMs = 60_000
const mostLateMs = 180_000
/** A page holds so many at most, though AWS allows 500: paging is on purpose. */
const mostOnPage = 10

interface Period {
  count: number
  shownFrom: number
}

const invalid = (message: string) => new AwsError('InvalidParameterValueException', message)

/** The part of an ARN by which a balancer or a group is named in metrics: `app/web/1`, `targetgroup/r-1/2` (D). */
export const metricName = (arn: string): string =>
  arn
    .split(':')
    .at(-1)!
    .replace(/^loadbalancer\//, '')

/** What balancers count, in periods of a minute of the account's time. */
export class Metrics {
  readonly #clock: FakeClock
  /** By metric and dimensions, then by the start of a period. */
  readonly #periods = new Map<string, Map<number, Period>>()

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  count(name: CountName, of: { balancer: string; group?: string }): void {
    const now = this.#clock.now()
    const start = now - (now % periodMs)
    const key = keyOf(name, {
      LoadBalancer: metricName(of.balancer),
      ...(of.group && { TargetGroup: metricName(of.group) }),
    })
    const periods = this.#periods.get(key) ?? new Map<number, Period>()
    this.#periods.set(key, periods)
    const late = leastLateMs + Math.random() * (mostLateMs - leastLateMs)
    const period = periods.get(start) ?? { count: 0, shownFrom: start + periodMs + late }
    period.count++
    periods.set(start, period)
  }

  /** CloudWatch, as far as it is asked about balancers. */
  actions(): Record<string, Action> {
    return {
      GetMetricData: async (input: GetMetricDataInput) => {
        const {
          MetricDataQueries = [],
          StartTime,
          EndTime,
          NextToken,
          MaxDatapoints,
          LabelOptions,
          ScanBy,
        } = input
        if (MaxDatapoints ?? LabelOptions ?? ScanBy) throw invalid('the fake account knows no such options')
        if (EndTime! <= StartTime!)
          throw invalid('The parameter StartTime must be less than the parameter EndTime.')
        const ids = MetricDataQueries.map(({ Id }) => Id!)
        if (new Set(ids).size < ids.length || ids.some((id) => !/^[a-z]\w*$/.test(id))) {
          throw invalid('The values of Id must be unique, and begin with a lower case letter')
        }
        const options = {
          pageSize: mostOnPage,
          key: ({ Id }: MetricDataQuery) => Id!,
          error: 'InvalidNextToken',
        }
        const { page, next } = paged(MetricDataQueries, NextToken, options)
        const times = { from: StartTime!.getTime(), to: EndTime!.getTime() }
        return {
          MetricDataResults: page.map((query) => this.#read(query, times)),
          ...(next && { NextToken: next }),
        }
      },
    }
  }

  /** Periods in which nothing was counted are not told (D). The latest comes first (D). */
  #read(
    { Id, MetricStat, ...rest }: MetricDataQuery,
    { from, to }: { from: number; to: number },
  ): MetricDataResult {
    const unknown = Object.entries(rest).find(([, value]) => value !== undefined)
    if (unknown || !MetricStat)
      throw invalid(`the fake account knows no queries by ${unknown?.[0] ?? 'nothing'}`)
    const { Metric, Period, Stat, Unit } = MetricStat
    if (Metric!.Namespace !== 'AWS/ApplicationELB')
      throw invalid(`the fake account has no metrics of ${Metric!.Namespace}`)
    if (Period !== 60 || Stat !== 'Sum' || Unit) throw invalid('the fake account has sums of 60 s only')
    const dimensions = Object.fromEntries(
      Metric!.Dimensions!.map(({ Name, Value }: Dimension) => [Name!, Value!]),
    )
    const periods = [...(this.#periods.get(keyOf(Metric!.MetricName!, dimensions)) ?? [])]
      // The start is rounded down to a minute, the end is not in it (D).
      .filter(([start]) => start >= from - (from % periodMs) && start < to)
      .filter(([, { shownFrom }]) => this.#clock.now() >= shownFrom)
      .sort(([a], [b]) => b - a)
    return {
      Id,
      Label: Metric!.MetricName,
      Timestamps: periods.map(([start]) => new Date(start)),
      Values: periods.map(([, { count }]) => count),
      StatusCode: 'Complete',
    }
  }
}

function keyOf(name: string, dimensions: Record<string, string>): string {
  const parts = Object.entries(dimensions).map(([key, value]) => `${key}=${value}`)
  return [name, ...parts.sort((a, b) => (a < b ? -1 : 1))].join(' ')
}
