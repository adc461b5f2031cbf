import type { z } from 'zod'
import type { Progress } from '../domain/control.ts'
import type { AppProcess, ExitCode } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Contract } from './contract.ts'
import type { LocalStream } from './run-connection.ts'

/** One method per operation, typed by the contract. */
export type Client = { [Name in keyof Contract]: Method<Contract[Name]> }

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface TerminalOptions extends CallOptions {
  /** Hears which process was started; `attachProcess` only. */
  onStarted?: (running: AppProcess) => void
}

/** A line of a stream; the last one is the result. */
export type StreamLine<Result> = Progress | { type: 'result'; result: Result }

/** What the operation replies: the JSON, or the result of its stream. */
export type Reply<Name extends keyof Contract> = z.output<Contract[Name]['reply']>

type Method<O> = O extends { kind: 'json'; reply: infer R extends z.ZodType }
  ? (...given: Given<Input<O>>) => Promise<z.output<R>>
  : O extends { kind: 'stream'; reply: infer R extends z.ZodType }
    ? (...given: Given<Input<O>>) => AsyncIterable<StreamLine<z.output<R>>>
    : O extends { kind: 'upload'; reply: infer R extends z.ZodType }
      ? (input: Input<O> & Upload, options?: CallOptions) => AsyncIterable<StreamLine<z.output<R>>>
      : O extends { kind: 'lines'; reply: infer R extends z.ZodType }
        ? (...given: Given<Input<O>>) => AsyncIterable<z.output<R>>
        : O extends { kind: 'download' }
          ? (input: Input<O>, options?: CallOptions) => AsyncIterable<Uint8Array>
          : O extends { kind: 'connection' }
            ? (input: Input<O>, local: LocalStream, options?: CallOptions) => Promise<void>
            : O extends { kind: 'terminal' }
              ? (input: TerminalInput<O>, terminal: Terminal, options?: TerminalOptions) => Promise<ExitCode>
              : never

interface Upload {
  /** A tar; read as fast as the rack takes it. */
  content: AsyncIterable<Uint8Array>
}

type Input<O> = Part<O, 'params'> & Part<O, 'query'> & Part<O, 'body'>

type Part<O, Name extends string> =
  O extends Record<Name, infer Schema extends z.ZodType>
    ? {} extends z.input<Schema>
      ? { [Key in Name]?: z.input<Schema> }
      : { [Key in Name]: z.input<Schema> }
    : {}

/** An input without a required part may be left out. */
type Given<I> = {} extends I ? [input?: I, options?: CallOptions] : [input: I, options?: CallOptions]

/** The terminal itself says its kind and size. */
type TerminalInput<O> = O extends { query: infer Query extends z.ZodType }
  ? Part<O, 'params'> & { query: Omit<z.input<Query>, 'tty' | 'rows' | 'columns'> }
  : never
