/**
 * Something of the rack has changed. It says what, and not how it is now: whoever wants that reads it. Events are a
 * sequence without holes or repeats, of which the newest ten thousand are kept.
 */
export interface RackEvent {
  /** Its place in the sequence: who has read so far goes on after it. */
  cursor: number
  time: string
  noun: 'app' | 'release' | 'operation' | 'process' | 'timer' | 'service'
  change: 'created' | 'changed' | 'removed'
  /** Empty for what is of no app: a service. */
  app: string
  /** Of the release, the operation or the process; `type.name` of a timer; the app's name again for an app; a service's name. */
  id: string
  /** What a reader mostly wants next: an app's status, an operation's kind and status, what a process is and does. */
  facts: Record<string, string>
}

/** What a watcher gets: first from where it follows, then what happens. */
export type WatchRecord = { type: 'start'; cursor: number } | ({ type: 'event' } & RackEvent)
