/** One thing that was looked at. */
export interface Finding {
  check: string
  status: 'good' | 'warning' | 'bad'
  detail: string
  /** What to type. */
  fix?: string
}
