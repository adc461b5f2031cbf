import assert from 'node:assert/strict'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { contract } from '../client/contract.ts'
import type { Op } from '../client/contract/op.ts'
import { verbs } from '../operations/verbs.ts'
import { routeVerbs } from './route-verbs.ts'
import { serveOperations } from '../../test/support/scripted-operations.ts'
import { describeApi } from './describe-api.ts'
import { descriptionFile, readDescription } from './read-description.ts'

interface Description {
  openapi: string
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

interface Described {
  operationId: string
  summary: string
  security: object[]
  'x-permission'?: string
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

async function describeRack(): Promise<Description> {
  await using rack = await serveOperations({})
  return (await rack.client.openapi()) as unknown as Description
}

test('each operation of the contract is described, and nothing else', async () => {
  const { openapi, paths } = await describeRack()
  assert.equal(openapi, '3.1.0')
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
  )
  const stated = Object.entries(contract).map(
    ([name, { method, path }]) => `${name} ${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
  )
  assert.deepEqual(described.sort(), stated.sort())
})

test('each has what its reader needs: parameters, body, success and refusal', async () => {
  const { paths, components } = await describeRack()
  for (const [name, operation] of Object.entries(contract) as [string, Op][]) {
    const path = operation.path.replace(/:(\w+)/g, '{$1}')
    const described = paths[path]![operation.method.toLowerCase()]!
    assert.ok(described.summary.length > 5, name)
    const inPath = (described.parameters ?? []).filter((parameter) => parameter.in === 'path')
    assert.deepEqual(
      inPath.map((parameter) => parameter.name).sort(),
      (path.match(/(?<=\{)\w+/g) ?? []).sort(),
      name,
    )
    assert.ok(
      inPath.every(({ required }) => required),
      name,
    )
    const inQuery = (described.parameters ?? []).filter((parameter) => parameter.in === 'query')
    assert.deepEqual(
      inQuery.map((parameter) => parameter.name).sort(),
      Object.keys(operation.query?.shape ?? {}).sort(),
      name,
    )
    const bodies = Object.keys(described.requestBody?.content ?? {})
    const expected =
      operation.kind === 'upload' ? ['application/x-tar'] : operation.body ? ['application/json'] : []
    assert.deepEqual(bodies, expected, name)
    assert.ok(
      Object.keys(described.responses).some((status) => /^[12]/.test(status)),
      name,
    )
    assert.ok(described.responses.default?.content?.['application/problem+json'], name)
    const access = routeVerbs[name as keyof typeof routeVerbs]
    assert.deepEqual(described.security, access === 'anyone' ? [] : [{ token: [] }], name)
  }
  assert.deepEqual(components.securitySchemes, { token: { type: 'http', scheme: 'bearer' } })
})

test('each route states the permission of its verb, and every verb has a route', async () => {
  const { paths } = await describeRack()
  const called = new Set<string>()
  for (const [name, { method, path }] of Object.entries(contract)) {
    const verb = routeVerbs[name as keyof typeof routeVerbs]
    const described = paths[path.replace(/:(\w+)/g, '{$1}')]![method.toLowerCase()]!
    const stated = verb === 'anyone' || verb === 'callers' ? undefined : verbs[verb].permission
    assert.equal(described['x-permission'], stated, name)
    called.add(verb)
  }
  // Prometheus asks for it at a path of its own.
  assert.deepEqual(
    Object.keys(verbs).filter((verb) => !called.has(verb)),
    ['readMetrics'],
  )
})

test('streams are described as NDJSON', async () => {
  const { paths } = await describeRack()
  const promote = paths['/v1/apps/{app}/releases/{release}/promote']!.post!
  assert.deepEqual(Object.keys(promote.responses['200']?.content ?? {}), ['application/x-ndjson'])
})

test('every reference points at something', async () => {
  const description = await describeRack()
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, target]) => target!,
  )
  assert.ok(references.length > 20, `${references.length} references`)
  for (const reference of new Set(references)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1]
    assert.ok(name !== undefined && description.components.schemas[name], reference)
  }
})

test('a build serves the file that it has, the sources what they make', async () => {
  await using build = await mkdtempDisposable(join(tmpdir(), 'description-'))
  const made = await describeApi('1.2.3')
  assert.deepEqual(await readDescription('1.2.3', build.path), made)
  await writeFile(join(build.path, descriptionFile), '{"openapi":"of the build"}')
  assert.deepEqual(await readDescription('1.2.3', build.path), { openapi: 'of the build' })
})
