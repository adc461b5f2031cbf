import type { AppStatus } from '../app.ts'
import type { Receipt } from '../deployment.ts'
import type { RackEvent } from '../event.ts'
import type { Formation } from '../manifest.ts'
import type { NoticedPort } from '../noticed-port.ts'
import type { Operation, OperationIntent, OperationKind } from '../operation.ts'
import type { Ends, ProcessNews, Sighting } from '../process-news.ts'
import type { AppProcess } from '../process.ts'
import type { LiveTimer, TimerKey, TimerRun, Turn } from '../timer.ts'

export interface OperationStore {
  /**
   * Opens a journal row. An exclusive kind is refused while another runs on the app.
   * @throws busy with `details: Operation`; not-found for an unknown app
   */
  begin(app: string, kind: OperationKind, actor: string, intent: OperationIntent): Promise<Operation>
  get(id: string): Promise<Operation | null>
  /** Rows still running, oldest first. */
  running(): Promise<Operation[]>
  /** Newest first. */
  list(app: string, limit: number): Promise<Operation[]>
  /**
   * Closes a promote, scale, restart or stop that the engine has finished: live release, formation and receipt change in
   * one transaction, and the app is `running`. A build or a run leaves the app as it is. Safe to repeat.
   * @throws not-found, also when the app was removed meanwhile; conflict when it was closed by `fail`
   */
  complete(id: string, result: OperationResult): Promise<void>
  /** Lays facts over the intent of a row that runs: how far its work has come. @throws not-found; conflict when it is closed */
  note(id: string, facts: Partial<OperationIntent>): Promise<void>
  /** Lays what came later over a complete row's receipt: counts, and what has crashed. @throws not-found, also when the app was removed */
  completeReceipt(id: string, facts: Partial<Receipt>): Promise<void>
  /**
   * Closes a row whose work was undone; `appStatus` is what the app is now. Without it an exclusive kind gives back
   * the status from before its beginning. Safe to repeat: the first error stands.
   * @throws not-found, also when the app was removed meanwhile; conflict when it is complete
   */
  fail(
    id: string,
    status: 'failed' | 'cancelled',
    error: NonNullable<Operation['error']>,
    appStatus?: AppStatus,
  ): Promise<void>
}

export interface OperationResult {
  liveRelease?: string
  /** By type; types that are not named keep theirs. */
  formation?: Record<string, Formation>
  receipt?: Receipt
  /** All that is known then of the app's raw ports. */
  noticed?: NoticedPort[]
  /** All that the live release has, seen to from a moment on. One that is as it was goes on from where it is. */
  timers?: LiveTimer[]
}

/**
 * What has changed of apps, releases, operations and processes: each event is written with its change, in one
 * transaction. The newest ten thousand are kept.
 */
export interface EventStore {
  /** The place of the newest; 0 when nothing has happened yet. */
  newest(): Promise<number>
  /** Oldest first. @throws gone when some of them are no longer kept, or the place is of another store */
  after(cursor: number, limit: number): Promise<RackEvent[]>
  /** Hears of what this store adds from now on, until disposed. */
  listen(): EventListener
}

export interface EventListener extends Disposable {
  heard: Promise<void>
}

/** What became of processes that ran once: it is known longer than an engine knows them. */
export interface EndingStore {
  /**
   * All but the command, which may hold a secret; its event is that it is removed, and the run that it was, if it was one,
   * is complete with its exit code, that of a timer too. Safe to repeat; that of an app that is gone is no fault.
   */
  add(running: AppProcess, operation?: string): Promise<void>
  get(app: string, processId: string): Promise<AppProcess | null>
  /** The newest five hundred of each kind, oldest first. */
  list(app: string): Promise<AppProcess[]>
}

/** The timers of what is live, which change with it, and what becomes of their runs: of each the newest hundred. */
export interface TimerStore {
  /** Of all apps, by app, process and name. */
  list(): Promise<LiveTimer[]>
  /**
   * Adds a run, and says up to when all times have been seen to, in one transaction; null for a timer that is no more,
   * or of which another has seen to that time.
   */
  fire(timer: LiveTimer, run: NewTimerRun): Promise<TimerRun | null>
  /** Counts the times from another moment on. */
  moveSince(timer: LiveTimer, since: string): Promise<void>
  /** The runs that have not ended, of all apps, oldest first. */
  open(): Promise<TimerRun[]>
  /** Opens the journal row of a run that waits, as its next step; null when it waits no longer. */
  begin(run: TimerRun, intent: OperationIntent): Promise<Operation | null>
  /** Says which process a run is, or why it is being ended. */
  note(id: number, facts: { processId?: string; reason?: string }): Promise<void>
  /** Lets the run of a row wait again: its process never started. Safe to repeat. */
  putBack(operation: string): Promise<void>
  /** Ends a run that waits. Safe to repeat. */
  drop(id: number, status: 'failed' | 'skipped', reason: string): Promise<void>
  /** Newest first. */
  history(
    app: string,
    filter: Partial<Pick<TimerKey, 'process' | 'timer'>>,
    limit: number,
  ): Promise<TimerRun[]>
}

export interface NewTimerRun extends Turn {
  actor: string
  due: string
  missed: number
  /** Null for one that somebody asks for: no time has come. */
  seenTo: string | null
}

/** What was told last of each process that is there, so that a new daemon tells what has changed meanwhile. */
export interface ProcessStore {
  list(): Promise<Sighting[]>
  /**
   * Tells what has changed of the processes of an app. Safe to repeat: of one whose end is kept, or that was told to be
   * gone, nothing more is told; nor of an app that is gone. Ends that were not counted yet are, each once.
   */
  tell(app: string, news: ProcessNews[]): Promise<void>
  /** All that were counted of the processes of each type, also of those that are gone, as long as the app is there. */
  ends(): Promise<(Ends & { app: string; type: string })[]>
}
