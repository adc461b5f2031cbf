import { AwsError } from '../fake-service.ts'
import { NotModelled } from '../modelled.ts'
import { isRecord } from '../wire/value.ts'

/** What becomes of the data of a resource that goes. */
export type Policy = 'Delete' | 'Retain' | 'RetainExceptOnCreate' | 'Snapshot'

export interface TemplateResource {
  Type: string
  Properties: Record<string, unknown>
  DependsOn: string[]
  DeletionPolicy: Policy
  UpdateReplacePolicy: Policy
}

export interface Template {
  text: string
  description: string | undefined
  parameters: Record<string, { Type: string; Default?: string; NoEcho?: boolean | string }>
  resources: Map<string, TemplateResource>
  outputs: Record<string, { Value: unknown; Description?: string }>
}

export const invalid = (message: string): AwsError => new AwsError('ValidationError', message)

/** D: "CloudFormation quotas". */
const largestBody = 51_200

const knownSections = new Set([
  'AWSTemplateFormatVersion',
  'Description',
  // Kept and given back, and changes nothing (D: Metadata).
  'Metadata',
  'Parameters',
  'Resources',
  'Outputs',
])
const knownParts = new Set(['Type', 'Properties', 'DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy'])
const otherParts = new Set(['Condition', 'CreationPolicy', 'Metadata', 'UpdatePolicy'])

/** Reads a JSON template. @throws AwsError as CreateChangeSet does */
export function parseTemplate(text: string, isBody: boolean): Template {
  if (isBody && Buffer.byteLength(text) > largestBody) {
    throw invalid(
      "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: length less than or equal to 51200",
    )
  }
  const read = asJson(text)
  for (const section of Object.keys(read)) {
    if (!knownSections.has(section)) throw new NotModelled(`the section ${section} of a template`)
  }
  const given = isRecord(read['Resources']) ? Object.entries(read['Resources']) : []
  if (given.length === 0)
    throw invalid('Template format error: At least one Resources member must be defined.')
  const template: Template = {
    text,
    description: read['Description'] as string | undefined,
    parameters: (read['Parameters'] ?? {}) as Template['parameters'],
    resources: new Map(given.map(([name, resource]) => [name, parseResource(name, resource)])),
    outputs: (read['Outputs'] ?? {}) as Template['outputs'],
  }
  assertReferences(template)
  return template
}

function asJson(text: string): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(text)
    if (isRecord(read)) return read
  } catch {
    // Not JSON: said below, as of any text that is no template.
  }
  throw invalid('Template format error: unsupported structure.')
}

function parseResource(name: string, resource: unknown): TemplateResource {
  if (!/^[A-Za-z0-9]{1,255}$/.test(name))
    throw invalid(`Template format error: Resource name ${name} is non alphanumeric.`)
  if (!isRecord(resource) || typeof resource['Type'] !== 'string') {
    throw invalid(
      `Template format error: [/Resources/${name}] Every Resources object must contain a Type member.`,
    )
  }
  for (const part of Object.keys(resource)) {
    if (otherParts.has(part)) throw new NotModelled(`${part} of a resource`)
    if (!knownParts.has(part)) throw invalid(`Invalid template resource property '${part}'`)
  }
  return {
    Type: resource['Type'],
    Properties: (resource['Properties'] ?? {}) as Record<string, unknown>,
    DependsOn: [resource['DependsOn'] ?? []].flat() as string[],
    DeletionPolicy: policyOf(resource['DeletionPolicy']),
    UpdateReplacePolicy: policyOf(resource['UpdateReplacePolicy']),
  }
}

const policies = new Set<unknown>(['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot'])

function policyOf(given: unknown = 'Delete'): Policy {
  if (policies.has(given)) return given as Policy
  throw new NotModelled(`the policy ${String(given)} of a resource`)
}

