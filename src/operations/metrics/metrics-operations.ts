import type { AppUsage } from '../../domain/app-usage.ts'
import type { Control } from '../../domain/control.ts'
import type { Metric } from '../../domain/metrics.ts'

/** What can be watched. */
export interface MetricsOperations {
  /** What Prometheus gathers, of all apps. */
  readMetrics(control: Control): Promise<Metric[]>
  /** What apps take and serve now, of one or of all: counters, of which the difference of two readings is the use between them. */
  readUsage(filter: { app?: string | undefined }, control: Control): Promise<AppUsage[]>
}
