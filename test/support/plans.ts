import { usualReplacement } from '../../src/domain/port.ts'
import { plainContainer, type FileMount } from '../../src/domain/container.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { plainRouting } from '../../src/domain/routing.ts'

/** A plain process type; tests name what they are about. */
export function processPlan(overrides: Partial<ProcessPlan> = {}): ProcessPlan {
  const type = overrides.type ?? 'web'
  return {
    type,
    image: 'sha256:1111',
    imageDigest: overrides.image ?? 'sha256:1111',
    command: null,
    entrypoint: null,
    environment: {},
    count: 1,
    isAgent: false,
    cpuUnits: 128,
    memoryBytes: 64 * 2 ** 20,
    ports: [],
    internalPorts: [],
    aliases: [type],
    peers: [{ type, names: [type] }],
    hosts: [],
    routing: plainRouting,
    health: {
      path: null,
      host: null,
      port: null,
      intervalMs: 5000,
      timeoutMs: 3000,
      graceMs: 0,
      healthyThreshold: 1,
      unhealthyThreshold: 3,
      replacement: usualReplacement,
    },
    healthcheck: null,
    labels: {},
    mounts: [],
    files: [],
    container: plainContainer,
    after: [],
    restartsWith: [],
    stopFirst: false,
    minimumPercent: 100,
    maximumPercent: 200,
    watchMs: 0,
    rollsBack: false,
    drainTimeoutMs: 1000,
    holdMs: 30_000,
    stopGraceMs: 2000,
    stopSignal: null,
    user: null,
    workingDir: null,
    init: false,
    extraHosts: [],
    restart: 'always',
    releaseCommand: null,
    releaseCommandOn: 'promote',
    timers: [],
    replaceBefore: null,
    ...overrides,
  }
}

/** A secret that everybody in the container may read; tests name what they are about. */
export function fileMount(path: string, content: string, overrides: Partial<FileMount> = {}): FileMount {
  const about = { kind: 'secret', name: 'key', origin: 'content', path, mode: 0o444, uid: 0, gid: 0 } as const
  return { ...about, content: Buffer.from(content).toString('base64'), ...overrides }
}

/** An external HTTP port and what belongs to it. */
export function servesHttp(container: number, hosts: string[]): Partial<ProcessPlan> {
  const port = { external: 80, container, protocol: 'http' as const, proxy: false as const, secure: false }
  return { ports: [port], internalPorts: [container], hosts }
}

export function planOf(processes: ProcessPlan[], overrides: Partial<Plan> = {}): Plan {
  return {
    rack: 'rack',
    owner: appOwner('shop'),
    release: 'RAAAAAAAAAA',
    build: 'BAAAAAAAAAA',
    volumes: [],
    processes,
    ...overrides,
  }
}
