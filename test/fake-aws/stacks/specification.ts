import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec'
import type { RequiresRecreation } from '@aws-sdk/client-cloudformation'
import { isRecord } from '../wire/value.ts'

/** What the published specification says of the types of resources (V). */
export interface Specification {
  isType(type: string): boolean
  /** Why a resource of the type cannot have these properties, in CloudFormation's words; null when it can. */
  problem(type: string, properties: Record<string, unknown>): string | null
  /** Of properties that changed: whether one of them needs another resource in its place. */
  replaces(type: string, changed: string[]): boolean
  /** Whether a change of a property needs another resource in its place. */
  recreation(type: string, property: string): RequiresRecreation
}

const recreations = { yes: 'Always', maybe: 'Conditionally', no: 'Never' } as const

type Database = Awaited<ReturnType<typeof loadAwsServiceSpec>>
type Resource = ReturnType<typeof resourceOf> & {}
type Property = Resource['properties'][string]
type PropertyType = Property['type']

function resourceOf(database: Database, type: string) {
  return [...database.lookup('resource', 'cloudFormationType', 'equals', type)][0]
}

let loaded: Promise<Specification> | undefined

/** Takes half a second the first time. */
export function loadSpecification(): Promise<Specification> {
  loaded ??= loadAwsServiceSpec().then(specificationOf)
  return loaded
}

function specificationOf(database: Database): Specification {
  const recreation = (type: string, name: string) =>
    recreations[resourceOf(database, type)!.properties[name]?.causesReplacement ?? 'no']
  return {
    isType: (type) => resourceOf(database, type) !== undefined,
    problem: (type, properties) => problemIn(database, resourceOf(database, type)!.properties, properties),
    replaces: (type, changed) => changed.some((name) => recreation(type, name) === 'Always'),
    recreation,
  }
}

function problemIn(
  database: Database,
  known: Record<string, Property>,
  given: Record<string, unknown>,
): string | null {
  for (const name of Object.keys(given)) {
    if (!(name in known)) return `Encountered unsupported property ${name}`
  }
  for (const [name, property] of Object.entries(known)) {
    const value = given[name]
    if (value === undefined && property.required) return `Property ${name} cannot be empty.`
    const problem = value === undefined ? null : problemOf(database, property.type, value, name)
    if (problem) return problem
  }
  return null
}

const isText = (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value)

/** CloudFormation takes numbers as texts and the other way round. */
function problemOf(database: Database, type: PropertyType, value: unknown, path: string): string | null {
  const wrong = `Value of property ${path} must be ${type.type === 'array' ? 'of type List' : `a ${type.type}`}`
  switch (type.type) {
    case 'string':
      return isText(value) ? null : wrong
    case 'number':
    case 'integer':
      return isText(value) && Number.isFinite(Number(value)) ? null : wrong
    case 'boolean':
      return ['true', 'false'].includes(String(value)) ? null : wrong
    case 'array':
      if (!Array.isArray(value)) return wrong
      return firstOf(value.map((item, at) => problemOf(database, type.element, item, `${path}/${at}`)))
    case 'map':
      if (!isRecord(value)) return wrong
      return firstOf(
        Object.entries(value).map(([key, item]) => problemOf(database, type.element, item, `${path}/${key}`)),
      )
    case 'ref':
      if (!isRecord(value)) return wrong
      return problemIn(database, database.get('typeDefinition', type.reference.$ref).properties, value)
    case 'tag': {
      const isTag =
        isRecord(value) && Object.keys(value).length === 2 && isText(value['Key']) && isText(value['Value'])
      return isTag ? null : wrong
    }
    case 'union':
      return type.types.some((one) => problemOf(database, one, value, path) === null) ? null : wrong
    case 'json':
      return typeof value === 'object' ? null : wrong
    default:
      return null
  }
}

const firstOf = (problems: (string | null)[]): string | null =>
  problems.find((problem) => problem !== null) ?? null
