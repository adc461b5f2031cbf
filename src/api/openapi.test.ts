import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contract } from '../client/contract.ts'
import type { Op } from '../client/contract/op.ts'
import { serveOperations } from '../../test/support/scripted-operations.ts'

interface Description {
  openapi: string
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}

interface Described {
  operationId: string
  summary: string
  security: object[]
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
    assert.deepEqual(described.security, operation.permission === null ? [] : [{ token: [] }], name)
  }
  assert.deepEqual(components.securitySchemes, { token: { type: 'http', scheme: 'bearer' } })
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
