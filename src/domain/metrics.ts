/** What is counted or measured, with what is said of each of its values. */
export interface Metric {
  /** `rack_app_requests_total`: letters, digits and `_`. */
  name: string
  help: string
  /** A `counter` goes up alone, but for a start from 0. */
  type: 'counter' | 'gauge'
  samples: Sample[]
}

export interface Sample {
  labels: Record<string, string>
  value: number
}
