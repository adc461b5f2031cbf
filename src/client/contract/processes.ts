import * as z from 'zod'
import type { AppUsage, CopyUsage } from '../../domain/app-usage.ts'
import type { AppProcess } from '../../domain/process.ts'
import { paths } from '../paths.ts'
import { formation } from './apps.ts'
import { appParams, argument, flag, list, nothing, op, time, wholeNumber } from './op.ts'
import { promotion } from './plan.ts'
import { promoteResult } from './releases.ts'

export const processKind = z.enum(['process', 'one-off', 'release-command', 'timer', 'agent'])

const processSchema = z
  .object({
    id: z.string(),
    app: z.string(),
    type: z.string(),
    kind: processKind,
    status: z.enum([
      'starting',
      'running',
      'unhealthy',
      'draining',
      'stopping',
      'completed',
      'stopped',
      'crashed',
      'restarting',
    ]),
    detail: z.string().nullable(),
    release: z.string(),
    started: time.nullable(),
    ended: time.nullable(),
    command: z.array(z.string()),
    address: z.string().nullable(),
    exitCode: z.number().nullable(),
    restarts: z.number(),
    outOfMemory: z.number().nullable().describe('How often it ended for want of memory, as far as is known'),
    cpuUnits: z.number(),
    memoryBytes: z.number(),
    cpuPercent: z.number().nullable(),
    memoryPercent: z.number().nullable(),
  })
  .meta({ id: 'Process' }) satisfies z.ZodType<AppProcess>

const counted = { requests: z.number(), failed: z.number() }

const copyUsage = processSchema
  .pick({
    id: true,
    kind: true,
    status: true,
    detail: true,
    release: true,
    started: true,
    restarts: true,
    outOfMemory: true,
  })
  .extend({
    usage: z
      .object({
        time,
        cpuSeconds: z.number(),
        memoryBytes: z.number(),
        memoryLimitBytes: z.number().nullable(),
      })
      .nullable()
      .describe('Null for one that does not run'),
    traffic: z
      .object({ ...counted, answerMs: z.number().nullable() })
      .nullable()
      .describe('Since the router last read its configuration; null for one that it leads nobody to'),
  }) satisfies z.ZodType<CopyUsage>

const appUsage = z
  .object({
    app: z.string(),
    time,
    traffic: z.object(counted),
    processes: z.record(
      z.string(),
      z.object({
        wanted: z.number(),
        ended: z
          .object({ restarts: z.number(), outOfMemory: z.number() })
          .describe('Of all copies that there were'),
        copies: z.array(copyUsage),
      }),
    ),
  })
  .meta({ id: 'AppUsage' }) satisfies z.ZodType<AppUsage>

const processParams = z.object({ app: z.string(), process: z.string() })
const dayMs = 24 * 60 * 60 * 1000

export const terminalQuery = {
  tty: flag.default(false),
  rows: wholeNumber(1, 10_000).default(24),
  columns: wholeNumber(1, 10_000).default(80),
}

const insidePath = z
  .string()
  .max(4096)
  .regex(/^\/[^\0]*$/, 'expected an absolute path')

const formationChanges = z.record(
  z.string(),
  z.strictObject({
    count: z.number().int().min(0).max(10_000).optional(),
    cpuUnits: z.number().int().min(1).optional(),
    memoryBytes: z.number().int().min(1).optional(),
    fromFile: z
      .boolean()
      .optional()
      .describe('What the file of the live release says, where nothing else is given'),
  }),
)

/** Processes and their formation. */
export const processOperations = {
  listProcesses: op({
    ...paths.listProcesses,
    summary:
      'Processes of an app; with stats, their cpu and memory; with all, ended one-offs too: of each app the last five hundred, without their commands.',
    params: appParams,
    query: z.strictObject({
      type: z.string().optional(),
      stats: flag.default(false),
      all: flag.default(false),
    }),
    reply: z.array(processSchema),
  }),
  getProcess: op({
    ...paths.getProcess,
    summary: 'One process.',
    params: processParams,
    reply: processSchema,
  }),
  readUsage: op({
    ...paths.readUsage,
    summary:
      'What apps take and serve, of one or of all: counters, of which the difference of two readings is the use between them.',
    query: z.strictObject({ app: z.string().optional() }),
    reply: z.array(appUsage),
  }),
  stopProcess: op({
    ...paths.stopProcess,
    summary: 'Stop a process; one of a type is replaced.',
    params: processParams,
    reply: nothing,
  }),
  execProcess: op({
    ...paths.execProcess,
    summary: 'Run a command inside a process. `command` repeats, once per argument.',
    params: processParams,
    query: z.strictObject({ command: list, ...terminalQuery }),
    reply: nothing,
  }),
  readFiles: op({
    ...paths.readFiles,
    summary: 'A tar of a file or directory of a process, under its own name; of `DIR/.`, of what is in it.',
    params: processParams,
    query: z.strictObject({ path: insidePath }),
    reply: nothing,
  }),
  writeFiles: op({
    ...paths.writeFiles,
    summary: 'Unpack a tar into a directory of a process, which must be there.',
    params: processParams,
    query: z.strictObject({ path: insidePath }),
    reply: nothing,
  }),
  connectInside: op({
    ...paths.connectInside,
    summary: 'A byte stream to a port of a process of the app; `host` is a type, an alias or a process id.',
    params: appParams,
    query: z.strictObject({ host: z.string().min(1).max(255), port: wholeNumber(1, 65_535) }),
    reply: nothing,
  }),
  attachProcess: op({
    ...paths.attachProcess,
    summary: 'Run a one-off process of a type, attached. `command` repeats, once per argument.',
    params: appParams,
    query: z.strictObject({
      type: z.string(),
      command: list.default([]),
      release: z.string().optional(),
      timeoutMs: wholeNumber(1, dayMs).optional(),
      ...terminalQuery,
    }),
    reply: nothing,
  }),
  runProcess: op({
    ...paths.runProcess,
    summary: 'Run a one-off process of a type, detached.',
    params: appParams,
    body: z.strictObject({
      type: z.string(),
      command: z.array(argument).default([]),
      release: z.string().nullable().default(null),
      timeoutMs: z.number().int().min(1).nullable().default(null),
    }),
    reply: processSchema,
  }),
  getFormation: op({
    ...paths.getFormation,
    summary: 'Count, cpu units and memory of each process type.',
    params: appParams,
    reply: z.record(z.string(), formation),
  }),
  planScale: op({
    ...paths.planScale,
    summary: 'What a scale would do, and whether it fits; nothing is touched.',
    params: appParams,
    body: formationChanges,
    reply: promotion,
  }),
  scaleProcesses: op({
    ...paths.scaleProcesses,
    summary: 'Change count, cpu units or memory of process types.',
    params: appParams,
    body: formationChanges,
    reply: promoteResult,
  }),
  restartApp: op({
    ...paths.restartApp,
    summary: 'Replace the copies of one type or of all, dropping nothing.',
    params: appParams,
    query: z.strictObject({ type: z.string().optional() }),
    reply: promoteResult,
  }),
}
