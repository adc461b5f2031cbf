import type { z } from 'zod'
import type { Contract } from '../client/contract.ts'
import type { Control } from '../domain/control.ts'
import type { ExitCode, Process } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'

/** One handler per operation: it calls one verb with what the request says. */
export type Handlers = { [Name in keyof Contract]: Handler<Contract[Name]> }

/** The validated parts of a request. `control.signal` ends when the client leaves. */
export type Call<O> = Part<O, 'params'> &
  Part<O, 'query'> &
  Part<O, 'body'> & {
    /** The name of the token. */
    actor: string
    control: Control
  }

type Part<O, Name extends string> =
  O extends Record<Name, infer Schema extends z.ZodType> ? { [Key in Name]: z.output<Schema> } : {}

interface TerminalCall {
  terminal: Terminal
  /** Tells the client which process runs its command. */
  started: (process: Process) => void
}

type Handler<O> = O extends { kind: infer Kind; reply: infer R extends z.ZodType }
  ? Kind extends 'lines'
    ? (call: Call<O>) => AsyncIterable<z.output<R>>
    : Kind extends 'terminal'
      ? (call: Call<O> & TerminalCall) => Promise<ExitCode>
      : Kind extends 'upload'
        ? (call: Call<O> & { content: AsyncIterable<Uint8Array> }) => Promise<z.output<R>>
        : (call: Call<O>) => Promise<z.output<R>>
  : never

/** A handler as the registration sees it: the contract has checked what goes in, and checks what comes out. */
export type AnyCall = { params: unknown; query: unknown; body: unknown } & {
  actor: string
  control: Control
} & Partial<TerminalCall> & { content?: AsyncIterable<Uint8Array> }
