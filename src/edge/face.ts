import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../domain/caller.ts'
import type { Door } from '../operations/door.ts'
import type { VerbName } from '../operations/verbs.ts'

/** `anyone` needs no token, `callers` any that the rack knows; a verb what the table of verbs says of it. */
export type Access = VerbName | 'anyone' | 'callers'

/** One protocol that callers speak, on the listener that all share. */
export interface Face {
  name: string
  /** The token of a request, where this face's callers put it. */
  tokenOf(request: FastifyRequest): string | null
  /** Longer messages of a WebSocket end its connection. */
  largestMessageBytes: number
  /** Adds its routes, each with `config.access`; what else it sets on this server holds for them alone. */
  addRoutes(server: FastifyInstance, tools: FaceTools): void
}

export interface FaceTools {
  door: Door
  /** Hears of failures that a client sees only in part. */
  reportFailure: ReportFailure
}

export type ReportFailure = (error: unknown, request: FastifyRequest) => void

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Its body is read as it comes, and may be answered before its end. */
    isUpload?: boolean
  }
  interface FastifyRequest {
    /** Who holds the token; null where nobody was asked. */
    caller: Caller | null
    /** Ends when that token is good no longer, with why. */
    loginOver: AbortSignal | null
  }
}
