import { fastifySwagger } from '@fastify/swagger'
import { fastify } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { contract, type Contract } from '../client/contract.ts'
import type { Op } from '../client/contract/op.ts'
import { routeSchema } from './route-schema.ts'
import { routeVerbs } from './route-verbs.ts'

/** The OpenAPI document of the contract; a build writes it beside the programs. */
export async function describeApi(version: string): Promise<Record<string, unknown>> {
  const server = fastify({ exposeHeadRoutes: false })
  // Nothing is asked of this server: its schemas need no code.
  server.setValidatorCompiler(() => () => true)
  server.setSerializerCompiler(() => () => '')
  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rack',
        version,
        description: 'Runs a docker-compose.yml in production. Times are RFC 3339 UTC, lists are arrays.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  for (const [name, operation] of Object.entries(contract) as [keyof Contract, Op][]) {
    const { method, path: url } = operation
    const schema = { operationId: name, ...routeSchema(operation, routeVerbs[name]) }
    server.route({ method, url, schema, handler: () => null })
  }
  await server.ready()
  return server.swagger() as unknown as Record<string, unknown>
}
