import * as z from 'zod'
import type { Process } from '../../domain/process.ts'
import { paths } from '../paths.ts'
import { formation } from './apps.ts'
import { appParams, flag, list, nothing, op, time, wholeNumber } from './op.ts'
import { promotion } from './plan.ts'
import { promoteResult } from './releases.ts'

export const processKind = z.enum(['process', 'one-off', 'release-command', 'timer', 'agent'])

const process = z
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
      'crashed',
      'restarting',
    ]),
    detail: z.string().nullable(),
    release: z.string(),
    started: time.nullable(),
    command: z.array(z.string()),
    address: z.string().nullable(),
    exitCode: z.number().nullable(),
    restarts: z.number(),
    cpuUnits: z.number(),
    memoryBytes: z.number(),
    cpuPercent: z.number().nullable(),
    memoryPercent: z.number().nullable(),
  })
  .meta({ id: 'Process' }) satisfies z.ZodType<Process>

const processParams = z.object({ app: z.string(), process: z.string() })
const dayMs = 24 * 60 * 60 * 1000

const terminalQuery = {
  tty: flag.default(false),
  rows: wholeNumber(1, 10_000).default(24),
  columns: wholeNumber(1, 10_000).default(80),
}

const formationChanges = z.record(
  z.string(),
  z.strictObject({
    count: z.number().int().min(0).max(10_000).optional(),
    cpuUnits: z.number().int().min(1).optional(),
    memoryBytes: z.number().int().min(1).optional(),
  }),
)

/** Processes and their formation. */
export const processOperations = {
  listProcesses: op({
    ...paths.listProcesses,
    permission: 'read',
    summary: 'Processes of an app; with stats, their cpu and memory; with all, ended one-offs too.',
    params: appParams,
    query: z.strictObject({
      type: z.string().optional(),
      stats: flag.default(false),
      all: flag.default(false),
    }),
    reply: z.array(process),
  }),
  getProcess: op({
    ...paths.getProcess,
    permission: 'read',
    summary: 'One process.',
    params: processParams,
    reply: process,
  }),
  stopProcess: op({
    ...paths.stopProcess,
    permission: 'write',
    summary: 'Stop a process; one of a type is replaced.',
    params: processParams,
    reply: nothing,
  }),
  execProcess: op({
    ...paths.execProcess,
    permission: 'write',
    summary: 'Run a command inside a process. `command` repeats, once per argument.',
    params: processParams,
    query: z.strictObject({ command: list, ...terminalQuery }),
    reply: nothing,
  }),
  attachProcess: op({
    ...paths.attachProcess,
    permission: 'write',
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
    permission: 'write',
    summary: 'Run a one-off process of a type, detached.',
    params: appParams,
    body: z.strictObject({
      type: z.string(),
      command: z.array(z.string()).default([]),
      release: z.string().nullable().default(null),
      timeoutMs: z.number().int().min(1).nullable().default(null),
    }),
    reply: process,
  }),
  getFormation: op({
    ...paths.getFormation,
    permission: 'read',
    summary: 'Count, cpu units and memory of each process type.',
    params: appParams,
    reply: z.record(z.string(), formation),
  }),
  planScale: op({
    ...paths.planScale,
    permission: 'read',
    summary: 'What a scale would do, and whether it fits; nothing is touched.',
    params: appParams,
    body: formationChanges,
    reply: promotion,
  }),
  scaleProcesses: op({
    ...paths.scaleProcesses,
    permission: 'write',
    summary: 'Change count, cpu units or memory of process types.',
    params: appParams,
    body: formationChanges,
    reply: promoteResult,
  }),
  restartApp: op({
    ...paths.restartApp,
    permission: 'write',
    summary: 'Replace the copies of one type or of all, dropping nothing.',
    params: appParams,
    query: z.strictObject({ type: z.string().optional() }),
    reply: promoteResult,
  }),
}
