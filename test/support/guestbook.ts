import { usualReplacement } from '../../src/domain/port.ts'
import { noSettings, type BuiltImage } from '../../src/domain/build.ts'
import { plainContainer } from '../../src/domain/container.ts'
import { defaultFormation, type Manifest, type ProcessType } from '../../src/domain/manifest.ts'
import type { PlanInput } from '../../src/domain/plan-input.ts'
import { planRelease, type Plan } from '../../src/domain/plan.ts'
import { plainRouting } from '../../src/domain/routing.ts'

/** A process type with nothing out of the ordinary; tests say only what they are about. */
function processType(name: string, says: Partial<ProcessType> = {}): ProcessType {
  return {
    name,
    build: null,
    image: 'busybox:1',
    pullPolicy: null,
    command: null,
    entrypoint: null,
    environment: [],
    ports: [],
    expose: [],
    links: [],
    dependsOn: [],
    hostNames: [],
    labels: {},
    mounts: [],
    files: [],
    container: plainContainer,
    healthcheck: null,
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
    routing: plainRouting,
    isAgent: false,
    formation: defaultFormation,
    deployment: { minimumPercent: 100, maximumPercent: 200, mayOverlap: false },
    watchMs: 3000,
    rollsBack: false,
    drainTimeoutMs: 60_000,
    holdMs: 30_000,
    stopGraceMs: 10_000,
    stopSignal: null,
    user: null,
    workingDir: null,
    init: false,
    extraHosts: [],
    restart: 'always',
    releaseCommand: null,
    releaseCommandOn: 'promote',
    timers: [],
    ...says,
  }
}

function builtImage(says: Partial<BuiltImage> = {}): BuiltImage {
  return {
    reference: `sha256:${'0'.repeat(64)}`,
    digest: `sha256:${'0'.repeat(64)}`,
    exposed: [],
    link: {},
    user: null,
    healthcheck: null,
    volumes: [],
    ...noSettings,
    ...says,
  }
}

const port = { external: null, protocol: 'tcp', proxy: false, secure: false } as const

/** The example of the documents: web ×2 behind the router, a worker, and redis by a link. */
export function guestbook(says: Partial<PlanInput> = {}): PlanInput {
  const manifest: Manifest = {
    volumes: ['data'],
    processes: [
      processType('web', {
        ports: [{ ...port, external: 80, container: 3000, protocol: 'http' }],
        links: [{ target: 'redis', alias: 'redis' }],
        environment: [
          { name: 'GREETING', value: 'hello' },
          { name: 'SECRET', value: null },
        ],
        formation: { ...defaultFormation, count: 2 },
      }),
      processType('worker', { links: [{ target: 'redis', alias: 'queue' }] }),
      processType('redis', {
        ports: [{ ...port, container: 6379 }],
        environment: [{ name: 'LINK_SCHEME', value: 'redis' }],
        mounts: [{ kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false }],
      }),
    ],
  }
  return {
    rack: 'rack',
    domain: 'localhost',
    app: 'guestbook',
    release: 'RAAAAAAAAAA',
    build: 'BAAAAAAAAAA',
    manifest,
    images: {
      web: builtImage(),
      worker: builtImage(),
      redis: builtImage({ volumes: ['/data', '/tmp/extra'] }),
    },
    environment: { SECRET: 'hunter2' },
    formation: {},
    services: [],
    ...says,
  }
}

export function guestbookPlan(says: Partial<PlanInput> = {}): Plan {
  return planRelease(guestbook(says))
}
