import type { TimerRun } from '../../src/domain/timer.ts'
import { until } from '../../src/lib/poll.ts'
import type { OperationsParts, OperationsRoom } from '../../src/operations/create-operations.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { startMemoryRack, tester, type MemoryRack } from './memory-rack.ts'

/** A rack on whose clock it is what a test says. */
export interface TimedRack extends AsyncDisposable {
  rack: MemoryRack
  /** Of the daemon that runs now. */
  operations: Operations
  /** Sets the clock, and lets the daemon see to the timers. */
  at(time: string): Promise<void>
  /** A daemon that has taken up what the one before left; parts of it may be others. */
  restart(parts?: Partial<OperationsParts>): Promise<OperationsRoom>
  setClock(time: string): void
  deploy(compose: string): Promise<string>
  /** Newest first. */
  runs(): Promise<TimerRun[]>
  /** Waits until no run of a timer goes on. */
  settle(): Promise<void>
}

/** Starts one with an app `shop` of this compose text. */
export async function startTimedRack(time: string, compose: string): Promise<TimedRack> {
  const rack = await startMemoryRack()
  let clock = new Date(time)
  const now = () => clock
  const open = async (parts: Partial<OperationsParts> = {}) => await rack.restart({ now, ...parts })
  let room = await open()
  await room.recover(rack.control)
  const timed: TimedRack = {
    rack,
    operations: room.operations.as(tester),
    setClock: (text) => void (clock = new Date(text)),
    async at(text) {
      timed.setClock(text)
      await room.runTimers(rack.control)
    },
    async restart(parts) {
      room = await open(parts)
      timed.operations = room.operations.as(tester)
      await room.recover(rack.control)
      return room
    },
    async deploy(text) {
      const release = await rack.build('shop', text)
      await timed.operations.promoteRelease('shop', release, { releaseCommand: true }, rack.control)
      return release
    },
    runs: async () => await rack.store.timers.history('shop', {}, 1000),
    async settle() {
      const isOver = async () => (await rack.store.timers.open()).every(({ status }) => status !== 'running')
      await until(isOver, { deadlineMs: 20_000, what: 'the runs of timers to end', intervalMs: 5 })
    },
    [Symbol.asyncDispose]: () => rack[Symbol.asyncDispose](),
  }
  await rack.operations.createApp('shop')
  await timed.deploy(compose)
  return timed
}
