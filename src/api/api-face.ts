import { serializerCompiler } from 'fastify-type-provider-zod'
import { largestFrameBytes } from '../client/contract/frames.ts'
import type { Face } from '../edge/face.ts'
import { bearerToken } from './bearer-token.ts'
import type { Handlers } from './handlers.ts'
import { registerRoutes } from './register-routes.ts'
import { appHandlers } from './routes/apps.ts'
import { backupHandlers } from './routes/backups.ts'
import { buildHandlers } from './routes/builds.ts'
import { environmentHandlers } from './routes/environment.ts'
import { eventHandlers } from './routes/events.ts'
import { formationHandlers } from './routes/formation.ts'
import { logHandlers } from './routes/logs.ts'
import { processHandlers } from './routes/processes.ts'
import { rackHandlers } from './routes/rack.ts'
import { releaseHandlers } from './routes/releases.ts'
import { serviceHandlers } from './routes/services.ts'
import { timerHandlers } from './routes/timers.ts'
import { certificateHandlers } from './routes/certificates.ts'
import { tokenHandlers } from './routes/tokens.ts'
import { domainHandlers } from './routes/domains.ts'
import { registryHandlers } from './routes/registries.ts'
import { volumeHandlers } from './routes/volumes.ts'

/** The face `/v1`: validates, calls one operation, renders. */
export function createApiFace({ version }: { version: string }): Face {
  return {
    name: '/v1',
    tokenOf: bearerToken,
    largestMessageBytes: largestFrameBytes,
    addRoutes(server, tools) {
      // Requests are read by `validateRequest`, which tells of everything that is wrong.
      server.setValidatorCompiler(() => (value) => ({ value }))
      server.setSerializerCompiler(serializerCompiler)
      server.addContentTypeParser('application/x-tar', (_request, _payload, done) => done(null))
      registerRoutes(server, allHandlers(version), tools)
    },
  }
}

function allHandlers(version: string): Handlers {
  return {
    ...rackHandlers(version),
    ...appHandlers,
    ...buildHandlers,
    ...releaseHandlers,
    ...environmentHandlers,
    ...processHandlers,
    ...formationHandlers,
    ...volumeHandlers,
    ...registryHandlers,
    ...certificateHandlers,
    ...tokenHandlers,
    ...domainHandlers,
    ...serviceHandlers,
    ...backupHandlers,
    ...timerHandlers,
    ...logHandlers,
    ...eventHandlers,
  }
}
