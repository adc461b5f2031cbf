import { awsFeatures } from '../../domain/aws-features.ts'
import type { Control } from '../../domain/control.ts'
import type { Engine } from '../../domain/engine.ts'
import { RackError } from '../../domain/error.ts'
import { createParts } from './create-parts.ts'
import { notThere } from './not-there.ts'
import type { AwsEngineOptions, AwsParts } from './parts.ts'

/** An engine in an account, with what only its owner needs. */
export interface AwsEngine extends Engine {
  /** Lets go of everything; processes run on. */
  close(): Promise<void>
}

/** Makes the engine of a rack in an AWS account; nothing is called before the first call. */
export function createAwsEngine(options: AwsEngineOptions): AwsEngine {
  const closing = new AbortController()
  const parts = createParts(options, closing.signal)
  return {
    features: awsFeatures,
    ...changes(parts),
    ...processVerbs(parts),
    ...volumeVerbs(parts),
    ...imageVerbs(),
    ...serviceVerbs(),
    about: (control) => guarded(control, async () => ({ name: 'aws', version: parts.places.region })),
    endpoints: () => {
      throw notThere('tell addresses', 'the balancers are not read yet')
    },
    capacity: async () => {
      throw notThere('tell its capacity', 'what is reserved is not read yet')
    },
    sweep: async () => {
      throw notThere('sweep', 'leftovers are not looked for yet')
    },
    async close() {
      closing.abort(new RackError('cancelled', 'the rack is stopping'))
    },
  }
}

function changes(_parts: AwsParts): Pick<Engine, 'obstacles' | 'deploy' | 'measure' | 'remove'> {
  const why = 'generations are not made yet'
  return {
    obstacles: async () => [],
    deploy: async () => {
      throw notThere('deploy', why)
    },
    measure: async () => {
      throw notThere('measure', why)
    },
    remove: async () => {
      throw notThere('remove an app', why)
    },
  }
}

function processVerbs(
  _parts: AwsParts,
): Pick<Engine, 'processes' | 'usage' | 'watch' | 'run' | 'exec' | 'copy' | 'logs' | 'connect' | 'stop'> {
  const refuse = (what: string) => async () => {
    throw notThere(what, 'processes are not read yet')
  }
  return {
    processes: refuse('list processes'),
    usage: refuse('tell what processes take'),
    // oxlint-disable-next-line require-yield -- it cannot say anything yet
    async *watch() {
      throw notThere('watch processes', 'processes are not read yet')
    },
    run: refuse('run a one-off'),
    exec: refuse('run a command in a process'),
    copy: refuse('copy files'),
    // oxlint-disable-next-line require-yield -- it cannot say anything yet
    async *logs() {
      throw notThere('read logs', 'streams are not read yet')
    },
    connect: refuse('connect to a process'),
    stop: refuse('stop a one-off'),
  }
}

function volumeVerbs(_parts: AwsParts): Pick<Engine, 'volumes' | 'removeVolume' | 'copyVolume'> {
  const refuse = (what: string) => async () => {
    throw notThere(what, 'access points are not read yet')
  }
  return {
    volumes: refuse('list volumes'),
    removeVolume: refuse('remove a volume'),
    copyVolume: refuse('copy a volume'),
  }
}

function imageVerbs(): Pick<
  Engine,
  'build' | 'tryLogin' | 'saveImages' | 'loadImages' | 'imagesHere' | 'nameImages' | 'forgetImages'
> {
  const refuse = (what: string) => async () => {
    throw notThere(what, 'images are not built in the account yet')
  }
  return {
    build: refuse('build'),
    tryLogin: refuse('try a login'),
    saveImages: refuse('save images'),
    loadImages: refuse('load images'),
    imagesHere: refuse('look for images'),
    nameImages: refuse('name images'),
    forgetImages: refuse('forget images'),
  }
}

function serviceVerbs(): Pick<Engine, 'provision' | 'deprovision' | 'openEntrance'> {
  const why = 'services of the account are not made yet'
  return {
    provision: async () => {
      throw notThere('provide a service', why)
    },
    deprovision: async () => {
      throw notThere('take a service away', why)
    },
    openEntrance: async (entrance) => {
      if (entrance) throw notThere('let other racks in', 'it has no router of its own')
    },
  }
}

/** What an ended signal throws is the cancellation, whatever was going on. */
async function guarded<T>({ signal }: Control, task: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted()
    return await task()
  } catch (error) {
    if (!signal.aborted || error instanceof RackError) throw error
    throw cancelled(signal)
  }
}

function cancelled({ reason }: AbortSignal): RackError {
  return reason instanceof RackError
    ? reason
    : new RackError('cancelled', 'it was ended by whoever wanted that', { cause: reason })
}
