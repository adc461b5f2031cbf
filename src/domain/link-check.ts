/** A link of a process to another of its app, as the live release has it. */
export interface ProcessLinkInfo {
  app: string
  /** The type that has the link. */
  process: string
  /** The name for the other inside it. */
  alias: string
  target: string
  scheme: string
  port: number
}

/** What came of opening a link. */
export interface LinkCheck {
  app: string
  alias: string
  /** What it leads to. */
  kind: 'service' | 'process'
  target: string
  host: string
  port: number
  /** The type that it was opened for. */
  process: string | null
  /** The copy that has opened it; null where none runs that could, and the rack itself did. */
  from: string | null
  /** Until the connection was there; null when it was not. */
  connectMs: number | null
  /** Until the server had taken the link's own login; null where it knows none, or has refused it. */
  loginMs: number | null
  /** Why it cannot be used; null when it can. */
  problem: string | null
}