/** Names of resources and parameters that a value refers to. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn)
  if (!isRecord(value)) return []
  if (typeof value['Ref'] === 'string') return [value['Ref']]
  if ('Fn::GetAtt' in value) return [attributeOf(value['Fn::GetAtt'])[0]]
  if ('Fn::Sub' in value) {
    if (typeof value['Fn::Sub'] !== 'string') throw new NotModelled('Fn::Sub with variables of its own')
    return [...value['Fn::Sub'].matchAll(/\$\{([\w:.]+)\}/g)].map(([, name]) => name!.split('.')[0]!)
  }
  return Object.values(value).flatMap(referencesIn)
}

function attributeOf(given: unknown): [string, string] {
  const [name, attribute] = typeof given === 'string' ? given.split('.') : (given as string[])
  if (!name || !attribute)
    throw invalid('Template error: every Fn::GetAtt object requires two non-empty parameters')
  return [name, attribute]
}

const isPseudo = (name: string) => name.startsWith('AWS::')

function assertReferences({ parameters, resources, outputs }: Template): void {
  const isKnown = (name: string) => isPseudo(name) || name in parameters || resources.has(name)
  const used = [...resources.values()].flatMap(({ Properties, DependsOn }) => [
    ...referencesIn(Properties),
    ...DependsOn,
  ])
  const unknown = [...new Set(used)].filter((name) => !isKnown(name))
  if (unknown.length > 0) {
    throw invalid(
      `Template format error: Unresolved resource dependencies [${unknown.join(', ')}] in the Resources block of the template`,
    )
  }
  const inOutputs = [...new Set(referencesIn(outputs))].filter((name) => !isKnown(name))
  if (inOutputs.length > 0) {
    throw invalid(
      `Template format error: Unresolved resource dependencies [${inOutputs.join(', ')}] in the Outputs block of the template`,
    )
  }
  const visit = (name: string, above: string[]): void => {
    if (above.includes(name)) throw invalid(`Circular dependency between resources: [${above.join(', ')}]`)
    for (const next of dependencies(resources, name)) visit(next, [...above, name])
  }
  for (const name of resources.keys()) visit(name, [])
}

/** Resources that must be there before one is made. */
export function dependencies(resources: Template['resources'], name: string): string[] {
  const { Properties, DependsOn } = resources.get(name)!
  return [...new Set([...referencesIn(Properties), ...DependsOn])].filter((one) => resources.has(one))
}

export interface Made {
  physical: string
  attributes: Record<string, string>
}

export interface Values {
  parameters: Record<string, string>
  pseudo: Record<string, string>
  made: Map<string, Made>
}

/** A value with every Ref, Fn::GetAtt, Fn::Sub and Fn::Join in it answered. */
export function resolved(value: unknown, values: Values): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, values))
  if (!isRecord(value)) return value
  const [name, ...others] = Object.keys(value)
  if (others.length === 0 && (name === 'Ref' || name?.startsWith('Fn::')))
    return answered(name, value[name], values)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, values)]))
}

function answered(name: string, given: unknown, values: Values): unknown {
  if (name === 'Ref') return reference(given as string, values)
  if (name === 'Fn::GetAtt') return attribute(...attributeOf(given), values)
  if (name === 'Fn::Sub') {
    return (given as string).replaceAll(/\$\{([\w:]+)(?:\.(\w+))?\}/g, (_, one: string, part?: string) =>
      part ? attribute(one, part, values) : reference(one, values),
    )
  }
  const arranged = arrangements[name]
  if (!arranged) throw new NotModelled(`${name} in a template`)
  return arranged(resolved(given, values), values)
}

const arrangements: Record<string, (given: unknown, values: Values) => unknown> = {
  'Fn::Join': (given) => {
    const [between, items] = given as [string, string[]]
    return items.join(between)
  },
  'Fn::Split': (given) => {
    const [between, whole] = given as [string, string]
    return whole.split(between)
  },
  'Fn::Select': (given) => {
    const [at, items] = given as [number, string[]]
    return items[at]
  },
  // Of the stack's own region.
  'Fn::GetAZs': (_, { pseudo }) => ['a', 'b', 'c'].map((zone) => `${pseudo['AWS::Region']}${zone}`),
}

function reference(name: string, { parameters, pseudo, made }: Values): string {
  const value = parameters[name] ?? pseudo[name] ?? made.get(name)?.physical
  if (value === undefined) throw new NotModelled(`Ref of ${name}`)
  return value
}

function attribute(name: string, part: string, { made }: Values): string {
  const value = made.get(name)?.attributes[part]
  if (value === undefined)
    throw invalid(`Template error: resource ${name} does not support attribute type ${part} in Fn::GetAtt`)
  return value
}
