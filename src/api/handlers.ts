import type { z } from 'zod'
import type { Contract } from '../client/contract.ts'
import type { Control } from '../domain/control.ts'
import type { Duplex } from '../domain/engine.ts'
import type { AppProcess, ExitCode } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Operations } from '../operations/operations.ts'
import type { OperationsOf } from './route-verbs.ts'

/** One handler per operation: it calls one verb with what the request says. */
export type Handlers = {
  [Name in keyof Contract]: Handler<Contract[Name], { operations: OperationsOf<Name> }>
}

/** The validated parts of a request. `control.signal` ends when the client leaves. */
type Call<O> = Part<O, 'params'> &
  Part<O, 'query'> &
  Part<O, 'body'> & {
    control: Control
  }

type Part<O, Name extends string> =
  O extends Record<Name, infer Schema extends z.ZodType> ? { [Key in Name]: z.output<Schema> } : {}

interface TerminalCall {
  terminal: Terminal
  /** Tells the client which process runs its command. */
  started: (running: AppProcess) => void
}

interface ArchiveCall {
  /** Sends a piece of the archive; settles when more may follow. */
  out?: (chunk: Uint8Array) => Promise<void>
}

/** `Bound` is the verb that the route may call, for its caller. */
type Handler<O, Bound> = O extends { kind: infer Kind; reply: infer R extends z.ZodType }
  ? Kind extends 'lines'
    ? (call: Call<O> & Bound) => AsyncIterable<z.output<R>>
    : Kind extends 'terminal'
      ? (call: Call<O> & Bound & TerminalCall) => Promise<ExitCode>
      : Kind extends 'download'
        ? (call: Call<O> & Bound & Required<ArchiveCall>) => Promise<void>
        : Kind extends 'connection'
          ? (call: Call<O> & Bound) => Promise<Duplex>
          : Kind extends 'upload'
            ? (call: Call<O> & Bound & { content: AsyncIterable<Uint8Array> }) => Promise<z.output<R>>
            : (call: Call<O> & Bound) => Promise<z.output<R>>
  : never

/** A handler as the registration sees it: the contract has checked what goes in, and checks what comes out. */
export type AnyCall = { params: unknown; query: unknown; body: unknown } & {
  /** Null where the route has no verb. */
  operations: Operations | null
  control: Control
} & Partial<TerminalCall> &
  ArchiveCall & { content?: AsyncIterable<Uint8Array> }
