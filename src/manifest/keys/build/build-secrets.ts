import type { BuildSecret, BuildSpec } from '../../../domain/manifest.ts'
import { didYouMean } from '../../nearest.ts'
import { baseOf, joinInside } from '../../paths.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shownPart, type Node } from '../../syntax/tree.ts'
import {
  contentOf,
  encode,
  type ContentContext,
  type DeclaredFile,
  type DeclaredFiles,
} from '../files/declared-files.ts'
import type { NamedFile } from '../files/named-files.ts'
import { itemsOf, pairsOf, textOf, type Pair } from '../values/values.ts'

export interface BuildSecretContext extends ContentContext {
  secrets: DeclaredFiles
  /** Lets pass with a warning what the app's environment may have by the time of the build. */
  isBeforeBuild: boolean
}

/** What a build's steps may mount: `build.secrets` and `build.ssh`. */
export function buildSecretsOf(
  service: Node,
  context: BuildSecretContext,
): Pick<BuildSpec, 'secrets' | 'keys'> {
  const build = childOf(service, 'build')
  const { problems } = context
  const items = itemsOf(childOf(build, 'secrets'), problems)
  const secrets = items.flatMap((at) => secretOf(at, context) ?? [])
  const keys = pairsOf(childOf(build, 'ssh'), problems).flatMap((pair) => keyOf(pair, context) ?? [])
  return { secrets: withoutTwins(secrets), keys: withoutTwins(keys) }
}

/** The later of two with one id is meant. */
function withoutTwins(secrets: BuildSecret[]): BuildSecret[] {
  return [...new Map(secrets.map((secret) => [secret.id, secret])).values()]
}

function secretOf(at: Node, context: BuildSecretContext): BuildSecret | null {
  const { problems, secrets } = context
  const sourceNode = at.kind === 'map' ? childOf(at, 'source') : at
  const name = textOf(sourceNode, problems)
  if (!sourceNode || !name) {
    problems.error(at, 'a secret needs its name', 'write `source: NAME`')
    return null
  }
  const declared = secrets.get(name)
  if (!declared) {
    problems.error(sourceNode, `the secret ${shownPart(sourceNode, name)} is not declared`, () =>
      didYouMean(name, secrets.keys(), 'declare it under `secrets:` at the end of the file'),
    )
    return null
  }
  const id = textOf(childOf(at, 'target'), problems) || name
  const variable = textOf(childOf(declared.entry.value, 'environment'), problems)
  if (variable) return fromVariable({ id, name, variable, what: 'the secret', at: sourceNode }, context)
  return fromFile(id, declared, context)
}

function fromFile(id: string, declared: DeclaredFile, context: BuildSecretContext): BuildSecret | null {
  const found = contentOf(declared, context)
  if (found === null || found.origin === 'content') return null
  return { id, name: declared.name, content: found.content, origin: found.origin }
}

interface FromVariable {
  id: string
  name: string
  variable: string
  what: string
  at: Node
}

/** A build needs it; what is built already runs without it. */
function fromVariable(
  { id, name, variable, what, at }: FromVariable,
  { lookup, isLenient, isBeforeBuild, problems }: BuildSecretContext,
): BuildSecret | null {
  const value = lookup(variable)
  const origin = { environment: variable }
  if (value !== undefined) return { id, name, content: encode(value), origin }
  if (!isLenient) return { id, name, content: '', origin }
  problems.variable(
    at,
    isBeforeBuild ? 'warning' : 'error',
    `the build needs ${what} ${shownPart(at, id)}: the variable ${variable} of the app has no value`,
    `rack env set ${variable}=…`,
  )
  return null
}

/** `default` and `ID` are keys in variables of the app, `ID=PATH` one in a file of the source, which no build sees. */
function keyOf({ name: id, value, at }: Pair, context: BuildSecretContext): BuildSecret | null {
  const { source, problems } = context
  const variable = keyVariableOf(id)
  if (!value) return fromVariable({ id, name: id, variable, what: 'the ssh key', at }, context)
  const path = joinInside(baseOf(at), value)
  const content = path === null || !Object.hasOwn(source.contents, path) ? undefined : source.contents[path]
  if (path !== null && content !== undefined) return { id, name: id, content, origin: { file: path } }
  problems.error(
    at,
    `the key ${shownPart(at, id)} is no file of the source directory`,
    `write \`ssh: [${id}]\`, and give the rack the key: rack env set ${variable}="$(cat FILE)"`,
  )
  return null
}

/** `SSH_KEY` for `default`, `SSH_KEY_GITHUB` for `github`. */
function keyVariableOf(id: string): string {
  return id === 'default' ? 'SSH_KEY' : `SSH_KEY_${id.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`
}

/** Files of `build.ssh`. */
export function keyFilesOf(service: Node, problems: Problems): NamedFile[] {
  return pairsOf(childOf(childOf(service, 'build'), 'ssh'), problems).flatMap(({ value, at }) => {
    const path = value ? joinInside(baseOf(at), value) : null
    return path === null ? [] : [{ path, at }]
  })
}
